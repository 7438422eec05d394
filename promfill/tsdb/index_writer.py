"""The index of a block, as pieces of bytes in file order, without a Python loop over its series.

What belongs to the fleet is built once, in a `FleetIndex`; what belongs to a block (chunks, the ids and offsets that
follow from them) per block. Series and lists go in batches: memory is bounded by the fleet's labels, not by the
index. No piece is written before the sizes it tells are known, so the receiver never seeks.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.ragged import Column
from promfill.errors import InputError
from promfill.model import Fleet
from promfill.tsdb.batches import Batches
from promfill.tsdb.chunk_metas import ChunkMetas, Int64, require_order
from promfill.tsdb.index_format import (
    HEADER,
    MAX_SERIES_END,
    POSTINGS_ALIGN,
    SERIES_ALIGN,
    Piece,
    TableOfContents,
    padding,
)
from promfill.tsdb.postings import PostingsLayout, PostingsLists, big_endian
from promfill.tsdb.postings_table import PostingsTable
from promfill.tsdb.series_entries import encode_series, label_columns, merge_columns
from promfill.tsdb.symbols import SymbolRecords

_BATCH_ROWS = 8192
_KEPT_CELLS = 1 << 18
"""Cells (series by labels) of a fleet up to which its batches are kept, at about 30 bytes a cell."""


class FleetIndex:
    """What the indices of all blocks of a fleet have in common: symbols, label bytes, postings order."""

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

    def lists_of(self, present: NDArray[np.bool_]) -> tuple[PostingsLayout, PostingsTable]:
        """Postings and their offset table for a block that holds the series ``present``, bool (S,)."""
        if present.all():
            return self.postings, self.table
        lists = self.postings.lists.keep(present)
        return PostingsLayout(lists, keep=False), PostingsTable(lists, self.symbols, keep=False)


def encode_index(index: FleetIndex, min_times: Int64, max_times: Int64, refs: Int64) -> Iterator[Piece]:
    """The index file of one block, in pieces.

    min_times, max_times: int64 ms, (C,) where the series share them, else (S, C): the first and last sample of each
    chunk. refs: int64 (S, C), rising in C order, ``NO_CHUNK`` where a series has no such chunk. A series with no
    chunk at all is left out, and a postings list that would be empty; the symbols stay, as in Prometheus's own blocks.
    ValueError: times or references that do not rise, or no chunk at all. InputError: more than the format can hold.
    """
    chunks = ChunkMetas(min_times, max_times, refs)
    present = chunks.counts > 0
    if not present.any():
        raise ValueError("a block without chunks has no index")
    postings, table = index.lists_of(present)
    yield HEADER
    yield from index.symbols.encode()
    series_at = len(HEADER) + index.symbols.size
    yield padding(series_at, SERIES_ALIGN)
    ids, series_end = yield from _encode_series_section(index, chunks, present, series_at)
    yield padding(series_end, POSTINGS_ALIGN)
    postings_at = series_end + len(padding(series_end, POSTINGS_ALIGN))
    yield from postings.encode(ids)
    yield from table.encode(postings_at + postings.offsets)
    table_at = postings_at + postings.size
    yield TableOfContents(len(HEADER), series_at, series_end, table_at, series_end, table_at).encode()


def _encode_series_section(
    index: FleetIndex, chunks: ChunkMetas, present: NDArray[np.bool_], position: int
) -> Generator[Piece, None, tuple[NDArray[np.uint32], int]]:
    """Yields the section's batches from ``position`` on; returns the ids, big-endian uint32 (S,), and its end."""
    position += len(padding(position, SERIES_ALIGN))
    ids = np.zeros(present.size, np.uint32)
    last_row, last_ref = int(np.flatnonzero(present)[-1]), -1
    for rows, labels in zip(index.rows, index.labels, strict=True):
        kept = present[rows]
        if not kept.any():
            continue
        if not kept.all():
            labels = [_rows_of(column, kept) for column in labels]
        batch = chunks[rows][kept].left_aligned()
        counts = batch.counts
        last_ref = require_order(batch, counts, last_ref)
        entries, ends = encode_series(labels, batch, counts, ends_section=last_row < rows.stop)
        starts = position + np.append(0, ends[:-1])
        ids[rows][kept] = big_endian(starts // SERIES_ALIGN)
        position += int(ends[-1])
        if position > MAX_SERIES_END:
            raise InputError("the index would exceed 64 GiB: push fewer series at once")
        yield entries.data
    return ids, position


def _labels_of(fleet: Fleet, rows: slice, *, merge: bool) -> list[Column]:
    columns = label_columns(fleet, rows)
    return merge_columns(columns) if merge else columns


def _rows_of(column: Column, kept: NDArray[np.bool_]) -> Column:
    data, lengths = column
    return column if lengths.size == 1 else (data[kept], lengths[kept])
