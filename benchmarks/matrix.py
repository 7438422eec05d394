"""Every stage over every fleet and range: series at 5m, 1 to 100,000 of them, 21 days to a year.

    python -m benchmarks.matrix blocks --series 1000 --days 21

measures one cell. Whole processes count with their start; the stages inside of them (`stages`) without. A cell with
more samples than its stage's cap is not run: what it would give follows from the growth of the others.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import PROMFILL, Run, push_command, run_process, samples_of, scenario, size_of
from benchmarks.profiles import HotSpots, profile_push
from benchmarks.stages import STAGES
from tests.support.servers import Server, start_prometheus, start_victoriametrics

SERIES = (1, 10, 100, 1_000, 10_000, 100_000)
RANGES = {"21 days": 21, "13 weeks": 91, "1 year": 365}
PROFILED = (1_000, 21)
SHORT = 1.0  # seconds: what takes less is run three times


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


@dataclass(frozen=True, slots=True)
class WholeStage:
    """A whole process: `run(series, days)` gives the run and the bytes it made; cells up to `cap` samples."""

    run: Callable[[int, int], tuple[Run, int]]
    profile: Callable[[int, int], HotSpots]
    cap: float


def blocks(series: int, days: int) -> tuple[Run, int]:
    """push --mode blocks."""
    return push_files("blocks", series, days)


def openmetrics(series: int, days: int) -> tuple[Run, int]:
    """push --mode openmetrics."""
    return push_files("openmetrics", series, days)


def push_files(mode: str, series: int, days: int) -> tuple[Run, int]:
    """A push into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        run = run_process(push_command(mode, Path(folder), series, days), watch=True)
        return run, size_of(Path(folder))


def create_blocks(series: int, days: int) -> tuple[Run, int]:
    """tsdb create-blocks-from openmetrics, blocks of 2h: of text that push wrote."""
    with tempfile.TemporaryDirectory() as folder:
        text = make_text(Path(folder), series, days)
        out = Path(folder) / "blocks"
        run = run_process([*PROMFILL, *from_text(text, out)], watch=True)
        return run, size_of(out)


def make_text(folder: Path, series: int, days: int) -> Path:
    """The OpenMetrics file of a fleet."""
    run_process(push_command("openmetrics", folder, series, days))
    return next(folder.glob("*.txt"))


def from_text(text: Path, out: Path) -> list[str]:
    """The arguments of create-blocks-from."""
    return ["tsdb", "create-blocks-from", "openmetrics", "-q", str(text), str(out)]


def verify_blocks(series: int, days: int) -> tuple[Run, int]:
    """verify --blocks, of what push wrote."""
    with tempfile.TemporaryDirectory() as folder:
        run_process(push_command("blocks", Path(folder), series, days))
        command = [*PROMFILL, "verify", "--quiet", *scenario(series, days), "--blocks", folder]
        return run_process(command, watch=True), size_of(Path(folder))


def remote_write(server: Server, series: int, days: int) -> list[str]:
    """The arguments of a push to a server."""
    where = ["--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write"]
    return ["push", "--json", "--quiet", *where, *scenario(series, days)]


def push_to(start: Callable[[Path], Server]) -> Callable[[int, int], tuple[Run, int]]:
    """push --mode remote-write into a fresh server; the bytes are those on the wire."""

    def run(series: int, days: int) -> tuple[Run, int]:
        with fresh(start) as server:
            taken = run_process([*PROMFILL, *remote_write(server, series, days)], watch=True)
            return taken, int(json.loads(taken.output)["bytes"])

    return run


def verify_in(start: Callable[[Path], Server]) -> Callable[[int, int], tuple[Run, int]]:
    """verify against a server that was pushed to before."""

    def run(series: int, days: int) -> tuple[Run, int]:
        with fresh(start) as server:
            run_process([*PROMFILL, *remote_write(server, series, days)])
            flush(server)
            return run_process([*PROMFILL, *verify(server, series, days)], watch=True), 0

    return run


def verify(server: Server, series: int, days: int) -> list[str]:
    """The arguments of verify."""
    return ["verify", "--quiet", *scenario(series, days), "--query-url", server.url]


def flush(server: Server) -> None:
    """Let VictoriaMetrics show what it has taken."""
    if server.name == "victoria-metrics":
        urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=60).close()


