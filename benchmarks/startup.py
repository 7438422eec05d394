"""Start-up: what `promfill --help` takes beside a bare Python. It is a third of a push of one series."""

from __future__ import annotations

import functools
import subprocess
import sys
from collections.abc import Iterable

from benchmarks.harness import Case, Ratio, main


def run_python(*args: str) -> None:
    """One run of this Python, its output thrown away."""
    subprocess.run([sys.executable, *args], check=True, stdout=subprocess.DEVNULL)


def cases(quick: bool) -> Iterable[Case]:
    """The wall time of --help, in bare Python starts."""
    help_text = functools.partial(run_python, "-m", "promfill", "--help")
    nothing = functools.partial(run_python, "-c", "pass")
    yield Ratio("startup_help", help_text, nothing, of="time", seconds=3 if quick else 10)


if __name__ == "__main__":
    main(cases)
