"""Start-up: what `promfill --help` takes beside a bare Python. It is a third of a push of one series."""

from __future__ import annotations

import functools
from collections.abc import Iterable

from benchmarks.harness import Case, Ratio, main
from benchmarks.processes import NOTHING, PROMFILL, run_process


def cases(quick: bool) -> Iterable[Case]:
    """The wall time of --help, in bare Python starts."""
    help_text = functools.partial(run_process, [*PROMFILL, "--help"])
    nothing = functools.partial(run_process, NOTHING)
    yield Ratio("startup_help", help_text, nothing, of="time", seconds=3 if quick else 10)


if __name__ == "__main__":
    main(cases)
