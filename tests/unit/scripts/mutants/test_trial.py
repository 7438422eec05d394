"""A small project of its own, whose mutants are killed, hang and survive."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("resource", reason="mutants are tried where processes have groups and limits")

from scripts.mutants.draw import Mutant, draw
from scripts.mutants.trial import Copy

CODE = '''"""Four functions."""


def double(x):
    return x * 2


def count(n):
    i = 0
    while i < n:
        i += 1
    return i


def unchecked(x):
    return x >> 3


def room():
    return bytearray(5 >> 30)
'''
TEST = """from promfill.codecs.numbers import count, double, room


def test_double():
    assert double(4) == 8


def test_count():
    assert count(3) == 3


def test_room():
    room()
"""
FILES = {
    "promfill/__init__.py": "",
    "promfill/codecs/__init__.py": "",
    "promfill/codecs/numbers.py": CODE,
    "tests/unit/test_numbers.py": TEST,
    "tests/conftest.py": 'import hypothesis\n\nhypothesis.settings.register_profile("mutants")\n',
    "pyproject.toml": '[tool.pytest.ini_options]\naddopts = "--import-mode=importlib"\npythonpath = ["."]\n',
    ".gitignore": "secret.txt\n",
    "secret.txt": "",
}
TESTS = ["tests/unit/test_numbers.py"]
LONG = 600.0


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    return root


def mutant(project: Path, diff: str) -> Mutant:
    """The one that makes of a line another."""
    [found] = [found for found in draw(project, ["promfill/codecs"], 99, seed=1) if found.diff() == diff]
    return found


def test_mutants_are_killed_hang_and_survive_and_the_checkout_stays_as_it_is(project: Path, tmp_path: Path) -> None:
    copy = Copy.of(project, tmp_path / "copy")
    assert copy.baseline(TESTS).how == "survived"
    assert list(copy.folder.rglob("numbers.*.pyc"))

    killed = copy.try_out(mutant(project, "-    return x * 2\n+    return x // 2"), TESTS, LONG)
    assert (killed.how, killed.by) == ("killed", "tests/unit/test_numbers.py::test_double")
    survived = copy.try_out(mutant(project, "-    return x >> 3\n+    return x << 3"), TESTS, LONG)
    assert survived.how == "survived"
    hung = copy.try_out(mutant(project, "-        i += 1\n+        i -= 1"), TESTS, 3.0)
    assert hung.how == "hung"
    assert [outcome.noticed for outcome in (killed, survived, hung)] == [True, False, True]
    if sys.platform == "linux":
        # 5 GiB, which the system would grant as long as nobody writes to them
        large = copy.try_out(
            mutant(project, "-    return bytearray(5 >> 30)\n+    return bytearray(5 << 30)"), TESTS, LONG
        )
        assert (large.how, large.by) == ("killed", "tests/unit/test_numbers.py::test_room")

    # Nothing of a mutant is left: not in the copy, not compiled, and never in the checkout.
    assert copy.again(tmp_path / "another").baseline(TESTS).how == "survived"
    kept = [path for path in project.rglob("*") if path.is_file() and ".git" not in path.parts]
    assert {path.relative_to(project).as_posix(): path.read_text() for path in kept} == FILES
    assert not (copy.folder / "secret.txt").exists()


def test_a_mutant_that_no_test_reaches_is_not_killed(project: Path, tmp_path: Path) -> None:
    outcome = Copy.of(project, tmp_path / "copy").try_out(draw(project, ["promfill/codecs"], 1, seed=1)[0], [], LONG)
    assert (outcome.how, outcome.noticed) == ("untested", False)


def test_a_file_that_cannot_be_imported_kills(project: Path, tmp_path: Path) -> None:
    (project / "tests" / "unit" / "test_numbers.py").write_text("import promfill.codecs.nothing\n")
    outcome = Copy.of(project, tmp_path / "copy").baseline(TESTS)
    assert (outcome.how, outcome.by) == ("killed", "tests/unit/test_numbers.py")


def test_pytest_that_cannot_run_is_no_outcome(project: Path, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"(?s)pytest ended with 4: .*test_gone\.py"):
        Copy.of(project, tmp_path / "copy").baseline(["tests/unit/test_gone.py"])
