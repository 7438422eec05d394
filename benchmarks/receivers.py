"""A VictoriaMetrics to send to, and who sends: promfill, the libraries of others, and the replay of ready requests."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import snappy

from benchmarks.matrix import flush
from benchmarks.processes import DAY, PROMFILL, ROOT, SIX_LABELS, START, STEP, Run, run_process, scenario
from benchmarks.stages import Clock, write_requests
from promfill.plan import Tile
from promfill.source import Source
from tests.support.servers import Server, start_victoriametrics
from tests.support.sources import source_of

PEERS = ROOT / "benchmarks" / "peers"
ENVIRONMENTS = ROOT / ".peers"
DAYS = 21
VM = "victoria-metrics"


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a side, and the bytes that it made."""

    run: Run
    made: int = 0


def has_environment(name: str) -> bool:
    """Whether `peers/install.sh` could make it."""
    return (ENVIRONMENTS / name / ".installed").exists()


def python_of(name: str) -> str:
    """The interpreter of a peer."""
    return str(ENVIRONMENTS / name / "bin" / "python")


@dataclass(frozen=True, slots=True)
class Library:
    """A remote-write client of others: its environment, its script here, and what that is told."""

    title: str
    environment: str
    script: str
    options: tuple[str, ...] = ()


WRITER = "prometheus-remote-writer"
BY_SERIES = Library(f"{WRITER}, whole series a request", "remote-writer", "send_remote_writer.py", ("series",))
BY_WINDOWS = Library(f"{WRITER}, a window of all series a request", "remote-writer", "send_remote_writer.py", ("time",))
OPENTELEMETRY = Library("opentelemetry-exporter-prometheus-remote-write", "opentelemetry", "send_opentelemetry.py")


class Receiver:
    """A VictoriaMetrics that takes stretch after stretch of time, each 21 days: none is sent twice."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._folder, self._stretch = server, folder, 0

    def push(self, series: int) -> Turn:
        """promfill."""
        where = ["--mode", "remote-write", "--remote-write-url", f"{self._server.url}/api/v1/write"]
        what = scenario(series, DAYS, self._next())
        run = run_process([*PROMFILL, "push", "--json", "--quiet", *where, *what], watch=True)
        self._settle()
        return Turn(run, int(json.loads(run.output)["bytes"]))

    def send(self, environment: str, script: str, series: int, *more: str) -> Turn:
        """A library of others, from values that are ready."""
        steps = DAYS * DAY // STEP
        values = self._folder / "values"
        source = source_of(SIX_LABELS.format(series), steps)
        source.batch(Tile(0, steps, 0, series)).values.T.tofile(values)
        what = [f"{self._server.url}/api/v1/write", str(values), str(series), str(steps), str(self._next()), *more]
        run = run_process([python_of(environment), str(PEERS / script), *what], watch=True)
        self._settle()
        return Turn(run)

    def replay(self, series: int) -> Turn:
        """The same requests as promfill's, made beforehand."""
        bodies = self._folder / "bodies"
        source = source_of(SIX_LABELS.format(series), DAYS * DAY // STEP, metric="vpn", start=self._next() * 1000)
        write_bodies(bodies, source)
        host = self._server.url.removeprefix("http://")
        run = run_process([sys.executable, PEERS / "replay.py", host, bodies], watch=True)
        self._settle()
        return Turn(run, bodies.stat().st_size)

    def _next(self) -> int:
        self._stretch += 1
        return START + (self._stretch - 1) * DAYS * DAY

    def _settle(self) -> None:
        """Let the server finish what it does in the background, so that no side pays for the one before."""
        flush(self._server)


def write_bodies(path: Path, source: Source) -> None:
    """The requests of a push, each behind its length."""
    with path.open("wb") as file:
        for message in write_requests(source, Clock()):
            body = snappy.compress(message)
            file.write(len(body).to_bytes(4, "little") + body)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A fresh one, warmed up by one push."""
    with tempfile.TemporaryDirectory() as folder, start_victoriametrics(Path(folder) / "data") as server:
        warm = Receiver(server, Path(folder))
        warm.push(100)
        yield warm
