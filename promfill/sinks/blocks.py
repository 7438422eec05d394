"""Mode blocks: native TSDB blocks in a directory that Prometheus serves.

A block's name is a ULID made of its content: the same push makes the same names, and a block that exists and is
intact is skipped. So a push that ended early is finished by running it once more.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from promfill.blocks.files import BlockFiles, publish
from promfill.blocks.fleet_parts import FleetParts
from promfill.blocks.ragged_chunks import WrittenChunks, cut_chunks, encode_ragged_chunks, meta_of
from promfill.blocks.writer import BlockWriter, CompleteBlock
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.meta import BlockMeta, BlockStats
from promfill.codecs.block.segment import NO_CHUNK, SEGMENT_MAX
from promfill.codecs.block.ulid import ulid
from promfill.codecs.xor.encode import encode_chunks
from promfill.errors import InputError
from promfill.files.claims import claim_directory
from promfill.files.directory import disk_errors
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.grid import SAMPLES_PER_CHUNK, Grid, Tile, Window, block_groups, block_tiles, windows
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U64Array
from promfill.protocols import SinkReport
from promfill.scenario.times import DAY_MS, format_time

TILE_SAMPLES = 600_000  # large enough that array calls cost nothing, small enough for the caches and 60 MB


class _OpenBlock:
    """A block whose series are still coming."""

    def __init__(self, files: BlockFiles, window: Window, series: int) -> None:
        self.files = files
        self.window = window
        chunks = -(-window.steps // SAMPLES_PER_CHUNK)
        self.refs = np.full((series, chunks), NO_CHUNK, np.int64)
        self.ragged: WrittenChunks | None = None  # used if not all tiles are planes

    def add_plane(self, first_series: int, first_step: int, records: U8Array, lengths: I64Array) -> None:
        """Add chunks of some series: `lengths` (s, c), `records` series by series."""
        series, chunks = lengths.shape
        first_chunk = (first_step - self.window.first_step) // SAMPLES_PER_CHUNK
        refs = self.files.write_chunks(records, lengths)
        self.refs[first_series : first_series + series, first_chunk : first_chunk + chunks] = refs

    def add_ragged(self, samples: RaggedBatch, work: Scratch) -> None:
        """Add the next samples of some series; some may be missing, or have times of their own."""
        self.ragged = self.ragged or WrittenChunks()
        starts, counts, runs = cut_chunks(samples.bounds)
        rows, firsts, lasts = samples.rows[runs], samples.times[starts], samples.times[starts + counts - 1]
        for some, records, lengths in encode_ragged_chunks(samples.times, samples.bits, starts, counts, work):
            refs = self.files.write_chunks(records, lengths)
            self.ragged.add(rows[some], counts[some], firsts[some], lasts[some], refs)


class BlockSink:
    """Writes every window of the grid as one block, named by its content.

    Series without a sample in a window are not in its block; a window without any sample makes none. gaps: the source
    may leave samples out, or give them times of their own, so an existing block may hold less than the window's steps.
    """

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
        gaps: bool = False,
    ) -> None:
        self.report = SinkReport()
        self._fleet, self._grid, self._identity = fleet, grid, identity
        self._directory, self._segment_max, self._share = directory, segment_max, share
        self._duration, self._gaps = duration, gaps
        self._windows = list(windows(grid, duration))
        self._asked: deque[Tile] = deque()  # tiles asked for, and not yet written
        self._names: dict[Window, str] = {}
        self._done = done  # names of blocks that are not needed here any more: they have been uploaded
        self._parts = FleetParts(fleet)
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
        """The tiles of every block that does not exist, or is not intact."""
        self._claim = claim_directory(self._directory)
        groups = block_groups(self._windows, len(self._fleet), TILE_SAMPLES)
        first, stride = self._share
        ours = itertools.islice(groups, first, None, stride)
        wanted = [window for group in ours for window in group if not self._is_there(window)]
        self._asked.clear()
        for tile in block_tiles(wanted, len(self._fleet), TILE_SAMPLES):
            self._asked.append(tile)
            yield tile

    def write(self, batch: SeriesBatch) -> None:
        """Encode the tile, and add its chunks to the blocks that it belongs to.

        InputError, before any of it is written: times that do not ascend, or that belong to another block.
        """
        tile = self._asked.popleft()
        group = self._windows_of(tile)
        if batch.present is None and batch.timestamps.ndim == 1:
            self._write_plane(batch, tile, group)
        else:
            self._write_ragged(batch, tile, group)

    def _write_plane(self, batch: SeriesBatch, tile: Tile, group: list[Window]) -> None:
        """Add a tile whose samples are all there, at times that the series share."""
        bits, times = _side_by_side(batch, len(group), self._work)
        chunks = encode_chunks(bits, times, self._work, samples_per_chunk=SAMPLES_PER_CHUNK)
        series = tile.series
        ends = np.cumsum(chunks.lengths.sum(axis=1))
        first = 0
        with disk_errors(self._directory):
            for place, window in enumerate(group):
                last = int(ends[(place + 1) * series - 1])
                lengths = chunks.lengths[place * series : (place + 1) * series]
                first_step = max(tile.first_step, window.first_step)
                self._block_of(window).add_plane(tile.first_series, first_step, chunks.records[first:last], lengths)
                first = last
                self._finish_if_complete(tile)
            self._writer.flush()

    def _write_ragged(self, batch: SeriesBatch, tile: Tile, group: list[Window]) -> None:
        """Add what is there, window by window and series by series, at whatever times."""
        steps = tile.steps // len(group)
        parts = [RaggedBatch.of_plane(_steps_of(batch, place * steps, steps)) for place in range(len(group))]
        for window, samples in zip(group, parts, strict=True):
            self._require_fit(window, samples)
        with disk_errors(self._directory):
            for window, samples in zip(group, parts, strict=True):
                self._block_of(window).add_ragged(samples, self._work)
                self._finish_if_complete(tile)
            self._writer.flush()

    def _require_fit(self, window: Window, samples: RaggedBatch) -> None:
        if not samples.rises:
            raise InputError("the times of a series do not ascend", "give each sample a later time than the one before")
        low = self._grid.time(window.first_step) // self._duration * self._duration
        beside = samples.times[(samples.times < low) | (samples.times >= low + self._duration)]
        if beside.size:
            raise InputError(
                f"a sample's time, {format_time(int(beside[0]))}, belongs to another block than its step, "
                f"whose block goes from {format_time(low)} to {format_time(low + self._duration)}",
                "move times by less, and none across a multiple of the block's range",
            )

    def commit(self) -> SinkReport:
        """Wait until every block has its name."""
        with disk_errors(self._directory):
            self._writer.finish()
        self._release()
        return self.report

    def abort(self) -> None:
        """Blocks that are handed over get their names; everything else is removed."""
        self._writer.close()
        self._release()
        for files in self._unnamed:
            files.discard()
        self._open = None

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """The size of a sample of this batch in a chunk: an estimate for the whole push."""
        if batch.present is None and batch.timestamps.ndim == 1:
            chunks = encode_chunks(batch.values.view(np.uint64), batch.timestamps[:, None], self._work)
            return chunks.records.size / batch.samples
        samples = RaggedBatch.of_plane(batch)
        starts, counts, _ = cut_chunks(samples.bounds)
        encoded = encode_ragged_chunks(samples.times, samples.bits, starts, counts, self._work)
        return sum(records.size for _, records, _ in encoded) / max(1, batch.samples)

    def _windows_of(self, tile: Tile) -> list[Window]:
        end_step = tile.first_step + tile.steps
        first = bisect.bisect_right(self._windows, tile.first_step, key=lambda window: window.first_step) - 1
        last = bisect.bisect_left(self._windows, end_step, key=lambda window: window.first_step)
        return self._windows[first:last]

    def _block_of(self, window: Window) -> _OpenBlock:
        if self._open is None:
            files = BlockFiles(self._directory, self._name(window), self._segment_max, self._run)
            self._unnamed.append(files)
            self._open = _OpenBlock(files, window, len(self._fleet))
        return self._open

    def _finish_if_complete(self, tile: Tile) -> None:
        """Tiles come in order: a tile with the last series and the block's last step completes the block."""
        block = self._open
        if block is None or tile.first_series + tile.series < len(self._fleet):
            return
        if tile.first_step + tile.steps >= block.window.end_step:
            self._open = None
            self._finish(block)

    def _finish(self, block: _OpenBlock) -> None:
        """Hand over the block, with all its chunks, to be synced and named in the background."""
        if block.ragged is None:
            rows, meta = np.arange(len(self._fleet)), self._meta(block.window)
            chunks = ChunkMetas.with_shared_times(*self._chunk_times(block.window), block.refs)
        else:
            rows, chunks, counts = self._chunks_of(block, block.ragged).joined()
            if not rows.size:
                self._unnamed.remove(block.files)
                block.files.discard()
                return
            meta = meta_of(self._name(block.window), chunks, int(counts.sum()))
        self._writer.add(self._parts.of(rows).index, CompleteBlock(block.files, meta, chunks))

    def _chunks_of(self, block: _OpenBlock, chunks: WrittenChunks) -> WrittenChunks:
        """The block's ragged chunks, and those of planes."""
        rows, places = np.nonzero(block.refs != NO_CHUNK)
        counts = np.minimum(block.window.steps - places * SAMPLES_PER_CHUNK, SAMPLES_PER_CHUNK)
        firsts, lasts = self._chunk_times(block.window)
        chunks.add(rows, counts, firsts[places], lasts[places], block.refs[rows, places])
        return chunks

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

        if not block_is_whole(path, self._meta(window), gaps=self._gaps):
            return False
        self.report.details["already_there"] = self.report.details.get("already_there", 0) + 1
        self.report.ready.append(path)
        return True


def _steps_of(batch: SeriesBatch, first: int, steps: int) -> SeriesBatch:
    """Some steps of the batch."""
    part = slice(first, first + steps)
    present = None if batch.present is None else batch.present[part]
    return SeriesBatch(batch.fleet, batch.first_series, batch.timestamps[part], batch.values[part], present)


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
