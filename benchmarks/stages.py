"""The stages of a push, one at a time, each in a process of its own, over a whole fleet and range:

    python -m benchmarks.stages xor_encode --series 1000 --days 21 [--once | --profile]

Prints one JSON object. Only the stage is timed: its input is made outside the timed part. Short stages are repeated.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import psutil
import snappy
from numpy.typing import NDArray

from benchmarks.processes import DAY, SIX_LABELS, START, STEP
from benchmarks.profiles import read_profile
from benchmarks.xor_decode import chunk_bounds
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex, encode_indices
from promfill.codecs.openmetrics.encode import encode_batch
from promfill.codecs.remote_write.sizes import largest_parts
from promfill.codecs.remote_write.snappy_rows import SnappyEncoder
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.codecs.xor.decode import decode_chunks
from promfill.codecs.xor.encode import EncodedChunks, encode_chunks
from promfill.model.batch import SeriesBatch
from promfill.model.grid import SAMPLES_PER_CHUNK, Tile, block_tiles, series_tiles, windows
from promfill.model.scratch import Scratch
from promfill.pipeline.push import push
from promfill.sinks.blocks import TILE_SAMPLES, BlockSink
from promfill.sinks.openmetrics import TILE_SAMPLES as TEXT_SAMPLES
from promfill.sinks.remote_write.plan import Limits, RequestPlan, request_plan
from promfill.sources.generated import Source
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
"""Runs over the whole plane, and returns the bytes that it made, 0 if it makes none."""


def generate(source: Source, clock: Clock) -> int:
    """Values and times, in the tiles of blocks."""
    for tile in day_tiles(source):
        with clock:
            source.batch(tile)
    return 0


def xor_encode(source: Source, clock: Clock) -> int:
    """XOR chunks and their checksums, in days of 120 + 120 + 48 samples."""
    work = Scratch()
    return sum(encoded(source, tile, work, clock).records.size for tile in day_tiles(source))


def xor_decode(source: Source, clock: Clock) -> int:
    """The same chunks, back to arrays."""
    work, made = Scratch(), 0
    for tile in day_tiles(source):
        chunks = encoded(source, tile, work, Clock())
        starts, ends = chunk_bounds(chunks)
        with clock:
            decode_chunks(chunks.records, starts, ends, work=work)
        made += chunks.records.size
    return made


def index(source: Source, clock: Clock) -> int:
    """The indices of all blocks; the fleet's part is made once."""
    series, made = len(source.fleet), 0
    with clock:
        fleet = FleetIndex(source.fleet)
    for window in windows(source.grid, DAY * 1000):
        first = np.arange(0, window.steps, SAMPLES_PER_CHUNK, dtype=np.int64)
        times = source.grid.time(window.first_step) + first * source.grid.step
        refs = 8 + 900 * np.arange(series * first.size, dtype=np.int64).reshape(series, -1)
        with clock:
            chunks = ChunkMetas.with_shared_times(times, times, refs)
            made += sum(len(piece) for (piece,) in encode_indices(fleet, chunks))
    return made


def remote_write_1_encode(source: Source, clock: Clock) -> int:
    """WriteRequest messages of remote write 1.0, not compressed."""
    return sum(len(body) for body in encoded_requests(source, WriteRequestEncoder(source.fleet), clock))


def remote_write_2_encode(source: Source, clock: Clock) -> int:
    """Request messages of remote write 2.0, not compressed."""
    return sum(len(body) for body in encoded_requests(source, RequestEncoder(source.fleet), clock))


def snappy_python(source: Source, clock: Clock) -> int:
    """python-snappy over the messages of 1.0, in which it has to search for repeats."""
    made = 0
    for body in encoded_requests(source, WriteRequestEncoder(source.fleet), Clock()):
        with clock:
            made += len(snappy.compress(body))
    return made


def snappy_direct_1(source: Source, clock: Clock) -> int:
    """Requests of 1.0 written directly as snappy blocks: message and compression in one."""
    return written_directly(source, WriteRequestEncoder(source.fleet), clock)


def snappy_direct_2(source: Source, clock: Clock) -> int:
    """The same for requests of 2.0."""
    return written_directly(source, RequestEncoder(source.fleet), clock)


def openmetrics_text(source: Source, clock: Clock) -> int:
    """Lines of OpenMetrics text."""
    made = 0
    for tile in series_tiles(source.grid, len(source.fleet), TEXT_SAMPLES):
        batch = source.batch(tile)
        with clock:
            made += len(encode_batch(batch))
    return made


def push_blocks(source: Source, clock: Clock) -> int:
    """A whole push into blocks, synced: the process without its start-up."""
    with tempfile.TemporaryDirectory() as folder, clock:
        fresh = Source(source.scenario)
        sink = BlockSink(fresh.fleet, fresh.grid, fresh.identity(), Path(folder))
        return push(fresh, sink).bytes


def fleet_index(source: Source, clock: Clock) -> int:
    """What a push into blocks holds of its fleet, and nothing else: labels, and their part of an index."""
    with clock:
        FleetIndex(source.fleet)
    return 0


