"""Mode blocks: native TSDB blocks in a directory that Prometheus serves.

A block's name is a ULID of what it holds: the same push makes the same names, and a block that is there, whole
and right, is not made again. So a push that ended early is finished by running it once more.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from promfill.blocks.files import BlockFiles, publish
from promfill.blocks.writer import BlockWriter, CompleteBlock
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex
from promfill.codecs.block.meta import BlockMeta, BlockStats
from promfill.codecs.block.segment import NO_CHUNK, SEGMENT_MAX
from promfill.codecs.block.ulid import ulid
from promfill.codecs.xor.encode import encode_chunks
from promfill.files.claims import claim_directory
from promfill.files.directory import disk_errors
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.grid import SAMPLES_PER_CHUNK, Grid, Tile, Window, block_groups, block_tiles, windows
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U64Array
from promfill.protocols import SinkReport
from promfill.scenario.times import DAY_MS

TILE_SAMPLES = 600_000  # large enough that array calls cost nothing, small enough for the caches and 60 MB


class _OpenBlock:
    """A block whose series are still coming."""

    def __init__(self, files: BlockFiles, window: Window, series: int) -> None:
        self.files = files
        self.window = window
        chunks = -(-window.steps // SAMPLES_PER_CHUNK)
        self.refs = np.full((series, chunks), NO_CHUNK, np.int64)

    def add(self, first_series: int, first_step: int, records: U8Array, lengths: I64Array) -> None:
        """Chunks of some series: `lengths` (s, c), `records` series by series."""
        series, chunks = lengths.shape
        first_chunk = (first_step - self.window.first_step) // SAMPLES_PER_CHUNK
        refs = self.files.write_chunks(records, lengths)
        self.refs[first_series : first_series + series, first_chunk : first_chunk + chunks] = refs

    @property
    def complete(self) -> bool:
        """Whether the last chunk of the last series is there: they come in order."""
        return bool(self.refs[-1, -1] != NO_CHUNK)


class BlockSink:
    """Writes every window of the grid as one block, named by what it holds."""

    def __init__(
        self,
        fleet: Fleet,
        grid: Grid,
        identity: bytes,
        directory: Path,
        *,
        duration: int = DAY_MS,
        segment_max: int = SEGMENT_MAX,
        share: tuple[int, int] = (0, 1),
        done: frozenset[str] = frozenset(),
    ) -> None:
        self.report = SinkReport()
        self._fleet, self._grid, self._identity = fleet, grid, identity
        self._directory, self._segment_max, self._share = directory, segment_max, share
        self._windows = list(windows(grid, duration))
        self._names: dict[Window, str] = {}
        self._done = done  # names of blocks that are wanted no more: they have gone to where they belong
        self._index: FleetIndex | None = None
        self._work = Scratch()
        self._open: _OpenBlock | None = None
        self._run = os.getpid()  # of the process that shares out the work: a worker's successor takes over its names
        self._unnamed: list[BlockFiles] = []  # every block that has files, and no name yet
        self._writer = BlockWriter(self._publish)
        self._claim: int | None = None

    @property
    def names(self) -> list[str]:
        """The ULIDs of all blocks of the push, in time order."""
        return [self._name(window) for window in self._windows]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """minTime and maxTime of all blocks of the push, in time order; ms."""
        return [(meta.min_time, meta.max_time) for meta in map(self._meta, self._windows)]

    def tiles(self) -> Iterator[Tile]:
        """The tiles of every block that is not there, whole and right."""
        self._claim = claim_directory(self._directory)
        groups = block_groups(self._windows, len(self._fleet), TILE_SAMPLES)
        first, stride = self._share
        ours = itertools.islice(groups, first, None, stride)
        wanted = [window for group in ours for window in group if not self._is_there(window)]
        yield from block_tiles(wanted, len(self._fleet), TILE_SAMPLES)

    def write(self, batch: SeriesBatch) -> None:
        """Encode the tile, and add its chunks to the blocks that it belongs to."""
        first_step = int(batch.timestamps[0] - self._grid.start) // self._grid.step
        group = self._windows_of(first_step, len(batch.timestamps))
        bits, times = _side_by_side(batch, len(group), self._work)
        chunks = encode_chunks(bits, times, self._work, samples_per_chunk=SAMPLES_PER_CHUNK)
        series = len(batch.series)
        ends = np.cumsum(chunks.lengths.sum(axis=1))
        first = 0
        with disk_errors(self._directory):
            for place, window in enumerate(group):
                last = int(ends[(place + 1) * series - 1])
                lengths = chunks.lengths[place * series : (place + 1) * series]
                block = self._block_of(window)
                block.add(batch.first_series, max(first_step, window.first_step), chunks.records[first:last], lengths)
                first = last
                if block.complete:
                    self._finish(block)
            self._writer.flush()

    def commit(self) -> SinkReport:
        """Wait until every block has its name."""
        with disk_errors(self._directory):
            self._writer.finish()
        self._release()
        return self.report

    def abort(self) -> None:
        """Blocks that are handed over get their names; whatever else there is leaves nothing behind."""
        self._writer.close()
        self._release()
        for files in self._unnamed:
            files.discard()
        self._open = None

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """What a sample of this batch takes in a chunk: an estimate for the whole push."""
        chunks = encode_chunks(batch.values.view(np.uint64), batch.timestamps[:, None], self._work)
        return chunks.records.size / batch.samples

    def _windows_of(self, first_step: int, steps: int) -> list[Window]:
        first = bisect.bisect_right(self._windows, first_step, key=lambda window: window.first_step) - 1
        last = bisect.bisect_left(self._windows, first_step + steps, key=lambda window: window.first_step)
        return self._windows[first:last]

    def _block_of(self, window: Window) -> _OpenBlock:
        if self._open is None:
            files = BlockFiles(self._directory, self._name(window), self._segment_max, self._run)
            self._unnamed.append(files)
            self._open = _OpenBlock(files, window, len(self._fleet))
        return self._open

    def _finish(self, block: _OpenBlock) -> None:
        """Hand the block over, whose chunks are all there, to be synced and named in the background."""
        if self._index is None:
            self._index = FleetIndex(self._fleet)
        chunks = ChunkMetas.with_shared_times(*self._chunk_times(block.window), block.refs)
        self._open = None
        self._writer.add(self._index, CompleteBlock(block.files, self._meta(block.window), chunks))

    def _publish(self, blocks: Sequence[CompleteBlock]) -> None:
        publish([block.files for block in blocks])
        for block in blocks:
            self._unnamed.remove(block.files)
            self.report.samples += block.meta.stats.samples
            self.report.bytes += block.files.bytes
            self.report.paths.append(block.files.path)
            self.report.ready.append(block.files.path)

    def _release(self) -> None:
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def _chunk_times(self, window: Window) -> tuple[I64Array, I64Array]:
        """int64 ms (C,): first and last time of each chunk, which all series share."""
        first = np.arange(0, window.steps, SAMPLES_PER_CHUNK, dtype=np.int64)
        last = np.minimum(first + SAMPLES_PER_CHUNK, window.steps) - 1
        start, step = self._grid.time(window.first_step), self._grid.step
        return start + first * step, start + last * step

    def _meta(self, window: Window) -> BlockMeta:
        series = len(self._fleet)
        samples, chunks = window.steps * series, -(-window.steps // SAMPLES_PER_CHUNK) * series
        name = self._name(window)
        return BlockMeta(
            ulid=name,
            min_time=self._grid.time(window.first_step),
            max_time=self._grid.time(window.end_step - 1) + 1,
            stats=BlockStats(samples, series, chunks, float_samples=samples),
            sources=(name,),
        )

    def _name(self, window: Window) -> str:
        """Time part: the block's maxTime. The rest: a hash of the series, their values and the window."""
        if window not in self._names:
            content = self._identity + repr((window.first_step, window.steps, SAMPLES_PER_CHUNK)).encode()
            entropy = hashlib.blake2b(content, digest_size=10).digest()
            self._names[window] = ulid(self._grid.time(window.end_step - 1) + 1, entropy)
        return self._names[window]

    def _is_there(self, window: Window) -> bool:
        name = self._name(window)
        path = self._directory / name
        if name in self._done:
            return True
        if not path.exists():
            return False
        from promfill.blocks.check import block_is_whole

        if not block_is_whole(path, self._meta(window)):
            return False
        self.report.details["already_there"] = self.report.details.get("already_there", 0) + 1
        self.report.ready.append(path)
        return True


def _side_by_side(batch: SeriesBatch, blocks: int, work: Scratch) -> tuple[U64Array, I64Array]:
    """The bits (T, blocks * series) and times (T, blocks) of a tile that spans several blocks of equal length."""
    bits = batch.values.view(np.uint64)
    steps, series = bits.shape
    times = batch.timestamps.reshape(blocks, steps // blocks).T
    if blocks == 1:
        return bits, times
    columns = work.get("side_by_side", (steps // blocks, blocks, series), np.uint64)
    np.copyto(columns, bits.reshape(blocks, steps // blocks, series).transpose(1, 0, 2))
    return columns.reshape(steps // blocks, blocks * series), times
