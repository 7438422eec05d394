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
    """The cases of the modules that have some, in the order of their names; each is imported when its turn comes."""
    for name in sorted(info.name for info in pkgutil.iter_modules(benchmarks.__path__) if info.name != "__main__"):
        try:
            module = importlib.import_module(f"benchmarks.{name}")
            yield from module.cases(quick) if hasattr(module, "cases") else ()
        except Exception as error:  # what cannot even be made ready must not hide the other modules
            yield Broken(name, error)


@dataclass(frozen=True, slots=True)
class Broken:
    """A module that did not come to its end."""

    name: str
    error: Exception

    def measure(self) -> NoReturn:
        """Raise what it raised."""
        raise self.error


if __name__ == "__main__":
    main(all_cases, whole=True)
