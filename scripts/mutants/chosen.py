"""Which test files judge a module: those of its folder that reach it by imports, the nearest first.

The tests of ``promfill/codecs`` are ``tests/unit/codecs`` and the files in ``tests/property`` that import from it.
Those of a single module, ``promfill/sources/generated.py``, are ``tests/unit/test_source*.py`` and such properties.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

PACKAGE = "promfill"
_FAR = 3


def tests_of(root: Path, folder: str) -> list[Path]:
    """The unit and property tests of a folder, or of a single module."""
    below = Path(folder).relative_to(PACKAGE)
    unit = root / "tests" / "unit" / below
    found = unit.parent.glob(f"test_{below.stem}*.py") if below.suffix else unit.rglob("test_*.py")
    target = root / folder
    properties = (root / "tests" / "property").glob("test_*.py")
    return sorted(found) + sorted(path for path in properties if any(map(target.__eq__, _ways_up(root, path))))


def judges(root: Path, folder: str, module: Path, *, near: bool = False) -> list[Path]:
    """The tests of the folder that reach the module: its own, its folder's and those that import it, then the rest.

    near: without the rest.
    """
    reaching = [path for path in tests_of(root, folder) if module in reached(root, path)]
    if near:
        reaching = [path for path in reaching if _distance(root, path, module) < _FAR]
    return sorted(reaching, key=lambda path: (_distance(root, path, module), path))


def _distance(root: Path, test: Path, module: Path) -> int:
    if test.stem == f"test_{module.stem}":
        return 0
    if test.stem.startswith(f"test_{module.stem}"):
        return 1
    beside = test.parent.relative_to(root).parts[2:] == module.parent.relative_to(root).parts[1:]
    return 2 if beside or module in imported(root, test) else _FAR


def _ways_up(root: Path, test: Path) -> Iterator[Path]:
    """Every module that a test imports, and every folder that one of them lies in."""
    for path in imported(root, test):
        yield path
        yield from path.parents


def reached(root: Path, test: Path) -> set[Path]:
    """Every file of the project that a test imports, directly or through others."""
    seen, waiting = {test}, [test]
    while waiting:
        new = imported(root, waiting.pop()) - seen
        seen |= new
        waiting.extend(new)
    return seen


@cache
def imported(root: Path, path: Path) -> frozenset[Path]:
    """The files of the project that a file imports, inside functions too."""
    package = path.relative_to(root).parent.parts
    names = _names(ast.parse(path.read_bytes()), package)
    return frozenset(found for name in names if (found := _file(root, name)))


def _names(tree: ast.AST, package: tuple[str, ...]) -> Iterable[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *([node.module] if node.module else [])])
            yield origin
            yield from (f"{origin}.{alias.name}" for alias in node.names)


def _file(root: Path, name: str) -> Path | None:
    """The file of a dotted name, if it is one of the project's."""
    path = root.joinpath(*name.split("."))
    candidates = (path.with_name(f"{path.name}.py"), path / "__init__.py")
    return next((candidate for candidate in candidates if candidate.is_file()), None)
