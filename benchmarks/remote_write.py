"""Remote write: encoding, bytes on the wire, and whole pushes against the replay of ready-made requests."""

from __future__ import annotations

import contextlib
import functools
import http.client
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import snappy

from benchmarks.harness import Case, Figure, Ratio, Result, main, spread
from benchmarks.receivers import bodies_of
from promfill.codecs.remote_write.snappy_rows import SnappyEncoder
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.pb.remote_write_1_pb2 import Label, Sample, TimeSeries, WriteRequest
from promfill.pipeline.push import push
from promfill.sinks.remote_write.message import HEADERS_1
from promfill.sinks.remote_write.sink import open_remote_write
from promfill.sources.generated import Source
from tests.support.servers import Server, start_prometheus, start_victoriametrics
from tests.support.sources import START, STEP, source_of

Encoder = WriteRequestEncoder | RequestEncoder

SERIES, STEPS = 833, 12  # what a request of a large fleet holds
LABELS = "instance=host-{{1..{}}},job=node,tenant_uuid=abc123,uuid=device-uuid-123"


def cases(quick: bool) -> Iterator[Case]:
    """One request of either version, bytes on the wire, then whole pushes of 1,000 series, one request a window."""
    source = source_of(LABELS.format(SERIES), STEPS)
    batch = source.batch(Tile(0, STEPS, 0, SERIES))
    samples, protobuf = batch.samples, by_protobuf(batch)
    encoders: dict[str, Encoder] = {
        "remote_write_encode": WriteRequestEncoder(source.fleet),
        "remote_write_encode_2": RequestEncoder(source.fleet, source.scenario.description),
    }
    seconds = 1.0 if quick else 3.0
    for name, encoder in encoders.items():
        run = functools.partial(SnappyEncoder(encoder.frame).encode, batch)
        yield Ratio(name, run, lambda: snappy.compress(protobuf()), samples, seconds=seconds)
    yield Figure("remote_write_bytes", "x python-snappy's", bytes_of_a_push)
    steps, turns = (1_000, 6) if quick else (2_000, 15)
    yield EndToEnd("remote_write_prometheus", start_prometheus, steps, turns)
    yield EndToEnd("remote_write_victoriametrics", start_victoriametrics, 2 * steps, turns)


def bytes_of_a_push() -> float:
    """Bytes of the requests of three weeks, written directly, as a share of python-snappy's for the same requests."""
    days_21 = 6048
    source = source_of(LABELS.format(SERIES), days_21)
    encoder = WriteRequestEncoder(source.fleet)
    direct = SnappyEncoder(encoder.frame)
    written = searched = 0
    for first in range(0, days_21, 12 * STEPS):
        batch = source.batch(Tile(first, STEPS, 0, SERIES))
        block = direct.encode(batch)
        assert block is not None
        written += len(block[0])
        searched += len(snappy.compress(encoder.encode(batch)))
    return written / searched


def by_protobuf(batch: SeriesBatch) -> Callable[[], bytes]:
    """The same message, one Sample object a sample; its labels are made beforehand, as ours are."""
    labels = [[Label(name=n, value=v) for n, v in batch.fleet.label_set(row)] for row in batch.series]

    def run() -> bytes:
        times, columns = batch.timestamps.tolist(), batch.values.T.tolist()
        return WriteRequest(
            timeseries=(
                TimeSeries(
                    labels=pairs,
                    samples=[Sample(value=value, timestamp=at) for value, at in zip(column, times, strict=True)],
                )
                for pairs, column in zip(labels, columns, strict=True)
            )
        ).SerializeToString()

    return run


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Push stretches of a fleet and replay others, turn by turn, into one receiver, over one connection.

    The figure is the push's rate as a share of the replay's, the median of the turns. Every turn replays a second
    stretch, the control: `control` in the details is replay against replay, and its distance from 1 is the noise.
    """

    name: str
    start: Callable[[Path], Server]
    steps: int
    turns: int
    series: int = 1_000

    def measure(self) -> Result:
        """The median of the turns, after one that warms up."""
        with tempfile.TemporaryDirectory() as folder, self.start(Path(folder) / "data") as server:
            url = f"{server.url}/api/v1/write"
            turns = [self._turn(url, turn) for turn in range(self.turns + 1)][1:]
        return self._compared(turns)

    def _compared(self, turns: Sequence[tuple[float, float, float]]) -> Result:
        """(seconds of a push, of a replay, of the control), for each turn."""
        shares = [(replay + control) / 2 / own for own, replay, control in turns]
        samples = self.steps * self.series
        details = {
            "replay_rate": samples / statistics.median(replay for _, *replays in turns for replay in replays),
            "control": statistics.median(control / replay for _, replay, control in turns),
        }
        pace = samples / statistics.median(own for own, _, _ in turns)
        return Result(self.name, statistics.median(shares), "x replay's speed", pace, spread(shares), details)

    def _turn(self, url: str, turn: int) -> tuple[float, float, float]:
        """Seconds of a push, a replay and the control, over the next steps; each begins equally often."""
        ways = (push_stretch, replay_stretch, replay_stretch)
        taken = [0.0, 0.0, 0.0]
        for place in range(3):
            start = START + STEP * self.steps * (turn * 3 + place)
            way = (place + turn) % 3
            taken[way] = ways[way](source_of(LABELS.format(self.series), self.steps, start=start), url)
        return taken[0], taken[1], taken[2]


def push_stretch(source: Source, url: str) -> float:
    """Seconds of a push, from the first sample generated to the last acknowledged."""
    begin = time.perf_counter()
    destination = build_destination(url, environment={})
    sink = open_remote_write(source, lambda: make_client(destination))
    push(source, sink)
    return time.perf_counter() - begin


def replay_stretch(source: Source, url: str) -> float:
    """Seconds in which the receiver accepts the same requests, made beforehand."""
    bodies = [*bodies_of(source)]
    begin = time.perf_counter()
    with contextlib.closing(http.client.HTTPConnection(urlsplit(url).netloc)) as connection:
        for body in bodies:
            post(connection, body)
    return time.perf_counter() - begin


def post(connection: http.client.HTTPConnection, body: bytes) -> None:
    """Send one request, at the lowest cost that Python allows."""
    connection.request("POST", "/api/v1/write", body, HEADERS_1)
    answer = connection.getresponse()
    answer.read()
    if answer.status != 204:
        raise RuntimeError(f"a replayed request was answered {answer.status}")


if __name__ == "__main__":
    main(cases)