@contextmanager
def fresh(start: Callable[[Path], Server]) -> Iterator[Server]:
    """A server with no data."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder) / "data") as server:
        yield server


def profile_files(mode: str) -> Callable[[int, int], HotSpots]:
    """The profile of a push into files."""

    def run(series: int, days: int) -> HotSpots:
        with tempfile.TemporaryDirectory() as folder:
            return profile_push(push_command(mode, Path(folder), series, days)[len(PROMFILL) :])

    return run


def profile_create_blocks(series: int, days: int) -> HotSpots:
    """The profile of create-blocks-from."""
    with tempfile.TemporaryDirectory() as folder:
        return profile_push(from_text(make_text(Path(folder), series, days), Path(folder) / "blocks"))


def profile_verify_blocks(series: int, days: int) -> HotSpots:
    """The profile of verify --blocks."""
    with tempfile.TemporaryDirectory() as folder:
        run_process(push_command("blocks", Path(folder), series, days))
        return profile_push(["verify", "--quiet", *scenario(series, days), "--blocks", folder])


def profile_at(start: Callable[[Path], Server], checked: bool) -> Callable[[int, int], HotSpots]:
    """The profile of a push to a server, or of verify there."""

    def run(series: int, days: int) -> HotSpots:
        with fresh(start) as server:
            if not checked:
                return profile_push(remote_write(server, series, days))
            run_process([*PROMFILL, *remote_write(server, series, days)])
            flush(server)
            return profile_push(verify(server, series, days))

    return run


WHOLE: dict[str, WholeStage] = {
    "blocks": WholeStage(blocks, profile_files("blocks"), 1.1e8),
    "openmetrics": WholeStage(openmetrics, profile_files("openmetrics"), 3e7),
    "create_blocks": WholeStage(create_blocks, profile_create_blocks, 1.1e7),
    "remote_write_prometheus": WholeStage(push_to(start_prometheus), profile_at(start_prometheus, False), 3e7),
    "remote_write_victoriametrics": WholeStage(
        push_to(start_victoriametrics), profile_at(start_victoriametrics, False), 3e7
    ),
    "verify_blocks": WholeStage(verify_blocks, profile_verify_blocks, 3e7),
    "verify_prometheus": WholeStage(verify_in(start_prometheus), profile_at(start_prometheus, True), 3e7),
    "verify_victoriametrics": WholeStage(
        verify_in(start_victoriametrics), profile_at(start_victoriametrics, True), 3e7
    ),
}
INSIDE_CAP = 1.1e8
LARGE_CAP = 3e8  # with --large, for blocks and for the stages inside
NAMES = (*(name for name in STAGES if name != "push_blocks"), *WHOLE)


def cap_of(stage: str, large: bool) -> float:
    """The most samples of a cell that is run."""
    cap = WHOLE[stage].cap if stage in WHOLE else INSIDE_CAP
    return LARGE_CAP if large and cap >= INSIDE_CAP else cap


def measure(stage: str, series: int, days: int) -> Cell:
    """One cell. What breaks is told in its note: one broken cell must not hide the others."""
    try:
        return measure_whole(stage, series, days) if stage in WHOLE else measure_inside(stage, series, days)
    except Exception as error:
        return Cell(stage, series, days, samples_of(series, days), note=f"failed: {error}"[:300])


def measure_whole(stage: str, series: int, days: int) -> Cell:
    """A whole process, three times where it is short."""
    runs: list[Run] = []
    made = 0
    while not runs or (len(runs) < 3 and runs[0].seconds < SHORT):
        run, made = WHOLE[stage].run(series, days)
        runs.append(run)
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


def profile(stage: str) -> HotSpots:
    """What a profile says takes the stage's time, at 1,000 series and 21 days; empty where it fails."""
    try:
        if stage in WHOLE:
            return WHOLE[stage].profile(*PROFILED)
        spots: list[list[Any]] = json.loads(run_stage(stage, *PROFILED, "--profile").output)
        return [(str(name), float(share)) for name, share in spots]
    except Exception as error:
        print(f"no profile of {stage}: {error}", file=sys.stderr)
        return []


def measure_all(large: bool) -> Iterator[Cell]:
    """Every cell of every stage."""
    for stage in NAMES:
        for days in RANGES.values():
            for series in SERIES:
                samples = samples_of(series, days)
                if samples > cap_of(stage, large):
                    yield Cell(stage, series, days, samples, note="not run")
                else:
                    yield measure(stage, series, days)


def main() -> None:
    """One cell, as JSON."""
    parser = argparse.ArgumentParser(description="Measure one stage with one fleet over one range; print JSON.")
    parser.add_argument("stage", choices=NAMES)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--profile", action="store_true", help="and where the time goes, at 1,000 series x 21 days")
    options = parser.parse_args()
    result = asdict(measure(options.stage, options.series, options.days))
    if options.profile:
        result["limits"] = profile(options.stage)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
