"""Where a test lies: tests/unit/net/test_retry.py tests promfill/net/retry.py. What mirrors no module says why.

So the tests of a module are found without a search, and `make mutants` runs the ones that should notice a change.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "tests" / "unit"
OUTSIDE = ("scripts", "benchmarks")
"""Folders of the checkout that are tested beside the package."""

HOUSE = "looks at the whole checkout"
SENDER = "pushes through the whole sender, to a receiver that is made up"
REASONS: Mapping[str, str] = {
    "docs/test_decisions.py": "reads docs/decisions",
    "docs/test_docs.py": "reads docs",
    "docs/test_json_page.py": "reads docs/json.md and docs/json-schema.json",
    "docs/test_python_page.py": "runs the examples of docs/python.md",
    "pb/test_generated.py": "makes promfill/pb again from proto",
    "pb/test_golden_messages.py": "reads what other implementations of the same messages wrote",
    "sinks/remote_write/test_compliance.py": SENDER,
    "sinks/remote_write/test_faults.py": SENDER,
    "sinks/remote_write/test_faults_over_sockets.py": SENDER,
    "sinks/remote_write/test_forwarders.py": SENDER,
    "sinks/remote_write/test_partial_takers.py": SENDER,
    "sinks/remote_write/test_protocol.py": SENDER,
    "sinks/remote_write/test_recorded.py": SENDER,
    "sinks/remote_write/test_rejects.py": SENDER,
    "sinks/remote_write/test_resume.py": SENDER,
    "sinks/remote_write/test_unknown_receivers.py": SENDER,
    "sinks/test_any_presence.py": "holds of every sink",
    "sources/signals/test_mockseries_golden.py": "holds trend, season and noise together against mockseries",
    "sources/signals/test_noise_distribution.py": "asks of both kinds of noise whether they are normal",
    "testing/test_conformance.py": "runs promfill.testing's suites on every source and sink of ours",
    "test_layers.py": HOUSE,
    "test_mirror.py": HOUSE,
    "test_public.py": "looks at the public face from outside",
    "test_requirements.py": HOUSE,
    "test_special_values.py": "follows NaN, -0 and infinities through many modules (docs/decisions/0007)",
    "test_texts.py": HOUSE,
    "test_version.py": HOUSE,
    "test_workflows.py": HOUSE,
}
"""The test files that mirror no module, below tests/unit."""


def files_of_tests(unit: Path) -> list[str]:
    """Below `unit`, with slashes on every system."""
    return sorted(path.relative_to(unit).as_posix() for path in unit.rglob("test_*.py"))


def mirrored(root: Path, test: str) -> Path | None:
    """The module that a test file's place and name say it tests, if there is one; test_main.py tests __main__.py."""
    place = Path(test)
    top = root if place.parts[0] in OUTSIDE else root / "promfill"
    name = place.stem.removeprefix("test_")
    modules = [top / place.parent / f"{stem}.py" for stem in (name, f"__{name}__")]
    return next((module for module in modules if module.is_file()), None)


@pytest.mark.parametrize("test", files_of_tests(UNIT))
def test_each_file_mirrors_a_module_or_says_why_not(test: str) -> None:
    module, reason = mirrored(ROOT, test), REASONS.get(test)
    if module is None:
        assert reason, (
            f"tests/unit/{test} mirrors no module: move it to its module's folder, or give REASONS its reason"
        )
    else:
        assert reason is None, f"tests/unit/{test} mirrors {module.relative_to(ROOT)}: take it out of REASONS"


def test_reasons_are_given_for_files_that_are_there() -> None:
    assert REASONS.keys() - set(files_of_tests(UNIT)) == set()


def test_no_test_is_passed_over_by_its_name() -> None:
    """pytest collects test_*.py alone: tests in a file of another name would never run."""
    others = [path for path in UNIT.rglob("*.py") if not path.name.startswith("test_") and path.name != "conftest.py"]
    assert [path for path in others if "def test_" in path.read_text(encoding="utf-8")] == []


@pytest.mark.parametrize(
    ("test", "module"),
    [
        ("net/test_retry.py", "promfill/net/retry.py"),
        ("scripts/mutants/test_main.py", "scripts/mutants/__main__.py"),
        ("net/test_retries.py", None),
        ("test_retry.py", None),
        ("mutants/test_main.py", None),
    ],
)
def test_the_module_of_a_test(tmp_path: Path, test: str, module: str | None) -> None:
    for there in ("promfill/net/retry.py", "scripts/mutants/__main__.py"):
        (tmp_path / there).parent.mkdir(parents=True)
        (tmp_path / there).touch()
    assert mirrored(tmp_path, test) == (tmp_path / module if module else None)
