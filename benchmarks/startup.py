"""Start-up: the time of `promfill --help` and `import promfill` against a bare Python."""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterable

from benchmarks.harness import Case, Ratio, main
from benchmarks.processes import NOTHING, PROMFILL, run_process


def cases(quick: bool) -> Iterable[Case]:
    """The wall times of --help, a third of a push of one series, and of the import, in bare Python starts."""
    help_text = functools.partial(run_process, [*PROMFILL, "--help"])
    nothing = functools.partial(run_process, NOTHING)
    imported = functools.partial(run_process, [sys.executable, "-c", "import promfill"])
    yield Ratio("startup_help", help_text, nothing, of="time", seconds=3 if quick else 10)
    yield Ratio("import_promfill", imported, nothing, of="time", seconds=3 if quick else 10)


if __name__ == "__main__":
    main(cases)
