"""Write blocks from samples sorted by window, series and time: series may be ragged, times any.

A block waits under its temporary name until all are complete, then gets a ULID made of its content.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np

from promfill.blocks.files import BlockFiles, publish
from promfill.blocks.fleet_parts import FleetParts
from promfill.blocks.ragged_chunks import WrittenChunks, cut_chunks, encode_ragged_chunks, meta_of
from promfill.blocks.sample_keys import KeyArray, KeyLayout
from promfill.blocks.writer import BlockWriter, CompleteBlock
from promfill.codecs.block.meta import BlockMeta
from promfill.codecs.block.segment import SEGMENT_MAX
from promfill.codecs.block.ulid import ENTROPY_BYTES, ulid
from promfill.files.directory import disk_errors
from promfill.model.batch import Fleet
from promfill.model.scratch import Scratch
from promfill.model.types import F64Array, I64Array, U8Array


@dataclass(frozen=True, slots=True)
class WrittenBlock:
    """A complete block. bytes: of all its files."""

    path: Path
    meta: BlockMeta
    bytes: int


class SortedBlocks:
    """Writes the blocks of a fleet. `add` takes all samples in order; `publish` makes the blocks appear."""

    def __init__(self, fleet: Fleet, layout: KeyLayout, directory: Path) -> None:
        self._layout, self._directory = layout, directory
        self._parts = FleetParts(fleet)
        self._work = Scratch()
        self._open: _OpenBlock | None = None
        self._files: list[BlockFiles] = []
        self._durable: list[tuple[BlockFiles, BlockMeta]] = []
        self._writer = BlockWriter(self._keep)

    def add(self, keys: KeyArray, values: F64Array) -> None:
        """Add the next samples; keys ascend, also from one call to the next."""
        cells = self._layout.cells(keys)
        times = self._layout.times(keys, cells)
        begins = np.flatnonzero(np.diff(cells, prepend=cells[0] - 1))
        starts, counts, _ = cut_chunks(np.append(begins, cells.size))
        encoded = encode_ragged_chunks(times, values.view(np.uint64), starts, counts, self._work)
        with disk_errors(self._directory):
            for batch, records, lengths in encoded:
                self._add_chunks(cells, times, starts[batch], counts[batch], records, lengths)

    def publish(self, about_to: Callable[[list[Path]], None] = lambda paths: None) -> list[WrittenBlock]:
        """Finish the last block, wait for the disk, and give all their names; `about_to` is told these before."""
        with disk_errors(self._directory):
            self._finish()
            self._writer.finish()
            about_to([files.path for files, _ in self._durable])
            publish([files for files, _ in self._durable])
        return [WrittenBlock(files.path, meta, files.size) for files, meta in self._durable]

    def discard(self) -> None:
        """Remove everything that has no name yet."""
        self._writer.close()
        for files in self._files:
            files.discard()

    def _keep(self, blocks: Sequence[CompleteBlock]) -> None:
        self._durable += [(block.files, block.meta) for block in blocks]

    def _add_chunks(
        self,
        cells: I64Array,
        times: I64Array,
        starts: I64Array,
        counts: I64Array,
        records: U8Array,
        lengths: I64Array,
    ) -> None:
        """Give the chunks that begin at the places `starts` of cells and times to their blocks."""
        cells, firsts, lasts = cells[starts], times[starts], times[starts + counts - 1]
        ends = np.cumsum(lengths)
        windows, ranks = self._layout.windows(cells), self._layout.ranks(cells)
        cuts = np.flatnonzero(np.diff(windows, prepend=windows[0] - 1, append=windows[-1] + 1)).tolist()
        for first, stop in pairwise(cuts):
            block = self._block_of(int(windows[first]))
            chunks = slice(first, stop)
            refs = block.write(records[ends[first - 1] if first else 0 : ends[stop - 1]], lengths[chunks])
            block.chunks.add(ranks[chunks], counts[chunks], firsts[chunks], lasts[chunks], refs)

    def _block_of(self, window: int) -> _OpenBlock:
        if self._open and self._open.window != window:
            self._finish()
        if not self._open:
            files = BlockFiles(self._directory, f"window{window}", SEGMENT_MAX, os.getpid())
            self._files.append(files)
            self._open = _OpenBlock(window, files)
        return self._open

    def _finish(self) -> None:
        """Hand over the open block, named by its content."""
        if not self._open:
            return
        block, self._open = self._open, None
        rows, chunks, counts = block.chunks.joined()
        part = self._parts.of(rows)
        block.digest.update(part.digest)
        block.digest.update(np.append(chunks.counts, counts).data)
        name = ulid(int(chunks.max_times.max()) + 1, block.digest.digest())
        meta = meta_of(name, chunks, int(counts.sum()))
        block.files.path = self._directory / meta.ulid
        self._writer.add(part.index, CompleteBlock(block.files, meta, chunks))


class _OpenBlock:
    """A block whose series are still coming."""

    def __init__(self, window: int, files: BlockFiles) -> None:
        self.window = window
        self.files = files
        self.chunks = WrittenChunks()
        self.digest = hashlib.blake2b(digest_size=ENTROPY_BYTES)

    def write(self, records: U8Array, lengths: I64Array) -> I64Array:
        """Append the records of some chunks; returns their references."""
        self.digest.update(records.data)
        return self.files.write_chunks(records, lengths)
