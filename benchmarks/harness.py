"""Time a case against its peer, turn by turn; print a table; compare the figures with their limits."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import statistics
import sys
import time
import timeit
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn, Protocol

import promfill
from benchmarks.limits import Limit, read_limits

SHORTEST_TURN = 0.02  # seconds: shorter runs are repeated, so that the clock and a passing interrupt weigh little


@dataclass(frozen=True, slots=True)
class Result:
    """One figure. `rate` is in samples/s, 0 if it is meaningless; `spread` is the quartiles' distance / median."""

    case: str
    value: float
    unit: str
    rate: float = 0.0
    spread: float = 0.0
    details: dict[str, float] = field(default_factory=dict)


class Case(Protocol):
    """An item of a module's ``cases(quick)``: something with a name that gives one figure."""

    @property
    def name(self) -> str:
        """The case's table in floors.toml."""

    def measure(self) -> Result:
        """Run it."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """`run` against `peer`: the median of the ratios of adjacent turns, which slow together when the machine slows.

    The value is how many times as fast as the peer the case is: rates by `samples` and `peer_samples` (0: as many).
    With ``of="time"`` it is how many times as long one run takes as one of the peer's, for as many samples.
    """

    name: str
    run: Callable[[], object]
    peer: Callable[[], object]
    samples: int = 0
    peer_samples: int = 0
    of: str = "speed"
    seconds: float = 2.0

    def measure(self) -> Result:
        """Take turns for about `seconds`, five at least."""
        turns = list(take_turns(self.run, self.peer, self.seconds))
        return compare(self.name, turns, self.samples, self.peer_samples, self.of)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure that needs no peer: bytes per sample, or MB of `processes.run_process`."""

    name: str
    unit: str
    take: Callable[[], float]

    def measure(self) -> Result:
        """Take it."""
        return Result(self.name, self.take(), self.unit)


def compare(
    name: str, turns: Sequence[tuple[float, float]], samples: int = 0, peer_samples: int = 0, of: str = "speed"
) -> Result:
    """The figure of a `Ratio` from its turns: (seconds of a run, seconds of a peer's run) each."""
    work = samples / peer_samples if peer_samples else 1.0
    ratios = [own / other / work if of == "time" else other / own * work for own, other in turns]
    own, other = (statistics.median(side) for side in zip(*turns, strict=True))
    return Result(
        name,
        statistics.median(ratios),
        f"x peer's {of}",
        rate=samples / own,
        spread=spread(ratios),
        details={"seconds": own, "peer_seconds": other, "turns": len(turns)},
    )


def take_turns(run: Callable[[], object], peer: Callable[[], object], seconds: float) -> Iterator[tuple[float, float]]:
    """(seconds of a run, seconds of a peer's run), one after the other; they take turns to begin."""
    timers = [timeit.Timer(run), timeit.Timer(peer)]
    repeats = [max(1, round(SHORTEST_TURN / max(timer.timeit(1), 1e-9))) for timer in timers]
    deadline = time.perf_counter() + seconds
    for turn in itertools.count():
        if turn >= 5 and time.perf_counter() > deadline:
            return
        taken = [0.0, 0.0]
        for side in (turn % 2, 1 - turn % 2):
            taken[side] = timers[side].timeit(repeats[side]) / repeats[side]
        yield taken[0], taken[1]


def spread(values: Sequence[float]) -> float:
    """The distance of the quartiles as a share of the median."""
    lower, middle, upper = statistics.quantiles(values, n=4)
    return (upper - lower) / middle


def measure(case: Case, limit: Limit | None) -> Result:
    """The case's result. If it misses its limit it is measured again, since machines are shared; the better counts."""
    result = case.measure()
    if limit is None or limit.holds(result.value):
        return result
    better = max if limit.kind == "floor" else min
    return better(result, case.measure(), key=lambda one: one.value)


def run_cases(cases: Iterable[Case], limits: Mapping[str, Limit]) -> tuple[list[Result], list[str]]:
    """The results, printed as they come, and a line for each case that missed its limit or broke."""
    results: list[Result] = []
    failures: list[str] = []
    print(HEADER)
    for case in cases:
        limit = limits.get(case.name)
        with failure_told(failures, f"{case.name} failed: "):
            result = measure(case, limit)
            results.append(result)
            print(row(result, limit), flush=True)
            if limit and not limit.holds(result.value):
                failures.append(f"{case.name}: {limit.verdict(result.value, result.unit)}")
    return results, failures


@contextlib.contextmanager
def failure_told(failures: list[str], beginning: str) -> Iterator[None]:
    """Turn an exception inside into a line of `failures`: one broken case must not hide the others.

    That is any BaseException: the tests' servers fail with pytest's outcomes, which are not Exceptions.
    """
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        failures.append(f"{beginning}{type(error).__name__}: {error}"[:300])
        print(failures[-1], file=sys.stderr, flush=True)


HEADER = f"{'case':<34} {'figure':>9} {'':<16} {'M samples/s':>11} {'spread':>7}  limit"


def row(result: Result, limit: Limit | None) -> str:
    """One line of the table."""
    rate = f"{result.rate / 1e6:.1f}" if result.rate else ""
    noise = f"{result.spread:.0%}" if result.spread else ""
    return f"{result.case:<34} {result.value:>9.4g} {result.unit:<16} {rate:>11} {noise:>7}  {limit or 'none'}"


def machine() -> dict[str, Any]:
    """The machine that the figures are measured on."""
    return {
        "cpu": cpu_model(),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "numpy": metadata.version("numpy"),
        "promfill": promfill.__version__,
    }


def cpu_model() -> str:
    """The processor's name, if the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()


def write_json(path: Path, results: Iterable[Result], quick: bool) -> None:
    """The figures, and the machine."""
    path.parent.mkdir(parents=True, exist_ok=True)
    report = {**machine(), "quick": quick, "results": [asdict(result) for result in results]}
    path.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def main(
    cases: Callable[[bool], Iterable[Case]],
    *,
    whole: bool = False,
    cell: Callable[[int, int], Iterable[Case]] | None = None,
    argv: Sequence[str] | None = None,
) -> NoReturn:
    """The command line of one benchmark module, or (`whole`) of all. Exit code 1 if a case missed its limit or broke.

    `cell`, if given, returns the cases of another fleet and range: ``--series 1000 --days 21``.
    """
    parser = argparse.ArgumentParser(description="Measure, print a table, and hold it against benchmarks/floors.toml.")
    parser.add_argument("--quick", action="store_true", help="the short form that CI runs")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    if cell:
        parser.add_argument("--series", type=int, help="another fleet, without limits")
        parser.add_argument("--days", type=int, default=21, help="and range")
    options = parser.parse_args(argv)
    limits = read_limits()
    wanted = cell(options.series, options.days) if cell and options.series else cases(options.quick)
    print(", ".join(f"{key} {value}" for key, value in machine().items()))
    results, failures = run_cases(wanted, limits)
    if whole and not options.quick:
        lost = sorted(limits.keys() - {result.case for result in results})
        failures += [f"{case} has a {limits[case].kind}, and gave no figure" for case in lost]
    if options.json:
        write_json(options.json, results, options.quick)
    for failure in failures:
        print(failure, file=sys.stderr)
    sys.exit(1 if failures else 0)
