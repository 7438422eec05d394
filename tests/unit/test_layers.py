"""The layers of docs/architecture.md, read from the source: who may import what."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

import promfill

PACKAGE = Path(promfill.__file__).parent
WORLD = {"os", "pathlib", "socket", "httpx", "time"}
PURE = ("codecs", "tsdb", "signals")


def modules(*folders: str) -> list[Path]:
    roots = [PACKAGE / folder for folder in folders] or [PACKAGE]
    return sorted(path for root in roots for path in root.rglob("*.py") if "pb" not in path.relative_to(PACKAGE).parts)


def imports(source: str, package: str) -> Iterator[str]:
    """The absolute dotted name of everything that the source imports, inside functions too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def imported(path: Path) -> set[str]:
    package = ".".join(path.parent.relative_to(PACKAGE.parent).parts)
    return set(imports(path.read_text(encoding="utf-8"), package))


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", modules(*PURE), ids=name)
def test_pure_layers_do_not_touch_the_world(path: Path) -> None:
    assert not roots(imported(path)) & WORLD


@pytest.mark.parametrize("path", modules("cli"), ids=name)
def test_the_command_line_does_no_arithmetic_on_arrays(path: Path) -> None:
    assert "numpy" not in roots(imported(path))


def test_nothing_imports_the_command_line() -> None:
    outside = [path for path in modules() if PACKAGE / "cli" not in path.parents and path.name != "__main__.py"]
    assert outside
    assert [name(path) for path in outside if any(f"{n}.".startswith("promfill.cli.") for n in imported(path))] == []


def test_no_installed_module_imports_tests_or_benchmarks() -> None:
    assert [name(path) for path in modules() if roots(imported(path)) & {"tests", "benchmarks", "scripts"}] == []


def test_the_reader_of_imports_sees_every_kind() -> None:
    source = "import os.path\ndef f():\n    from ..sinks import base\n    from . import x\n    from time import sleep\n"
    assert set(imports(source, "promfill.codecs")) == {
        "os.path",
        "promfill.sinks",
        "promfill.sinks.base",
        "promfill.codecs",
        "promfill.codecs.x",
        "time",
        "time.sleep",
    }


def test_all_names_the_public_names() -> None:
    # dir(): names that are made on first use count as well. Submodules appear once something has imported them.
    names = {name for name in dir(promfill) if not name.startswith("_")} - {"annotations", "TYPE_CHECKING"}
    public = {name for name in names if not inspect.ismodule(getattr(promfill, name))}
    assert public == set(promfill.__all__) - {"__version__"}
    assert len(promfill.__all__) == len(set(promfill.__all__))


@pytest.mark.parametrize("exported", promfill.__all__)
def test_every_exported_name_is_there(exported: str) -> None:
    assert getattr(promfill, exported) is not None
