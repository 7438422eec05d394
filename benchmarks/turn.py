"""One turn of one side of `compare`, in a process of its own: `python -m benchmarks.turn [ROW]`.

Prints JSON: what the row took; without a row, the rows that exist. `compare` puts this module beside the benchmarks
of another commit, and it measures with those: so it uses little of them, and nothing that is new.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.processes import PROMFILL, push_command, run_process, samples_of, size_of
from benchmarks.stages import PUSHED
from benchmarks.whole import WHOLE


@dataclass(frozen=True, slots=True)
class Taken:
    """One turn of one commit."""

    seconds: float
    bytes: int
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Row:
    """A row to compare. needs: a program that is missing on this machine, or nothing."""

    samples: int
    take: Callable[[], Taken]
    needs: str = ""


def rows() -> dict[str, Row]:
    """The stages inside, then whole processes."""
    found = {stage.__name__: Row(samples_of(1_000, 21), inside(stage.__name__)) for stage in PUSHED}
    for mode, series, days in (
        ("blocks", 1, 21),
        ("blocks", 1_000, 21),
        ("blocks", 10_000, 7),
        ("openmetrics", 200, 21),
    ):
        found[f"push {mode} {series:,} x {days}d"] = Row(samples_of(series, days), pushed(mode, series, days))
    for stage, series, days in (
        ("create_blocks", 100, 7),
        ("verify_blocks", 1_000, 7),
        ("remote_write_prometheus", 1_000, 7),
        ("remote_write_victoriametrics", 1_000, 21),
        ("verify_prometheus", 1_000, 7),
        ("verify_victoriametrics", 1_000, 7),
    ):
        row = Row(samples_of(series, days), whole(stage, series, days), WHOLE[stage].missing)
        found[f"{stage} {series:,} x {days}d"] = row
    return found


def inside(stage: str) -> Callable[[], Taken]:
    """A stage, without start-up."""

    def take() -> Taken:
        said = json.loads(run_process([sys.executable, "-m", "benchmarks.stages", stage]).output)
        return Taken(said["seconds"], said["bytes"], said["peak_mb"])

    return take


def pushed(mode: str, series: int, days: int) -> Callable[[], Taken]:
    """A whole push."""

    def take() -> Taken:
        with tempfile.TemporaryDirectory() as folder:
            run = run_process(push_command(mode, Path(folder), series, days), watch=True)
            return Taken(run.seconds, size_of(Path(folder)), run.peak_mb)

    return take


def whole(stage: str, series: int, days: int) -> Callable[[], Taken]:
    """A stage that is a process; the same side's promfill prepares its input."""

    def take() -> Taken:
        with WHOLE[stage].job(series, days) as job:
            run = run_process([*PROMFILL, *job.arguments], watch=True)
            return Taken(run.seconds, job.made(run), run.peak_mb)

    return take


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure one row of this side once, or list its rows; print JSON.")
    parser.add_argument("row", nargs="?")
    asked = parser.parse_args().row
    known = rows()
    if asked is None:
        print(json.dumps({name: {"samples": row.samples, "needs": row.needs} for name, row in known.items()}))
    elif asked in known:
        print(json.dumps(asdict(known[asked].take())))
    else:
        parser.error(f"the row {asked!r} does not exist")


if __name__ == "__main__":
    main()
