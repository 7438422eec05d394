"""Run the cases of every module in this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

import benchmarks
from benchmarks.harness import Case, main


def all_cases(quick: bool) -> Iterator[Case]:
    """The cases of all modules that have some, in the order of their names; each module is imported at its turn."""
    for name in sorted(info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name != "__main__"):
        try:
            module = importlib.import_module(f"benchmarks.{name}")
            yield from module.cases(quick) if hasattr(module, "cases") else ()
        except Exception as error:  # a module that cannot be prepared must not hide the others
            yield Broken(name, error)


@dataclass(frozen=True, slots=True)
class Broken:
    """A module that broke before its last case."""

    name: str
    error: Exception

    def measure(self) -> NoReturn:
        """Raise what it raised."""
        raise self.error


if __name__ == "__main__":
    main(all_cases, whole=True)
