"""How time and memory grow with the number of series and with the range: exponents of power laws.

    python -m benchmarks.growth

Time is that of a push into blocks in a process that has started (`stages.push_blocks`), memory that of a whole process.
All sizes are measured once a round, so that a machine that slows down slows all of them; `knees` explains the result.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.matrix import run_stage
from benchmarks.processes import push_command, run_process

SERIES = (100, 1_000, 10_000, 100_000)
WEEK = 7
DAYS = (7, 21, 91, 365)
THOUSAND = 1_000
TIME_ROUNDS = 5
MEMORY_ROUNDS = 3

Rounds = tuple[tuple[float, ...], ...]
"""A value for each size, in each round."""


@dataclass(frozen=True, slots=True)
class Step:
    """The exponent between two neighbouring sizes: the median of the rounds, and their least and most."""

    exponent: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class Growth:
    """What was measured at `sizes` (series or days): `rounds` in seconds or MB.

    cpu_rounds: CPU seconds, of time. fleet: MB of a process that holds the fleet and nothing else, of memory against
    series.
    """

    name: str
    size: str
    unit: str
    sizes: tuple[int, ...]
    rounds: Rounds
    cpu_rounds: Rounds = ()
    fleet: tuple[float, ...] = ()

    @property
    def title(self) -> str:
        """What grows, and with what."""
        return f"{self.name} against {self.size}"

    @property
    def values(self) -> list[float]:
        """The medians of the rounds."""
        return [statistics.median(taken) for taken in zip(*self.rounds, strict=True)]

    @property
    def exponent(self) -> float:
        """The exponent of the power law through the points, by least squares of the logarithms."""
        xs, ys = ([math.log(one) for one in side] for side in (self.sizes, self.values))
        return statistics.linear_regression(xs, ys).slope

    @property
    def steps(self) -> list[Step]:
        """From each size to the next: where they differ there is a knee."""
        return steps_of(self.sizes, self.rounds)

    @property
    def range(self) -> float:
        """By how much the largest value exceeds the smallest, as a share."""
        return max(self.values) / min(self.values) - 1


def steps_of(sizes: Sequence[int], rounds: Rounds) -> list[Step]:
    """The exponents between neighbours, each taken within a round."""
    found = []
    for place, (small, large) in enumerate(itertools.pairwise(sizes)):
        slopes = [math.log(taken[place + 1] / taken[place]) / math.log(large / small) for taken in rounds]
        found.append(Step(statistics.median(slopes), min(slopes), max(slopes)))
    return found


def read(known: dict[str, object]) -> Growth:
    """A `Growth` that was written as JSON."""
    return Growth(**known)  # type: ignore[arg-type]


def measure_all() -> Iterator[Growth]:
    """Time against series (7 days) and range (1,000 series), memory against both."""
    yield time_against("series", SERIES, [(series, WEEK) for series in SERIES])
    yield time_against("days", DAYS, [(THOUSAND, days) for days in DAYS])
    fleet = tuple(fleet_memory(series) for series in SERIES)
    yield memory_against("series", SERIES, [(series, WEEK) for series in SERIES], fleet)
    yield memory_against("days", DAYS, [(THOUSAND, days) for days in DAYS])


def time_against(size: str, sizes: tuple[int, ...], fleets: Sequence[tuple[int, int]]) -> Growth:
    """Pushes into blocks, without start-up."""
    said = [[json.loads(run_stage("push_blocks", *one).output) for one in fleets] for _ in range(TIME_ROUNDS)]
    wall, cpu = (tuple(tuple(one[key] for one in turn) for turn in said) for key in ("seconds", "cpu_seconds"))
    return Growth("time", size, "s", sizes, wall, cpu_rounds=cpu)


def memory_against(
    size: str, sizes: tuple[int, ...], fleets: Sequence[tuple[int, int]], fleet: tuple[float, ...] = ()
) -> Growth:
    """The peak memory of whole pushes, MB."""
    rounds = tuple(tuple(push_memory(*one) for one in fleets) for _ in range(MEMORY_ROUNDS))
    return Growth("memory", size, "MB", sizes, rounds, fleet=fleet)


def push_memory(series: int, days: int) -> float:
    """One push."""
    with tempfile.TemporaryDirectory() as folder:
        return run_process(push_command("blocks", Path(folder), series, days), watch=True).peak_mb


def fleet_memory(series: int) -> float:
    """A process that holds the fleet."""
    return float(json.loads(run_stage("fleet_index", series, 1, "--once").output)["peak_mb"])


def main() -> None:
    """All four, as JSON."""
    argparse.ArgumentParser(description="Measure how a push into blocks grows; print JSON.").parse_args()
    print(json.dumps([asdict(growth) for growth in measure_all()], indent=1))


if __name__ == "__main__":
    main()
