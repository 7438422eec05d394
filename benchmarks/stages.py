"""The stages of a push, one at a time, each in a process of its own, over a whole fleet and range:

    python -m benchmarks.stages xor_encode --series 1000 --days 21 [--profile]

Prints one JSON object. Only the stage is timed: what it works on is made beside it. Short ones are run again and again.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import psutil
import snappy
from numpy.typing import NDArray

from benchmarks.processes import DAY, SIX_LABELS, START, STEP
from benchmarks.profiles import hot_spots
from benchmarks.xor_decode import chunk_bounds
from promfill.codecs.openmetrics import encode_batch
from promfill.codecs.remote_write import WriteRequestEncoder
from promfill.codecs.work import Work
from promfill.codecs.xor_decode import decode_chunks
from promfill.codecs.xor_encode import EncodedChunks, encode_chunks
from promfill.model import SeriesBatch
from promfill.plan import SAMPLES_PER_CHUNK, Tile, block_tiles, series_tiles, windows
from promfill.push import push
from promfill.sinks.blocks import TILE_SAMPLES, BlockSink
from promfill.sinks.openmetrics import TILE_SAMPLES as TEXT_SAMPLES
from promfill.sinks.remote_write.plan import DEFAULT_SAMPLES, SHARED_WINDOW
from promfill.source import Source
from promfill.tsdb.index_writer import FleetIndex, encode_index
from tests.support.sources import source_of

ENOUGH_SECONDS = 0.3
MOST_PASSES = 20
STEPS_A_DAY = DAY // STEP


@dataclass
class Clock:
    """Adds up the wall and CPU seconds of its ``with`` blocks; `profile` looks into them too."""

    profile: cProfile.Profile | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    _begin: tuple[float, float] = field(default=(0.0, 0.0), init=False)

    def __enter__(self) -> None:
        self._begin = time.perf_counter(), time.process_time()
        if self.profile:
            self.profile.enable()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.profile:
            self.profile.disable()
        self.seconds += time.perf_counter() - self._begin[0]
        self.cpu_seconds += time.process_time() - self._begin[1]


Stage = Callable[[Source, Clock], int]
"""Runs over the whole plane; the bytes that it made, 0 where it makes none."""


def generate(source: Source, clock: Clock) -> int:
    """Values and times, in the tiles of blocks."""
    for tile in day_tiles(source):
        with clock:
            source.batch(tile)
    return 0


def xor_encode(source: Source, clock: Clock) -> int:
    """XOR chunks and their checksums, in days of 120 + 120 + 48 samples."""
    work = Work()
    return sum(encoded(source, tile, work, clock).records.size for tile in day_tiles(source))


def xor_decode(source: Source, clock: Clock) -> int:
    """The same chunks, back to arrays."""
    work, made = Work(), 0
    for tile in day_tiles(source):
        chunks = encoded(source, tile, work, Clock())
        starts, ends = chunk_bounds(chunks)
        with clock:
            decode_chunks(chunks.records, starts, ends, work=work)
        made += chunks.records.size
    return made


def index(source: Source, clock: Clock) -> int:
    """The indices of all blocks, and once what belongs to the fleet."""
    series, made = len(source.fleet), 0
    with clock:
        fleet = FleetIndex(source.fleet)
    for window in windows(source.grid, DAY * 1000):
        first = np.arange(0, window.steps, SAMPLES_PER_CHUNK, dtype=np.int64)
        times = source.grid.time(window.first_step) + first * source.grid.step
        refs = 8 + 900 * np.arange(series * first.size, dtype=np.int64).reshape(series, -1)
        with clock:
            made += sum(len(memoryview(piece).cast("B")) for piece in encode_index(fleet, times, times, refs))
    return made


def remote_write_encode(source: Source, clock: Clock) -> int:
    """WriteRequest messages of remote write 1.0, not compressed."""
    return sum(len(body) for body in write_requests(source, clock))


def snappy_compress(source: Source, clock: Clock) -> int:
    """python-snappy over the same messages."""
    made = 0
    for body in write_requests(source, Clock()):
        with clock:
            made += len(snappy.compress(body))
    return made


def openmetrics_text(source: Source, clock: Clock) -> int:
    """Lines of OpenMetrics text."""
    made = 0
    for tile in series_tiles(source.grid, len(source.fleet), TEXT_SAMPLES):
        batch = source.batch(tile)
        with clock:
            made += len(encode_batch(batch))
    return made


def push_blocks(source: Source, clock: Clock) -> int:
    """A whole push into blocks, synced: what is left of the process when start-up is taken off."""
    with tempfile.TemporaryDirectory() as folder, clock:
        fresh = Source(source.scenario)
        sink = BlockSink(fresh.fleet, fresh.grid, fresh.identity(), Path(folder))
        return push(fresh, sink).bytes


STAGES: dict[str, Stage] = {
    stage.__name__: stage
    for stage in (
        generate,
        xor_encode,
        xor_decode,
        index,
        remote_write_encode,
        snappy_compress,
        openmetrics_text,
        push_blocks,
    )
}


def day_tiles(source: Source) -> Iterator[Tile]:
    """The tiles in which blocks of UTC days are made."""
    return block_tiles(windows(source.grid, DAY * 1000), len(source.fleet), TILE_SAMPLES)


def encoded(source: Source, tile: Tile, work: Work, clock: Clock) -> EncodedChunks:
    """The chunks of a tile of whole days, which stand side by side."""
    bits, times = by_days(source.batch(tile))
    with clock:
        return encode_chunks(bits, times, work)


def by_days(batch: SeriesBatch) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The bits (288, days * series) and times (288, days) of a batch of whole days."""
    steps, series = batch.values.shape
    days = steps // STEPS_A_DAY
    bits = batch.values.view(np.uint64).reshape(days, STEPS_A_DAY, series).transpose(1, 0, 2)
    return np.ascontiguousarray(bits).reshape(STEPS_A_DAY, -1), batch.timestamps.reshape(days, STEPS_A_DAY).T


