"""The floors of docs/architecture.md, read from the imports themselves: who may import what."""

from __future__ import annotations

import ast
import graphlib
import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest

import promfill

PACKAGE = Path(promfill.__file__).parent
WORLD = {"os", "pathlib", "socket", "httpx", "time"}
PURE = ("codecs", "model", "scenario", "sources")
FLOORS = {
    "__main__": 10,
    "": 10,  # promfill itself, the public face: nothing below may look up to it
    "cli": 9,
    "api": 9,
    "operations": 8,
    "testing": 8,
    "sinks": 7,
    "promtool": 7,
    "vendors": 7,
    "pipeline": 6,
    "stores": 6,
    "rules": 6,
    "blocks": 5,
    "sources": 4,
    "codecs": 3,
    "scenario": 3,
    "model": 2,
    "net": 2,
    "files": 2,
    "protocols": 2,
    "errors": 1,
    "pb": 1,
    "data": 1,
    "_version": 1,
}
"""Of each folder or module of the package. An import goes down, or stays on its floor."""

OPTIONS = ("Values", "Mapping[str, Any]", "dict[str, Any]")
"""How a parameter is annotated that may be a command's options, which nobody could check."""
DOCUMENTS: Mapping[str, str] = {
    "cli/console.py": "what a command tells as JSON",
    "cli/outcome.py": "what a command tells as JSON",
    "codecs/block/meta.py": "meta.json",
    "files/checkpoint.py": "what names a run, and is written down with it",
    "net/deadline.py": "what httpx tells",
    "stores/ask.py": "a server's answer",
}
"""The modules whose functions take documents of any shape, and which."""

Imports = Mapping[str, set[str]]
"""Modules, dotted, without ``promfill.``: which of them each imports."""


def paths(*folders: str) -> list[Path]:
    roots = [PACKAGE / folder for folder in folders] or [PACKAGE]
    return sorted(path for root in roots for path in root.rglob("*.py") if "pb" not in path.relative_to(PACKAGE).parts)


def imports(source: str, package: str) -> Iterator[str]:
    """The absolute dotted name of everything that the source imports: in functions and for types only, too."""
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


