"""The indices of blocks, as pieces of bytes in file order, without a Python loop over their series.

The parts that depend on the fleet only are built once, in a `FleetIndex`; the parts of a block (chunks, and the ids and
offsets that follow from them) for each block, and for many small blocks at once, side by side: an array call takes as
long for one of them. Series and lists go in batches: memory is bounded by the fleet's labels, not by the index. A piece
is written only when the sizes in it are known, so the receiver never seeks.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial

import numpy as np

from promfill.codecs.block.batches import Batches
from promfill.codecs.block.chunk_metas import ChunkMetas, require_order
from promfill.codecs.block.index_format import (
    HEADER,
    MAX_SERIES_END,
    POSTINGS_ALIGN,
    SERIES_ALIGN,
    Piece,
    TableOfContents,
    padding,
)
from promfill.codecs.block.postings import PostingsLayout, PostingsLists, big_endian
from promfill.codecs.block.postings_table import PostingsTable
from promfill.codecs.block.series_entries import encode_series, label_columns, merge_columns
from promfill.codecs.block.symbols import SymbolRecords
from promfill.errors import InputError
from promfill.model.batch import Fleet
from promfill.model.ragged import Column, split
from promfill.model.types import I64Array, U32Array

_BATCH_ROWS = 8192
_KEPT_CELLS = 1 << 18
"""The most cells (series by labels) of a fleet whose batches are kept, at about 30 bytes a cell."""


class FleetIndex:
    """What the indices of all blocks of a fleet share: symbols, label bytes, postings order."""

    def __init__(self, fleet: Fleet) -> None:
        self.fleet = fleet
        self.symbols = SymbolRecords(fleet.symbols)
        keep = fleet.values.size <= _KEPT_CELLS
        lists = PostingsLists.of(fleet)
        self.postings = PostingsLayout(lists, keep=keep)
        self.table = PostingsTable(lists, self.symbols, keep=keep)
        size = len(fleet)
        self.rows = [slice(start, min(start + _BATCH_ROWS, size)) for start in range(0, size, _BATCH_ROWS)]
        self.labels = Batches(partial(_labels_of, fleet, merge=keep), self.rows, keep=keep)

    @property
    def blocks_at_once(self) -> int:
        """How many blocks of the fleet are best encoded together: many if array calls on one would be small."""
        return max(1, _BATCH_ROWS // max(1, len(self.fleet)))


def encode_indices(index: FleetIndex, chunks: ChunkMetas) -> Iterator[list[Piece]]:
    """The index files of B blocks with the series of one fleet, in pieces: each piece is a list of B, one a block.

    chunks: of B times S series, block after block; in each block the references ascend from series to series.
    ValueError: times or references that do not ascend, or several blocks of a fleet that is encoded in batches.
    InputError: more than the format can hold.
    """
    blocks = chunks.counts.size // len(index.fleet)
    yield [HEADER] * blocks
    yield from ([piece] * blocks for piece in index.symbols.encode())
    series_at = len(HEADER) + index.symbols.size
    yield [padding(series_at, SERIES_ALIGN)] * blocks
    ids, series_ends = yield from _encode_series_sections(index, chunks, series_at)
    yield [padding(end, POSTINGS_ALIGN) for end in series_ends.tolist()]
    postings_at = series_ends + -series_ends % POSTINGS_ALIGN
    yield from index.postings.encode(ids)
    yield from index.table.encode(postings_at[:, None] + index.postings.offsets)
    tables_at = (postings_at + index.postings.size).tolist()
    places = zip(series_ends.tolist(), tables_at, strict=True)
    yield [TableOfContents(len(HEADER), series_at, end, table, end, table).encode() for end, table in places]


def _encode_series_sections(
    index: FleetIndex, chunks: ChunkMetas, position: int
) -> Generator[list[Piece], None, tuple[U32Array, I64Array]]:
    """Yields batches from ``position`` on; returns the ids, big-endian uint32 (B, S), and the ends, int64 (B,)."""
    size, blocks = len(index.fleet), chunks.counts.size // len(index.fleet)
    if blocks > 1 and len(index.rows) > 1:
        raise ValueError("blocks of a fleet that is encoded in batches come one at a time")
    ends = np.full(blocks, position + len(padding(position, SERIES_ALIGN)))
    ids, last_refs = np.empty((blocks, size), np.uint32), np.full(blocks, -1)
    for rows, labels in zip(index.rows, index.labels, strict=True):
        count = rows.stop - rows.start
        batch = chunks.flat(slice(rows.start, rows.start + blocks * count))
        last_refs = require_order(batch, last_refs)
        ends_section = slice(count - 1, None, count) if rows.stop == size else slice(0)
        entries = encode_series([_repeat_rows(column, blocks) for column in labels], batch, ends_section)
        starts, reached = entries.offsets[:-1].reshape(blocks, count), entries.offsets[count::count]
        ids[:, rows] = big_endian((starts + (ends - starts[:, 0])[:, None]) // SERIES_ALIGN)
        ends += reached - starts[:, 0]
        if ends.max() > MAX_SERIES_END:
            raise InputError("the index would exceed 64 GiB", "push fewer series at once")
        yield list(split(entries, blocks))
    return ids, ends


def _labels_of(fleet: Fleet, rows: slice, *, merge: bool) -> list[Column]:
    columns = label_columns(fleet, rows)
    return merge_columns(columns) if merge else columns


def _repeat_rows(column: Column, times: int) -> Column:
    data, lengths = column
    return column if times == 1 or lengths.size == 1 else (np.tile(data, (times, 1)), np.tile(lengths, times))
