"""Blocks from samples that come sorted by window, series and time: series may be ragged, times any.

Chunks are cut first, and each is a column of the encoder: 120 samples at most, whatever the series are like. A block
waits under its temporary name until all are whole, then gets a ULID of what it holds.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from promfill.blocks.files import BlockFiles, publish
from promfill.blocks.sample_keys import KeyArray, KeyLayout
from promfill.blocks.writer import BlockWriter, CompleteBlock
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex
from promfill.codecs.block.meta import BlockMeta, BlockStats
from promfill.codecs.block.segment import SEGMENT_MAX
from promfill.codecs.block.ulid import ENTROPY_BYTES, ulid
from promfill.codecs.xor.encode import encode_chunks
from promfill.files.directory import disk_errors
from promfill.model.batch import Fleet, RaggedBytes, freeze
from promfill.model.grid import SAMPLES_PER_CHUNK
from promfill.model.scratch import Scratch
from promfill.model.types import F64Array, I64Array, U8Array, U64Array

_CELLS = 1 << 16  # samples encoded at once, ragged ends counted in


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """A block that is whole. bytes: of all its files."""

    path: Path
    meta: BlockMeta
    bytes: int


class SortedBlocks:
    """Writes the blocks of a fleet. `add` takes all samples in order; `publish` makes the blocks appear."""

    def __init__(self, fleet: Fleet, layout: KeyLayout, directory: Path) -> None:
        self._layout, self._directory = layout, directory
        self._parts = _FleetParts(fleet)
        self._work = Scratch()
        self._open: _OpenBlock | None = None
        self._files: list[BlockFiles] = []
        self._durable: list[tuple[BlockFiles, BlockMeta]] = []
        self._writer = BlockWriter(self._keep)

    def add(self, keys: KeyArray, values: F64Array) -> None:
        """The next samples; keys rise, from one call to the next as well."""
        cells = self._layout.cells(keys)
        times = self._layout.times(keys, cells)
        starts, counts = _cut_chunks(cells)
        bits = values.view(np.uint64)
        with disk_errors(self._directory):
            for batch in _batches(counts):
                self._add_chunks(cells[starts[batch]], times, bits, starts[batch], counts[batch])

    def publish(self, about_to: Callable[[list[Path]], None] = lambda paths: None) -> list[WrittenBlock]:
        """Finish the last block, wait for the disk, and give all their names; `about_to` is told these before."""
        with disk_errors(self._directory):
            self._finish()
            self._writer.finish()
            about_to([files.path for files, _ in self._durable])
            publish([files for files, _ in self._durable])
        return [WrittenBlock(files.path, meta, files.size) for files, meta in self._durable]

    def discard(self) -> None:
        """Leave nothing behind of what has no name yet."""
        self._writer.close()
        for files in self._files:
            files.discard()

    def _keep(self, blocks: Sequence[CompleteBlock]) -> None:
        self._durable += [(block.files, block.meta) for block in blocks]

    def _add_chunks(self, cells: I64Array, times: I64Array, bits: U64Array, starts: I64Array, counts: I64Array) -> None:
        """Encode the chunks that begin at the places `starts` of times and bits, and hand them to their blocks."""
        rows = np.arange(int(counts.max()))[:, None]
        places = starts + np.minimum(rows, counts - 1)
        lasts = times[starts + counts - 1]
        plane = _go_on(times[places], lasts, counts)
        encoded = encode_chunks(bits[places], plane, self._work, counts=counts, samples_per_chunk=SAMPLES_PER_CHUNK)
        ends = np.cumsum(encoded.lengths[:, 0])
        windows = self._layout.windows(cells)
        cuts = np.flatnonzero(np.diff(windows, prepend=windows[0] - 1, append=windows[-1] + 1)).tolist()
        for first, stop in pairwise(cuts):
            block = self._block_of(int(windows[first]))
            chunks = slice(first, stop)
            records = encoded.records[ends[first - 1] if first else 0 : ends[stop - 1]]
            refs = block.write(records, encoded.lengths[chunks, 0])
            block.parts.append(
                (self._layout.ranks(cells[chunks]), counts[chunks], times[starts[chunks]], lasts[chunks], refs)
            )

    def _block_of(self, window: int) -> _OpenBlock:
        if self._open and self._open.window != window:
            self._finish()
        if not self._open:
            files = BlockFiles(self._directory, f"window{window}", SEGMENT_MAX, os.getpid())
            self._files.append(files)
            self._open = _OpenBlock(window, files)
        return self._open

    def _finish(self) -> None:
        """Hand the open block over, named by what it holds."""
        if not self._open:
            return
        block, self._open = self._open, None
        rows, counts, min_times, max_times, refs = map(np.concatenate, zip(*block.parts, strict=True))
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        chunks = ChunkMetas(np.diff(begins, append=rows.size), min_times, max_times, refs)
        part = self._parts.of(rows[begins])
        block.digest.update(part.digest)
        block.digest.update(np.append(chunks.counts, counts).data)
        meta = _meta(chunks, int(counts.sum()), block.digest.digest())
        block.files.path = self._directory / meta.ulid
        self._writer.add(part.index, CompleteBlock(block.files, meta, chunks))


class _OpenBlock:
    """A block whose series are still coming."""

    def __init__(self, window: int, files: BlockFiles) -> None:
        self.window = window
        self.files = files
        self.parts: list[tuple[I64Array, ...]] = []  # of each chunk: series, samples, first time, last time, reference
        self.digest = hashlib.blake2b(digest_size=ENTROPY_BYTES)

    def write(self, records: U8Array, lengths: I64Array) -> I64Array:
        """Append the records of some chunks; returns their references."""
        self.digest.update(records.data)
        return self.files.write_chunks(records, lengths)


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The series of a block: what their index has in common, and a digest of their labels."""

    index: FleetIndex
    digest: bytes