def roots(names: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


def module_of(path: Path) -> str:
    """``net.http`` of net/http.py, ``net`` of net/__init__.py."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def house() -> Imports:
    """The imports of the package's own modules."""
    known = {module_of(path): path for path in paths()}
    return {module: set(own(imported(path), known) - {module}) for module, path in known.items()}


def own(names: Iterable[str], known: Mapping[str, object]) -> set[str]:
    """The modules of the package among names: of ``promfill.a.b.f`` the longest part that is one."""
    found = set()
    deepest = {name for name in names if not any(other.startswith(f"{name}.") for other in names)}
    for name in deepest:
        parts = name.split(".")
        if parts[0] != "promfill":
            continue
        below = parts[1:]
        if below[:1] == ["pb"]:
            found.add("pb")
            continue
        while below and ".".join(below) not in known:
            below.pop()
        found.add(".".join(below))
    return found


def room(module: str) -> str:
    return module.partition(".")[0]


def wrong_ways(modules: Imports) -> list[str]:
    """The imports that go up, each with both floors; and modules that have no floor."""
    told = []
    for module, others in sorted(modules.items()):
        if room(module) not in FLOORS:
            told.append(f"{module} is in no room of FLOORS")
            continue
        for other in sorted(others):
            if room(other) not in FLOORS:
                told.append(f"{module} imports {other}, which is in no room of FLOORS")
            elif FLOORS[room(other)] > FLOORS[room(module)]:
                told.append(f"{module} (floor {FLOORS[room(module)]}) imports {other} (floor {FLOORS[room(other)]})")
    return told


def circle(modules: Imports) -> list[str]:
    """Modules that import each other in a circle, if there are any."""
    try:
        graphlib.TopologicalSorter(modules).prepare()
    except graphlib.CycleError as error:
        return list(reversed(error.args[1]))
    return []


def by_room(modules: Imports) -> Imports:
    found: dict[str, set[str]] = {}
    for module, others in modules.items():
        found.setdefault(room(module), set()).update({room(other) for other in others} - {room(module)})
    return found


def test_every_import_goes_down_or_stays_on_its_floor() -> None:
    assert len(house()) > 150
    assert wrong_ways(house()) == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle(house()) == []


def test_no_rooms_of_a_floor_import_each_other_in_a_circle() -> None:
    assert circle(by_room(house())) == []


@pytest.mark.parametrize("path", [path for path in paths() if PACKAGE / "cli" not in path.parents], ids=name)
def test_click_is_imported_by_the_command_line_alone(path: Path) -> None:
    assert "click" not in roots(imported(path))


@pytest.mark.parametrize("path", paths(*PURE), ids=name)
def test_pure_rooms_do_not_touch_the_world(path: Path) -> None:
    assert not roots(imported(path)) & WORLD


@pytest.mark.parametrize("path", paths("cli"), ids=name)
def test_the_command_line_does_no_arithmetic_on_arrays(path: Path) -> None:
    assert "numpy" not in roots(imported(path))


def takers(source: str) -> list[str]:
    """The functions that take a parameter which may be a command's options: by its annotation, or as ``**values``."""
    told = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        arguments = node.args
        named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        kinds = [ast.unparse(one.annotation) for one in named if one.annotation and one.arg != "self"]
        wild = [arguments.kwarg.arg] if arguments.kwarg and arguments.kwarg.arg == "values" else []
        wanted = [kind for kind in kinds if any(part.strip() in OPTIONS for part in kind.split("|"))]
        if wanted or wild:
            told.append(f"{node.name}({', '.join([*wanted, *wild])})")
    return told


def is_a_command(path: Path) -> bool:
    """Whether it is a command's own module, in cli/ or cli/tsdb/: it holds a function `command`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return any(isinstance(node, ast.FunctionDef) and node.name == "command" for node in tree.body)


def may_take_options(path: Path) -> bool:
    """The options of a command stay in its own module and in cli/options, which makes settings of them."""
    below = path.relative_to(PACKAGE).parts
    return below[0] == "cli" and (below[1] == "options" or is_a_command(path))


@pytest.mark.parametrize("path", [path for path in paths() if not may_take_options(path)], ids=name)
def test_a_commands_options_leave_its_module_as_settings_alone(path: Path) -> None:
    found = takers(path.read_text(encoding="utf-8"))
    if path.relative_to(PACKAGE).as_posix() in DOCUMENTS:
        assert found, f"{name(path)} takes no document: take it out of DOCUMENTS"
    else:
        assert found == []


def test_a_function_that_takes_options_is_told() -> None:
    source = (
        "def a(values: Mapping[str, Any], b: int): ...\ndef b(*, c: dict[str, Any] | None): ...\n"
        "class C:\n    def d(self, e: Values): ...\ndef f(**values: Any): ...\n"
        "def g(h: Mapping[str, str], i: Sequence[Any], **others: Any) -> dict[str, Any]: ...\n"
    )
    told = ["a(Mapping[str, Any])", "b(dict[str, Any] | None)", "d(Values)", "f(values)"]
    assert sorted(takers(source)) == told


@pytest.mark.parametrize("path", [path for path in paths() if PACKAGE / "cli" not in path.parents], ids=name)
def test_the_environment_is_read_by_the_command_line_alone(path: Path) -> None:
    names = {
        node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)
    }
    reads = names & {"environ", "environb", "getenv"}
    children = path.relative_to(PACKAGE).as_posix() == "vendors/script.py"  # a script inherits it, without our secrets
    assert reads == ({"environ"} if children else set())


def test_no_installed_module_imports_tests_or_benchmarks() -> None:
    assert [name(path) for path in paths() if roots(imported(path)) & {"tests", "benchmarks", "scripts"}] == []


def test_the_reader_of_imports_sees_every_kind() -> None:
    source = (
        "import os.path\ndef f():\n    from ..sinks import base\n    from . import x\n    from time import sleep\n"
        "if TYPE_CHECKING:\n    from promfill.cli import push\n"
    )
    assert set(imports(source, "promfill.codecs")) == {
        "os.path",
        "promfill.sinks",
        "promfill.sinks.base",
        "promfill.codecs",
        "promfill.codecs.x",
        "time",
        "time.sleep",
        "promfill.cli",
        "promfill.cli.push",
    }


def test_the_modules_among_names_are_the_deepest_that_there_are() -> None:
    known = dict.fromkeys(["", "net", "net.http", "errors"])
    names = {"promfill.net", "promfill.net.http", "promfill.net.http.Client", "promfill.errors.InputError", "os"}
    assert own(names, known) == {"net.http", "errors"}
    assert own({"promfill.pb.x_pb2.Y"}, known) == {"pb"}
    assert own({"promfill", "promfill.__version__"}, known) == {""}


@pytest.mark.parametrize(
    ("modules", "told"),
    [
        ({"codecs.x": {"sinks.y"}}, ["codecs.x (floor 3) imports sinks.y (floor 7)"]),
        ({"net.x": {""}}, ["net.x (floor 2) imports  (floor 10)"]),
        ({"heap": set()}, ["heap is in no room of FLOORS"]),
        ({"net.x": {"heap"}}, ["net.x imports heap, which is in no room of FLOORS"]),
        ({"sinks.y": {"codecs.x"}, "codecs.x": set(), "stores.x": {"rules.y"}, "rules.y": {"rules.z"}}, []),
    ],
)
def test_an_import_that_goes_up_is_told_with_its_floors(modules: Imports, told: list[str]) -> None:
    assert wrong_ways(modules) == told


def test_a_circle_is_told_as_its_modules() -> None:
    found = circle({"net.a": {"net.b"}, "net.b": {"net.c"}, "net.c": {"net.a"}})
    assert found[0] == found[-1]
    assert set(found) == {"net.a", "net.b", "net.c"}
    rooms = by_room({"net.a": {"files.b"}, "files.c": {"net.d"}})
    assert set(circle(rooms)) == {"net", "files"}
    assert circle({"net.a": {"net.b"}, "net.b": {"errors"}}) == []


def test_all_names_the_public_names() -> None:
    # dir(): names that are made on first use count as well. Submodules appear once something has imported them.
    names = {name for name in dir(promfill) if not name.startswith("_")} - {"annotations", "TYPE_CHECKING"}
    public = {name for name in names if not inspect.ismodule(getattr(promfill, name))}
    assert public == set(promfill.__all__) - {"__version__"}
    assert len(promfill.__all__) == len(set(promfill.__all__))


@pytest.mark.parametrize("exported", promfill.__all__)
def test_every_exported_name_is_there(exported: str) -> None:
    assert getattr(promfill, exported) is not None
