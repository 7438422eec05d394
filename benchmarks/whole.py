"""The stages of `matrix` that are whole processes: what runs, and what must be prepared."""

from __future__ import annotations

import json
import shutil
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import PROMFILL, Run, push_command, run_process, scenario, size_of
from tests.support.servers import Server, start_prometheus, start_victoriametrics

BLOCKS_CAP = 3e8
CAP = 3e7  # for stages that go through text or a server


@dataclass(frozen=True, slots=True)
class Job:
    """The arguments of promfill, and how to count the bytes that a run made."""

    arguments: list[str]
    made: Callable[[Run], int]


@dataclass(frozen=True, slots=True)
class WholeStage:
    """`job(series, days)` prepares what one run needs, and removes it afterwards.

    cap: the most samples of a cell. needs: a program. repeats: whether a job may run again in the same place. profiled:
    the series and days of the profile, enough for more than start-up.
    """

    job: Callable[[int, int], AbstractContextManager[Job]]
    cap: float
    needs: str = ""
    repeats: bool = False
    profiled: tuple[int, int] = (1_000, 21)

    @property
    def missing(self) -> str:
        """The needed program that is missing on this machine, or nothing."""
        return self.needs if self.needs and not shutil.which(self.needs) else ""


def push_files(mode: str) -> Callable[[int, int], AbstractContextManager[Job]]:
    """A push into an empty folder."""

    @contextmanager
    def job(series: int, days: int) -> Iterator[Job]:
        with tempfile.TemporaryDirectory() as folder:
            command = push_command(mode, Path(folder), series, days)
            yield Job(command[len(PROMFILL) :], lambda run: size_of(Path(folder)))

    return job


@contextmanager
def create_blocks(series: int, days: int) -> Iterator[Job]:
    """tsdb create-blocks-from openmetrics, blocks of 2h, from text that push wrote."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "blocks"
        yield Job(from_text(make_text(Path(folder), series, days), out), lambda run: size_of(out))


def make_text(folder: Path, series: int, days: int) -> Path:
    """The OpenMetrics file of a fleet."""
    run_process(push_command("openmetrics", folder, series, days))
    return next(folder.glob("*.txt"))


def from_text(text: Path, out: Path) -> list[str]:
    """The arguments of create-blocks-from."""
    return ["tsdb", "create-blocks-from", "openmetrics", "-q", str(text), str(out)]


@contextmanager
def verify_blocks(series: int, days: int) -> Iterator[Job]:
    """verify --blocks, on what push wrote."""
    with tempfile.TemporaryDirectory() as folder:
        run_process(push_command("blocks", Path(folder), series, days))
        made = size_of(Path(folder))
        yield Job(["verify", "--quiet", *scenario(series, days), "--blocks", folder], lambda run: made)


def push_to(start: Callable[[Path], Server]) -> Callable[[int, int], AbstractContextManager[Job]]:
    """push --mode remote-write into a fresh server; counts the bytes on the wire."""

    @contextmanager
    def job(series: int, days: int) -> Iterator[Job]:
        with fresh(start) as server:
            yield Job(remote_write(server, series, days), lambda run: int(json.loads(run.output)["bytes"]))

    return job


def verify_in(start: Callable[[Path], Server]) -> Callable[[int, int], AbstractContextManager[Job]]:
    """verify against a server that already holds the push."""

    @contextmanager
    def job(series: int, days: int) -> Iterator[Job]:
        with fresh(start) as server:
            run_process([*PROMFILL, *remote_write(server, series, days)])
            flush(server)
            yield Job(["verify", "--quiet", *scenario(series, days), "--query-url", server.url], lambda run: 0)

    return job


def remote_write(server: Server, series: int, days: int, start: int | None = None) -> list[str]:
    """The arguments of a push to a server."""
    what = scenario(series, days) if start is None else scenario(series, days, start)
    where = ["--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write"]
    return ["push", "--json", "--quiet", *where, *what]


def flush(server: Server) -> None:
    """Make VictoriaMetrics show what it has accepted."""
    if server.name == "victoria-metrics":
        urllib.request.urlopen(f"{server.url}/internal/force_flush", timeout=60).close()


@contextmanager
def fresh(start: Callable[[Path], Server]) -> Iterator[Server]:
    """A server with no data."""
    with tempfile.TemporaryDirectory() as folder, start(Path(folder) / "data") as server:
        yield server


WHOLE: dict[str, WholeStage] = {
    "blocks": WholeStage(push_files("blocks"), BLOCKS_CAP, profiled=(10_000, 21)),
    "openmetrics": WholeStage(push_files("openmetrics"), CAP),
    "create_blocks": WholeStage(create_blocks, CAP),
    "remote_write_prometheus": WholeStage(push_to(start_prometheus), CAP, "prometheus"),
    "remote_write_victoriametrics": WholeStage(push_to(start_victoriametrics), CAP, "victoria-metrics"),
    "verify_blocks": WholeStage(verify_blocks, CAP, repeats=True),
    "verify_prometheus": WholeStage(verify_in(start_prometheus), CAP, "prometheus", repeats=True),
    "verify_victoriametrics": WholeStage(verify_in(start_victoriametrics), CAP, "victoria-metrics", repeats=True),
}
