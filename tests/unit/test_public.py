"""`import promfill`: lazy, with the names of `__all__`, and docstrings whose examples run."""

from __future__ import annotations

import ast
import contextlib
import doctest
import importlib
import inspect
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import promfill as pf

HEAVY = {"numpy", "click", "httpx", "orjson", "snappy", "google", "yaml", "ssl", "logging", "asyncio", "typing"}
API = Path(pf.__file__).parent / "api"
MODULES = sorted(f"promfill.api.{path.stem}" for path in API.glob("[a-z]*.py"))


def modules_after(program: str) -> set[str]:
    """What a fresh interpreter has imported after these lines."""
    code = f"import sys; before = set(sys.modules)\n{program}\nimport json; print(json.dumps(sorted(sys.modules)))"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    found: list[str] = json.loads(run.stdout.splitlines()[-1])
    return set(found)


def test_an_import_imports_nothing_that_is_heavy() -> None:
    mine = modules_after("import promfill") - modules_after("pass")
    assert not {name.partition(".")[0] for name in mine} & HEAVY
    assert {name for name in mine if name.startswith("promfill")} == {"promfill", "promfill._version"}


def test_listing_and_completing_names_imports_nothing_more() -> None:
    listed = modules_after("import promfill; dir(promfill); promfill.__all__; hasattr(promfill, 'nothing')")
    assert listed == modules_after("import promfill")


def test_a_scenario_needs_no_arrays_until_its_samples_are_wanted() -> None:
    lines = (
        "import promfill as pf",
        "metric = pf.Metric('m', labels={'i': pf.fan('{1..40}')}, value=pf.original(trend=1))",
        "scenario = pf.Scenario([metric], start=0, end=3000)",
        "repr(scenario), len(scenario.series), pf.Blocks('data')",
    )
    assert not {"numpy", "click", "httpx"} & modules_after("\n".join(lines))


def test_a_verb_needs_no_command_line() -> None:
    lines = (
        "import tempfile, promfill as pf",
        "scenario = pf.Scenario([pf.Metric('m')], start=0, end=3000)",
        "pf.push(scenario, pf.Blocks(tempfile.mkdtemp()))",
    )
    found = modules_after("\n".join(lines))
    assert "numpy" in found
    assert not {name for name in found if name.partition(".")[0] == "click" or name.startswith("promfill.cli")}


def test_every_public_name_is_there_and_says_what_it_is() -> None:
    for name in pf.__all__:
        value = getattr(pf, name)
        assert name == "__version__" or inspect.getdoc(value), name


def test_public_names_are_listed_in_order_once() -> None:
    assert pf.__all__ == sorted(set(pf.__all__))
    assert set(pf.__all__) <= set(dir(pf))


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'promfill' has no attribute 'Scenari'"):
        pf.Scenari  # type: ignore[attr-defined]  # noqa: B018


def test_type_checkers_see_what_the_interpreter_does() -> None:
    """What is imported under TYPE_CHECKING is what is imported on first use."""
    tree = ast.parse(Path(pf.__file__).read_text(encoding="utf-8"))
    seen: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for line in node.body:
                assert isinstance(line, ast.ImportFrom)
                seen |= {alias.name: str(line.module) for alias in line.names}
    assert seen == pf._HOME
    assert set(seen) == set(pf.__all__) - {"__version__"}


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    names = {public: getattr(pf, public) for public in pf.__all__}
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for number, test in enumerate(doctest.DocTestFinder().find(importlib.import_module(name), extraglobs=names)):
        with contextlib.chdir(tempfile.mkdtemp(dir=Path())):  # each begins in an empty directory
            assert runner.run(test).failed == 0, (number, test.name)


@pytest.mark.parametrize("name", sorted(name for name, home in pf._HOME.items() if ".api." in home))
def test_everything_public_has_an_example(name: str) -> None:
    assert ">>> " in (inspect.getdoc(getattr(pf, name)) or "")


@pytest.mark.parametrize("name", [name for name in pf.__all__ if inspect.isclass(getattr(pf, name))])
def test_every_method_and_property_says_what_it_does(name: str) -> None:
    members = {member: getattr(getattr(pf, name), member) for member in dir(getattr(pf, name)) if member[0] != "_"}
    mine = {member: value for member, value in members.items() if callable(value) or isinstance(value, property)}
    assert [member for member, value in mine.items() if not inspect.getdoc(value)] == []
