"""Every stage over every fleet and range: series at 5m, 1 to 100,000 of them, 21 days to a year.

    python -m benchmarks.matrix blocks --series 1000 --days 21

measures one cell. Whole processes (`whole`) count with their start-up; the stages inside them (`stages`) without. A
cell with more samples than its stage's cap is not run: its figures follow from the growth of the others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from benchmarks.harness import failure_told
from benchmarks.processes import PROMFILL, Run, run_process, samples_of
from benchmarks.profiles import Profile, limit_of, profile_command
from benchmarks.stages import PUSHED
from benchmarks.whole import BLOCKS_CAP, CAP, WHOLE

SERIES = (1, 10, 100, 1_000, 10_000, 100_000)
RANGES = {"21 days": 21, "13 weeks": 91, "1 year": 365}
PROFILED = (1_000, 21)
SHORT = 2.0  # seconds: shorter runs are repeated three times
NOT_RUN = "not run"
FAILED = "failed: "
NAMES = (*(stage.__name__ for stage in PUSHED), *WHOLE)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one stage took: medians where it ran several times. `note` is empty, or says why there are no figures."""

    stage: str
    series: int
    days: int
    samples: int
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    samples_per_second: float = 0.0
    bytes_per_sample: float = 0.0
    peak_mb: float = 0.0
    runs: int = 0
    note: str = ""


def cap_of(stage: str) -> float:
    """The most samples of a cell that is run: fewer for stages that go through text or a server."""
    if stage in WHOLE:
        return WHOLE[stage].cap
    return CAP if stage == "openmetrics_text" else BLOCKS_CAP


def measure(stage: str, series: int, days: int) -> Cell:
    """One cell. If something breaks, or is missing, the cell's note says so."""
    failures: list[str] = []
    if stage in WHOLE and (program := WHOLE[stage].missing):
        return without_figures(stage, series, days, f"missing: {program} is not on this machine")
    with failure_told(failures, ""):
        return measure_whole(stage, series, days) if stage in WHOLE else measure_inside(stage, series, days)
    return without_figures(stage, series, days, FAILED + failures[0])


def without_figures(stage: str, series: int, days: int, note: str) -> Cell:
    """A cell without figures."""
    return Cell(stage, series, days, samples_of(series, days), note=note)


def measure_whole(stage: str, series: int, days: int) -> Cell:
    """A whole process, three times if it is short: each time from scratch, if a run leaves something behind."""
    runs: list[Run] = []
    with ExitStack() as stack:
        while not runs or (len(runs) < 3 and runs[0].seconds < SHORT):
            if not (runs and WHOLE[stage].repeats):
                stack.close()
                job = stack.enter_context(WHOLE[stage].job(series, days))
            runs.append(run_process([*PROMFILL, *job.arguments], watch=True))
            made = job.made(runs[-1])
    return cell_of(
        stage,
        series,
        days,
        seconds=statistics.median(run.seconds for run in runs),
        cpu_seconds=statistics.median(run.cpu_seconds for run in runs),
        peak_mb=max(run.peak_mb for run in runs),
        made=made,
        runs=len(runs),
    )


def measure_inside(stage: str, series: int, days: int) -> Cell:
    """A stage inside, in a process of its own."""
    taken = json.loads(run_stage(stage, series, days).output)
    return cell_of(
        stage,
        series,
        days,
        seconds=taken["seconds"],
        cpu_seconds=taken["cpu_seconds"],
        peak_mb=taken["peak_mb"],
        made=taken["bytes"],
        runs=taken["passes"],
    )


def run_stage(stage: str, series: int, days: int, *more: str) -> Run:
    """`python -m benchmarks.stages`."""
    where = ["--series", str(series), "--days", str(days)]
    return run_process([sys.executable, "-m", "benchmarks.stages", stage, *where, *more])


def cell_of(
    stage: str, series: int, days: int, *, seconds: float, cpu_seconds: float, peak_mb: float, made: int, runs: int
) -> Cell:
    """A cell with its rates."""
    samples = samples_of(series, days)
    return Cell(stage, series, days, samples, seconds, cpu_seconds, samples / seconds, made / samples, peak_mb, runs)


def profile(stage: str) -> Profile:
    """Where the stage's time goes, at 1,000 series and 21 days, or at the size given in `WHOLE`."""
    if stage not in WHOLE:
        return Profile(**json.loads(run_stage(stage, *PROFILED, "--profile").output))
    with WHOLE[stage].job(*WHOLE[stage].profiled) as job:
        return profile_command(job.arguments)


def limits_of(stage: str, kinds: Mapping[str, float]) -> str:
    """What limits a stage, in a sentence."""
    return limit_of(kinds, server=stage in WHOLE and bool(WHOLE[stage].needs))


def measure_stage(stage: str) -> Iterator[Cell]:
    """Every cell of a stage."""
    for days in RANGES.values():
        for series in SERIES:
            allowed = samples_of(series, days) <= cap_of(stage)
            yield measure(stage, series, days) if allowed else without_figures(stage, series, days, NOT_RUN)


def failures_of(cells: Iterable[dict[str, object]]) -> list[str]:
    """A line for each cell that broke."""
    return [
        f"{cell['stage']}, {cell['series']} series x {cell['days']} days {cell['note']}"
        for cell in cells
        if str(cell["note"]).startswith(FAILED)
    ]


def main() -> None:
    """One cell, as JSON."""
    parser = argparse.ArgumentParser(description="Measure one stage with one fleet over one range; print JSON.")
    parser.add_argument("stage", choices=NAMES)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--profile", action="store_true", help="and what limits it")
    options = parser.parse_args()
    cell = asdict(measure(options.stage, options.series, options.days))
    if options.profile:
        found = profile(options.stage)
        cell |= {"profile": asdict(found), "limits": limits_of(options.stage, found.kinds)}
    print(json.dumps(cell, indent=1))
    sys.exit(bool(failures_of([cell])))


if __name__ == "__main__":
    main()