PUSHED = (
    generate,
    xor_encode,
    xor_decode,
    index,
    remote_write_1_encode,
    remote_write_2_encode,
    snappy_python,
    snappy_direct_1,
    snappy_direct_2,
    openmetrics_text,
)
"""The stages of a push; the others are used by `growth`."""
STAGES: dict[str, Stage] = {stage.__name__: stage for stage in (*PUSHED, push_blocks, fleet_index)}


def day_tiles(source: Source) -> Iterator[Tile]:
    """The tiles in which blocks of UTC days are made."""
    return block_tiles(windows(source.grid, DAY * 1000), len(source.fleet), TILE_SAMPLES)


def encoded(source: Source, tile: Tile, work: Scratch, clock: Clock) -> EncodedChunks:
    """The chunks of a tile of whole days, side by side."""
    bits, times = by_days(source.batch(tile))
    with clock:
        return encode_chunks(bits, times, work)


def by_days(batch: SeriesBatch) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """The bits (288, days * series) and times (288, days) of a batch of whole days."""
    steps, series = batch.values.shape
    days = steps // STEPS_A_DAY
    bits = batch.values.view(np.uint64).reshape(days, STEPS_A_DAY, series).transpose(1, 0, 2)
    return np.ascontiguousarray(bits).reshape(STEPS_A_DAY, -1), batch.timestamps.reshape(days, STEPS_A_DAY).T


def encoded_requests(
    source: Source, encoder: WriteRequestEncoder | RequestEncoder, clock: Clock
) -> Iterator[NDArray[np.uint8]]:
    """The messages of a push, time-major; each is valid until the next."""
    for batch in request_batches(source):
        with clock:
            body = encoder.encode(batch)
        yield body


def written_directly(source: Source, encoder: WriteRequestEncoder | RequestEncoder, clock: Clock) -> int:
    """Bytes of the blocks; requests that cannot be written directly (of one series) are searched, as in a push."""
    direct, made = SnappyEncoder(encoder.frame), 0
    for batch in request_batches(source):
        with clock:
            block = direct.encode(batch)
            made += len(block[0] if block else snappy.compress(encoder.encode(batch)))
    return made


def request_batches(source: Source) -> Iterator[SeriesBatch]:
    """The batches of a push's requests, each valid until the next."""
    plan = plan_of(source)
    return (source.batch(plan.tile(number)) for number in range(plan.requests))


def plan_of(source: Source) -> RequestPlan:
    """The requests of a push by remote write with the default limits."""
    scenario = source.scenario
    labels, ahead = largest_parts(source.fleet, scenario.metric, scenario.description, scenario.unit)
    return request_plan(source.grid, len(source.fleet), labels, Limits(), ahead)


def measure(name: str, series: int, days: int) -> dict[str, Any]:
    """The stage's figures: medians of passes over the whole plane; if there are several, the first one warms up."""
    source = fleet_source(series, days)
    clocks: list[Clock] = []
    made = 0
    while not clocks or (len(clocks) < MOST_PASSES and sum(clock.seconds for clock in clocks) < ENOUGH_SECONDS):
        clocks.append(Clock())
        made = STAGES[name](source, clocks[-1])
    return figures(source, clocks[1:] or clocks, made)


def measure_once(name: str, series: int, days: int) -> dict[str, Any]:
    """One pass, warmed up by at most a day of one series: for comparison with a peer that makes its samples once."""
    STAGES[name](fleet_source(1, 1), Clock())
    source, clock = fleet_source(series, days), Clock()
    return figures(source, [clock], STAGES[name](source, clock))


def figures(source: Source, clocks: list[Clock], made: int) -> dict[str, Any]:
    """The JSON object to print."""
    return {
        "seconds": statistics.median(clock.seconds for clock in clocks),
        "cpu_seconds": statistics.median(clock.cpu_seconds for clock in clocks),
        "samples": source.samples,
        "bytes": made,
        "peak_mb": peak_memory_mb(),
        "passes": len(clocks),
    }


def peak_memory_mb() -> float:
    """The most memory that this process has held since it started: MB of 10^6 bytes."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return float(psutil.Process().memory_info().rss) / 1e6
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(peak.split()[1]) * 1024 / 1e6


def fleet_source(series: int, days: int) -> Source:
    """The fleet of `processes.scenario`."""
    return source_of(SIX_LABELS.format(series), days * STEPS_A_DAY, metric="vpn", start=START * 1000)


def profiled(name: str, series: int, days: int) -> dict[str, Any]:
    """Where the stage's time goes."""
    source, profile = fleet_source(series, days), cProfile.Profile()
    STAGES[name](source, Clock())
    STAGES[name](source, Clock(profile))
    return asdict(read_profile(profile))


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure one stage over a whole fleet and range; print JSON.")
    parser.add_argument("stage", choices=STAGES)
    parser.add_argument("--series", type=int, default=1_000)
    parser.add_argument("--days", type=int, default=21)
    way = parser.add_mutually_exclusive_group()
    way.add_argument("--once", action="store_true", help="one pass, with little warming up")
    way.add_argument("--profile", action="store_true", help="print where the time goes instead")
    options = parser.parse_args()
    run = profiled if options.profile else measure_once if options.once else measure
    print(json.dumps(run(options.stage, options.series, options.days)))


if __name__ == "__main__":
    main()
