"""Two commits, turn by turn: `make bench-compare BASE=main~5`, or `python -m benchmarks.compare main~5`.

The base's promfill is laid beside this checkout's benchmarks, so that both are measured by the same code. A stage that
cannot run with the base's interfaces is named, and left out.
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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from benchmarks.comparison import extent
from benchmarks.processes import PROMFILL, ROOT, push_command, run_process, samples_of, size_of
from benchmarks.stages import PUSHED
from benchmarks.whole import WHOLE


@dataclass(frozen=True, slots=True)
class Taken:
    """One turn of one commit."""

    seconds: float
    bytes: int
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Measure:
    """What is compared: `take` runs it with the promfill of a folder."""

    name: str
    samples: int
    take: Callable[[Path], Taken]


def measures() -> Iterator[Measure]:
    """The stages inside, then whole processes."""
    for name in (stage.__name__ for stage in PUSHED):
        yield Measure(name, samples_of(1_000, 21), inside(name))
    for mode, series, days in (
        ("blocks", 1, 21),
        ("blocks", 1_000, 21),
        ("blocks", 10_000, 7),
        ("openmetrics", 200, 21),
    ):
        yield Measure(f"push {mode} {series:,} x {days}d", samples_of(series, days), pushed(mode, series, days))
    for stage, series, days in (
        ("create_blocks", 100, 7),
        ("verify_blocks", 1_000, 7),
        ("remote_write_prometheus", 1_000, 7),
        ("remote_write_victoriametrics", 1_000, 21),
        ("verify_prometheus", 1_000, 7),
        ("verify_victoriametrics", 1_000, 7),
    ):
        if not WHOLE[stage].missing:
            yield Measure(f"{stage} {series:,} x {days}d", samples_of(series, days), whole(stage, series, days))


def inside(stage: str) -> Callable[[Path], Taken]:
    """A stage, start-up left out."""

    def take(root: Path) -> Taken:
        command = [sys.executable, "-m", "benchmarks.stages", stage]
        said = json.loads(run_process(command, env={"PYTHONPATH": str(root)}).output)
        return Taken(said["seconds"], said["bytes"], said["peak_mb"])

    return take


def pushed(mode: str, series: int, days: int) -> Callable[[Path], Taken]:
    """A whole push."""

    def take(root: Path) -> Taken:
        with tempfile.TemporaryDirectory() as folder:
            command = push_command(mode, Path(folder), series, days)
            run = run_process(command, env={"PYTHONPATH": str(root)}, watch=True)
            return Taken(run.seconds, size_of(Path(folder)), run.peak_mb)

    return take


def whole(stage: str, series: int, days: int) -> Callable[[Path], Taken]:
    """A stage that is a process; what has to be there before is made by this checkout's promfill, for either side."""

    def take(root: Path) -> Taken:
        with WHOLE[stage].job(series, days) as job:
            run = run_process([*PROMFILL, *job.arguments], env={"PYTHONPATH": str(root)}, watch=True)
            return Taken(run.seconds, job.made(run), run.peak_mb)

    return take


@contextmanager
def laid_out(base: str) -> Iterator[Path]:
    """A folder with the base's promfill, and this checkout's benchmarks."""
    archive = subprocess.run(["git", "archive", base, "promfill"], cwd=ROOT, capture_output=True, check=False)
    if archive.returncode:
        raise SystemExit(f"{base}: {archive.stderr.decode().strip()}")
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(fileobj=BytesIO(archive.stdout)) as tar:
            tar.extractall(folder, filter="data")
        for name in ("benchmarks", "tests/support"):
            shutil.copytree(ROOT / name, Path(folder) / name)
        yield Path(folder)


def compare(measure: Measure, base: Path, turns: int) -> str:
    """One line of the table: this checkout beside the base, who begins alternates."""
    pairs = []
    for turn in range(turns):
        if turn % 2:
            now = measure.take(ROOT)
            before = measure.take(base)
        else:
            before = measure.take(base)
            now = measure.take(ROOT)
        pairs.append((before, now))
    ratios = [before.seconds / now.seconds for before, now in pairs]
    rates = [measure.samples / statistics.median(side[which].seconds for side in pairs) / 1e6 for which in (0, 1)]
    (before, now) = pairs[-1]
    size = f"{now.bytes / before.bytes:8.3f}" if before.bytes else " " * 8
    memory = now.peak_mb / before.peak_mb
    speed = statistics.median(ratios)
    return f"{measure.name:<44} {rates[0]:9.2f} {rates[1]:9.2f} {speed:7.3f} {extent(ratios):7.0%} {size} {memory:8.3f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure this checkout beside another commit, turn by turn.")
    parser.add_argument("base", help="a commit, such as main~5")
    parser.add_argument("--turns", type=int, default=5, help="at least 2")
    parser.add_argument("--only", default="", help="names that begin so")
    options = parser.parse_args()
    with laid_out(options.base) as base:
        print(f"{'':<44} {'base M/s':>9} {'now M/s':>9} {'speed':>7} {'extent':>7} {'bytes':>8} {'memory':>8}")
        for measure in measures():
            if not measure.name.startswith(options.only):
                continue
            try:
                print(compare(measure, base, max(2, options.turns)), flush=True)
            except RuntimeError as error:
                print(f"{measure.name:<44} cannot run: {str(error).splitlines()[-1]}")


if __name__ == "__main__":
    main()