def write_requests(source: Source, clock: Clock) -> Iterator[NDArray[np.uint8]]:
    """The messages of a push, time-major; each is valid until the next."""
    series, steps = len(source.fleet), source.grid.steps
    encoder = WriteRequestEncoder(source.fleet)
    together = min(series, DEFAULT_SAMPLES // SHARED_WINDOW)
    window = max(SHARED_WINDOW, DEFAULT_SAMPLES // series)
    for first_step in range(0, steps, window):
        for first in range(0, series, together):
            tile = Tile(first_step, min(window, steps - first_step), first, min(together, series - first))
            batch = source.batch(tile)
            with clock:
                body = encoder.encode(batch)
            yield body


def measure(name: str, series: int, days: int) -> dict[str, Any]:
    """The stage's figures: medians of passes over the whole plane, the first of which warms up where there are more."""
    source = fleet_source(series, days)
    clocks: list[Clock] = []
    made = 0
    while not clocks or (len(clocks) < MOST_PASSES and sum(clock.seconds for clock in clocks) < ENOUGH_SECONDS):
        clocks.append(Clock())
        made = STAGES[name](source, clocks[-1])
    kept = clocks[1:] or clocks
    seconds = statistics.median(clock.seconds for clock in kept)
    return {
        "seconds": seconds,
        "cpu_seconds": statistics.median(clock.cpu_seconds for clock in kept),
        "samples": source.samples,
        "bytes": made,
        "peak_mb": peak_memory_mb(),
        "passes": len(kept),
    }


def peak_memory_mb() -> float:
    """The most that this process has held, since it was started: MB of 10^6 bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float(psutil.Process().memory_info().rss) / 1e6
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / 1e6


def fleet_source(series: int, days: int) -> Source:
    """The fleet of `processes.scenario`."""
    return source_of(SIX_LABELS.format(series), days * STEPS_A_DAY, metric="vpn", start=START * 1000)


def profiled(name: str, series: int, days: int) -> list[tuple[str, float]]:
    """Where the stage's time goes."""
    source, profile = fleet_source(series, days), cProfile.Profile()
    STAGES[name](source, Clock())
    STAGES[name](source, Clock(profile))
    return hot_spots(profile)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure one stage over a whole fleet and range; print JSON.")
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=21)
    parser.add_argument("--profile", action="store_true", help="print where the time goes instead")
    options = parser.parse_args()
    run = profiled if options.profile else measure
    print(json.dumps(run(options.stage, options.series, options.days)))


if __name__ == "__main__":
    main()
