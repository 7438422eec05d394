"""How time and memory grow with the number of series and with the range: exponents of power laws.

    python -m benchmarks.growth

Time is a push into blocks in a process that has started (`stages.push_blocks`), memory that of a whole process.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from benchmarks.matrix import run_stage
from benchmarks.processes import push_command, run_process

SERIES = (100, 1_000, 10_000, 100_000)
WEEK = 7
DAYS = (7, 21, 91, 365)
THOUSAND = 1_000


@dataclass(frozen=True, slots=True)
class Growth:
    """`values` (seconds or MB) at `sizes` (series or days); `exponent` is the slope between their logarithms."""

    name: str
    size: str
    unit: str
    sizes: tuple[int, ...]
    values: tuple[float, ...]
    exponent: float

    @property
    def local_exponents(self) -> list[float]:
        """The slope between each size and the next: where they differ there is a knee."""
        return [float(slope) for slope in np.diff(np.log(self.values)) / np.diff(np.log(self.sizes))]

    @property
    def range(self) -> float:
        """By how much the largest value exceeds the smallest, as a share."""
        return max(self.values) / min(self.values) - 1


def fitted(name: str, size: str, unit: str, sizes: Sequence[int], values: Sequence[float]) -> Growth:
    """The power law through the points, by least squares of the logarithms."""
    slope = float(np.polyfit(np.log(sizes), np.log(values), 1)[0])
    return Growth(name, size, unit, tuple(sizes), tuple(values), slope)


def push_seconds(series: int, days: int) -> float:
    """A push into blocks, start-up taken off: the median of five, or fewer where it is long."""
    taken: list[float] = []
    while len(taken) < 5 and sum(taken) < 5:
        taken.append(json.loads(run_stage("push_blocks", series, days).output)["seconds"])
    return statistics.median(taken)


def push_memory(series: int, days: int) -> float:
    """The most that a whole push holds, MB."""
    with tempfile.TemporaryDirectory() as folder:
        return run_process(push_command("blocks", Path(folder), series, days), watch=True).peak_mb


def measure_all() -> list[Growth]:
    """Time against series (7 days) and range (1,000 series), memory against both."""
    found = []
    kinds: tuple[tuple[str, str, Callable[[int, int], float]], ...] = (
        ("time", "s", push_seconds),
        ("memory", "MB", push_memory),
    )
    for name, unit, take in kinds:
        found.append(fitted(name, "series", unit, SERIES, [take(series, WEEK) for series in SERIES]))
        found.append(fitted(name, "days", unit, DAYS, [take(THOUSAND, days) for days in DAYS]))
    return found


def main() -> None:
    """All four, as JSON."""
    argparse.ArgumentParser(description="Fit how a push into blocks grows; print JSON.").parse_args()
    print(json.dumps([asdict(growth) for growth in measure_all()], indent=1))


if __name__ == "__main__":
    main()
