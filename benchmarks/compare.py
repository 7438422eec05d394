"""Two commits, turn by turn: `make bench-compare BASE=main~5`, or `python -m benchmarks.compare main~5`.

Each side is measured by its own benchmarks, so that these may follow what they import. A row that cannot run on either
side is a failure: it is named with the reason, the other rows are measured, and the exit code is 1. To leave out a row
that is new or removed on purpose, name it: --skip.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.comparison import extent
from benchmarks.processes import ROOT, run_process
from benchmarks.turn import Taken

OURS = "this checkout"
LAID_OUT = ("promfill", "benchmarks", "tests/support")
"""What a side needs from its commit."""
TURN = "benchmarks/turn.py"
"""Drives the benchmarks of either side; always taken from this checkout."""


class CannotRunError(RuntimeError):
    """A side cannot run a row; the text says why."""


@dataclass(frozen=True, slots=True)
class Side:
    """A commit unpacked in a folder."""

    name: str
    root: Path

    def rows(self) -> dict[str, dict[str, Any]]:
        """Every row of its benchmarks: `samples`, and `needs`, a program that is missing on this machine."""
        listed: dict[str, dict[str, Any]] = self._said()
        return listed

    def take(self, row: str) -> Taken:
        """One turn. CannotRunError if it fails."""
        return Taken(**self._said(row))

    def _said(self, *words: str) -> Any:
        command = [sys.executable, "-m", "benchmarks.turn", *words]
        try:
            return json.loads(run_process(command, env={"PYTHONPATH": str(self.root)}).output)
        except (RuntimeError, ValueError) as error:
            lines = [line for line in str(error).splitlines() if line.strip()]
            raise CannotRunError(f"cannot run on {self.name}: {lines[-1].strip()}") from error


@contextmanager
def laid_out(base: str) -> Iterator[Path]:
    """A folder with the base's promfill and its benchmarks."""
    archive = subprocess.run(["git", "archive", base, *LAID_OUT], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(f"{base}: {archive.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        shutil.copy(ROOT / TURN, Path(folder) / TURN)
        yield Path(folder)


def compare(row: str, samples: int, sides: tuple[Side, Side], turns: int) -> str:
    """One line of the table: the second side against the first; they take turns to begin."""
    base, ours = sides
    pairs = []
    for turn in range(turns):
        if turn % 2:
            now = ours.take(row)
            before = base.take(row)
        else:
            before = base.take(row)
            now = ours.take(row)
        pairs.append((before, now))
    ratios = [before.seconds / now.seconds for before, now in pairs]
    rates = [samples / statistics.median(side[which].seconds for side in pairs) / 1e6 for which in (0, 1)]
    (before, now) = pairs[-1]
    size = f"{now.bytes / before.bytes:8.3f}" if before.bytes else " " * 8
    memory = now.peak_mb / before.peak_mb
    speed = statistics.median(ratios)
    return f"{row:<44} {rates[0]:9.2f} {rates[1]:9.2f} {speed:7.3f} {extent(ratios):7.0%} {size} {memory:8.3f}"


def compare_all(
    sides: tuple[Side, Side],
    turns: int,
    wanted: Callable[[str], bool] = lambda row: True,
    say: Callable[[str], None] = print,
) -> list[str]:
    """Print a line for each row, including rows of one side only; return the rows not compared, and why."""
    known = [side.rows() for side in sides]
    every = list(dict.fromkeys(row for rows in reversed(known) for row in rows))
    failures = []
    for row in filter(wanted, every):
        try:
            _check_there(row, sides, known)
            say(compare(row, known[1][row]["samples"], sides, turns))
        except CannotRunError as error:
            failures.append(f"{row}: {error}")
            say(f"{row:<44} {error}")
    if not any(map(wanted, every)):
        failures.append("no row has such a name: leave out --only to see all rows")
    return failures


def _check_there(row: str, sides: Sequence[Side], known: Sequence[dict[str, dict[str, Any]]]) -> None:
    for side, rows in zip(sides, known, strict=True):
        if row not in rows:
            raise CannotRunError(f"cannot run on {side.name}: its benchmarks have no such row")
        if rows[row]["needs"]:
            raise CannotRunError(f"cannot run on {side.name}: it needs {rows[row]['needs']}, which is missing")


def main() -> None:
    """Print the table; exit code 1 if a row could not be compared."""
    parser = argparse.ArgumentParser(description="Measure this checkout beside another commit, turn by turn.")
    parser.add_argument("base", help="a commit, such as main~5")
    parser.add_argument("--turns", type=int, default=5, help="at least 2")
    parser.add_argument("--only", default="", help="names that begin so")
    parser.add_argument("--skip", action="append", default=[], help="leave out names that begin so; may be repeated")
    options = parser.parse_args()

    def wanted(row: str) -> bool:
        return row.startswith(options.only) and not row.startswith(tuple(options.skip))

    with laid_out(options.base) as folder:
        sides = Side(options.base, folder), Side(OURS, ROOT)
        print(f"{'':<44} {'base M/s':>9} {'now M/s':>9} {'speed':>7} {'extent':>7} {'bytes':>8} {'memory':>8}")
        try:
            failures = compare_all(sides, max(2, options.turns), wanted, lambda line: print(line, flush=True))
        except CannotRunError as error:
            failures = [str(error)]
    for failure in failures:
        print(f"not compared: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
