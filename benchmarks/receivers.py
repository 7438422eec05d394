"""A server to send to, and its senders: promfill, other libraries, and the replay of ready-made requests."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.processes import DAY, PROMFILL, ROOT, SIX_LABELS, START, STEP, Run, run_process
from benchmarks.stages import plan_of
from benchmarks.whole import flush, remote_write
from promfill.model.grid import Tile
from promfill.sinks.remote_write.messages import MessageMaker
from promfill.sources.generated import Source
from tests.support.servers import Server, start_prometheus, start_victoriametrics
from tests.support.sources import source_of

PEERS = ROOT / "benchmarks" / "peers"
ENVIRONMENTS = ROOT / ".peers"
DAYS = 21
VM = "victoria-metrics"
PROMETHEUS = "prometheus"
STARTS: dict[str, Callable[[Path], Server]] = {VM: start_victoriametrics, PROMETHEUS: start_prometheus}


@dataclass(frozen=True, slots=True)
class Turn:
    """One run of a side, the bytes that it made, and its seconds without start-up, if it tells them (else 0)."""

    run: Run
    made: int = 0
    started_seconds: float = 0.0


def has_environment(name: str) -> bool:
    """Whether `peers/install.sh` could install it."""
    return (ENVIRONMENTS / name / ".installed").exists()


def python_of(name: str) -> str:
    """The interpreter of a peer."""
    return str(ENVIRONMENTS / name / "bin" / "python")


@dataclass(frozen=True, slots=True)
class Library:
    """Another remote-write client: its environment, its script here, and the script's arguments."""

    title: str
    environment: str
    script: str
    options: tuple[str, ...] = ()


WRITER = "prometheus-remote-writer"
BY_SERIES = Library(f"{WRITER}, whole series a request", "remote-writer", "send_remote_writer.py", ("series",))
BY_WINDOWS = Library(f"{WRITER}, a window of all series a request", "remote-writer", "send_remote_writer.py", ("time",))
OPENTELEMETRY = Library("opentelemetry-exporter-prometheus-remote-write", "opentelemetry", "send_opentelemetry.py")


class Receiver:
    """A fresh, warm server: it has received a small push, over the 21 days before."""

    def __init__(self, server: Server, folder: Path) -> None:
        self._server, self._folder = server, folder

    def warm_up(self) -> None:
        """Warm it up with series that nothing else sends."""
        run_process([*PROMFILL, *remote_write(self._server, 10, 1, START - DAYS * DAY), "--metric-name", "warm"])
        flush(self._server)

    def push(self, series: int) -> Turn:
        """promfill; it reports the seconds from the first sample made to the last one acknowledged."""
        run = run_process([*PROMFILL, *remote_write(self._server, series, DAYS)], watch=True)
        said = json.loads(run.output)
        return Turn(run, int(said["bytes"]), float(said["seconds"]))

    def send(self, library: Library, series: int) -> Turn:
        """Another library, from ready-made values."""
        steps = DAYS * DAY // STEP
        values = self._folder / "values"
        source = source_of(SIX_LABELS.format(series), steps)
        source.batch(Tile(0, steps, 0, series)).values.T.tofile(values)
        what = [f"{self._server.url}/api/v1/write", str(values), str(series), str(steps), str(START), *library.options]
        return Turn(run_process([python_of(library.environment), str(PEERS / library.script), *what], watch=True))

    def replay(self, series: int) -> Turn:
        """promfill's own requests, made beforehand."""
        bodies = self._folder / "bodies"
        write_bodies(bodies, source_of(SIX_LABELS.format(series), DAYS * DAY // STEP, metric="vpn", start=START * 1000))
        host = self._server.url.removeprefix("http://")
        run = run_process([sys.executable, PEERS / "replay.py", host, bodies], watch=True)
        return Turn(run, bodies.stat().st_size, float(run.output))


def write_bodies(path: Path, source: Source) -> None:
    """The requests of a push, each after its length."""
    with path.open("wb") as file:
        for body in bodies_of(source):
            file.write(len(body).to_bytes(4, "little") + body)


def bodies_of(source: Source) -> Iterator[bytes]:
    """The bodies that a push would send by remote write 1.0, byte for byte."""
    plan = plan_of(source)
    maker = MessageMaker(source, plan)
    for number in range(plan.requests):
        yield maker.make(source.batch(plan.tile(number)), is_version_2=False, first=number == 0).body


@contextmanager
def receiver(kind: str) -> Iterator[Receiver]:
    """One of `STARTS`."""
    with tempfile.TemporaryDirectory() as folder, STARTS[kind](Path(folder) / "data") as server:
        warm = Receiver(server, Path(folder))
        warm.warm_up()
        yield warm