class _FleetParts:
    """The last few series seldom differ from one block to the next: what belongs to them is kept."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._rows = np.empty(0, np.int64)
        self._part: _Part | None = None

    def of(self, rows: I64Array) -> _Part:
        """The part of the fleet that these rows are: its symbols are those of these series alone, as in Prometheus."""
        if self._part is None or not np.array_equal(rows, self._rows):
            fleet = self._fleet if rows.size == len(self._fleet) else take_rows(self._fleet, rows)
            self._rows, self._part = rows, _Part(FleetIndex(fleet), _digest(fleet))
        return self._part


def take_rows(fleet: Fleet, rows: I64Array) -> Fleet:
    """The fleet of some rows, int64 (n,) rising, with the symbols that they use."""
    values = fleet.values[rows]
    used_names = values.any(axis=0)
    names, values = fleet.names[used_names], values[:, used_names]
    used = np.zeros(len(fleet.symbols), np.bool_)
    used[0] = used[names] = used[values] = True
    place = np.cumsum(used, dtype=np.uint32) - np.uint32(1)
    symbols = RaggedBytes.from_list([fleet.symbols[number] for number in np.flatnonzero(used).tolist()])
    return Fleet(symbols, freeze(place[names]), freeze(place[values]))


def _digest(fleet: Fleet) -> bytes:
    digest = hashlib.blake2b()
    for array in (fleet.symbols.buffer, fleet.symbols.offsets, fleet.names, fleet.values):
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _cut_chunks(cells: I64Array) -> tuple[I64Array, I64Array]:
    """Starts and counts of chunks: at most 120 samples, all of one cell."""
    begins = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
    sizes = np.diff(begins, append=cells.size)
    chunks = -(-sizes // SAMPLES_PER_CHUNK)
    first_chunk = np.cumsum(chunks) - chunks
    within = np.arange(int(chunks.sum())) - np.repeat(first_chunk, chunks)
    starts = np.repeat(begins, chunks) + within * SAMPLES_PER_CHUNK
    counts = np.minimum(np.repeat(sizes, chunks) - within * SAMPLES_PER_CHUNK, SAMPLES_PER_CHUNK)
    return starts, counts


def _batches(counts: I64Array) -> Iterator[slice]:
    """Slices of chunks that take about _CELLS samples, were all as long as the longest."""
    size = max(1, _CELLS // int(counts.max()))
    return (slice(first, first + size) for first in range(0, counts.size, size))


def _go_on(times: I64Array, lasts: I64Array, counts: I64Array) -> I64Array:
    """After the end of a column its times go on at the last pace, which takes the encoder no bits."""
    short = np.flatnonzero((counts < len(times)) & (counts > 1))
    if short.size:
        count, last = counts[short], lasts[short]
        pace = last - times[count - 2, short]
        beyond = np.maximum(np.arange(len(times))[:, None] - (count - 1), 0)
        times[:, short] += beyond * pace
    return times


def _meta(chunks: ChunkMetas, samples: int, digest: bytes) -> BlockMeta:
    max_time = int(chunks.max_times.max()) + 1
    name = ulid(max_time, digest)
    return BlockMeta(
        ulid=name,
        min_time=int(chunks.min_times.min()),
        max_time=max_time,
        stats=BlockStats(samples, chunks.counts.size, chunks.refs.size, float_samples=samples),
        sources=(name,),
    )
