"""Check an index beyond its checksums: order, references, and postings that name the series with each label pair.

All by arrays; a loop over label names, none over series. FormatError: the first rule that is broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from operator import ge

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.block.cut import cut_runs
from promfill.codecs.block.index_format import SERIES_ALIGN
from promfill.codecs.block.index_reader import IndexReader, PostingsOffsets
from promfill.codecs.block.series_reader import SeriesEntries
from promfill.errors import FormatError
from promfill.model.batch import RaggedBytes
from promfill.model.ragged import gather
from promfill.model.types import BoolArray, I64Array, U32Array

_IDS_AT_ONCE = 1 << 20
_TABLE = "index postings offset table"


def check_index(index: IndexReader) -> None:
    """Symbols, series and postings, each against its rules and against the others."""
    strings = list(index.symbols)
    if any(map(ge, strings, strings[1:])):
        raise FormatError("strings are not in order", section="index symbols")
    check_series(index.series, empty=0 if strings and not strings[0] else -1)
    _check_postings(index)


def check_series(entries: SeriesEntries, *, empty: int) -> None:
    """Check order: labels in each series, the series, and their chunks in time and place; each series has both.

    empty: the reference of the empty string, which no label's name or value is; -1 if it is not a symbol.
    """
    at = entries.ids * SERIES_ALIGN
    _refuse(np.diff(entries.label_bounds) == 0, "a series without labels", at)
    _refuse(np.diff(entries.chunk_bounds) == 0, "a series without chunks", at)
    pair_at = np.repeat(at, np.diff(entries.label_bounds))
    _refuse((entries.names == empty) | (entries.values == empty), "an empty label name or value", pair_at)
    falls = np.flatnonzero(entries.names[1:] <= entries.names[:-1]) + 1
    _refuse(~_at_bounds(falls, entries.label_bounds), "labels are not in order", pair_at[falls])
    _refuse(~_rises(entries), "series are not in order", at[1:])
    chunk_at = np.repeat(at, np.diff(entries.chunk_bounds))
    overlaps = np.flatnonzero(entries.min_times[1:] <= entries.max_times[:-1]) + 1
    _refuse(~_at_bounds(overlaps, entries.chunk_bounds), "chunks overlap or are not in order", chunk_at[overlaps])
    _refuse(entries.refs[1:] <= entries.refs[:-1], "chunk references do not rise", chunk_at[1:])


def _rises(entries: SeriesEntries) -> BoolArray:
    """bool (n - 1,): whether each label set comes after the one before it: pair by pair, then the longer one."""
    keys = (entries.names.astype(np.uint64) << np.uint64(32) | entries.values) + np.uint64(1)
    starts, counts = entries.label_bounds[:-1], np.diff(entries.label_bounds)
    rises = np.zeros(max(0, len(entries) - 1), np.bool_)
    equal, place = np.arange(rises.size), 0
    while equal.size:
        before, after = (
            np.where(place < counts[row], keys[starts[row] + np.minimum(place, counts[row] - 1)], 0)
            for row in (equal, equal + 1)
        )
        rises[equal] = after > before
        equal = equal[(after == before) & (after > 0)]
        place += 1
    return rises


def _check_postings(index: IndexReader) -> None:
    """Check that table and lists are exactly those that follow from the series."""
    table, entries = index.postings_offsets, index.series
    first = 1
    for name, values, ids, counts in _expected(entries):
        run = slice(first, first + values.size)
        first = run.stop
        _same(table, run, table.name_starts, table.name_lengths, index.symbols, np.full(values.size, name))
        _same(table, run, table.value_starts, table.value_lengths, index.symbols, values)
        _check_lists(index, table.offsets[run], ids, counts)
    if first != table.offsets.size:
        raise FormatError("the table lists label pairs that no series has", section=_TABLE)


def _expected(entries: SeriesEntries) -> Iterator[tuple[int, U32Array, I64Array, I64Array]]:
    """For each label name: its values, ascending; the ids of the series, value by value; how many each value has."""
    order = np.argsort(entries.names, kind="stable")
    bounds = np.flatnonzero(np.diff(entries.names[order], prepend=-1, append=-1))
    for start, stop in pairwise(bounds.tolist()):
        pairs = order[start:stop]
        pairs = pairs[np.argsort(entries.values[pairs], kind="stable")]
        values, counts = np.unique(entries.values[pairs], return_counts=True)
        ids = entries.ids[np.searchsorted(entries.label_bounds, pairs, "right") - 1]
        yield int(entries.names[pairs[0]]), values, ids, counts


def _same(
    table: PostingsOffsets,
    run: slice,
    starts: I64Array,
    lengths: I64Array,
    symbols: RaggedBytes,
    references: NDArray[np.integer],
) -> None:
    """Check that the strings of some entries of the table are these symbols."""
    wanted = symbols.lengths[references]
    if starts[run].size != wanted.size or (lengths[run] != wanted).any():
        raise FormatError("the table does not list the label pairs of the series", section=_TABLE)
    found = gather(table.data, starts[run], lengths[run])
    if (found.buffer != gather(symbols.buffer, symbols.offsets[references], wanted).buffer).any():
        raise FormatError("the table does not list the label pairs of the series", section=_TABLE)


def _check_lists(index: IndexReader, offsets: I64Array, ids: I64Array, counts: I64Array) -> None:
    done = 0
    for run in cut_runs(counts, _IDS_AT_ONCE):
        found, found_counts = index.postings(offsets[run])
        stop = done + int(counts[run].sum())
        if (found_counts != counts[run]).any() or (found != ids[done:stop]).any():
            raise FormatError("a list does not name the series that have its label", section="index postings")
        done = stop


def _at_bounds(places: I64Array, bounds: I64Array) -> BoolArray:
    """Whether a series begins at each place."""
    return np.isin(places, bounds)


def _refuse(bad: BoolArray, what: str, at: I64Array) -> None:
    if bad.any():
        raise FormatError(what, section="index series", offset=int(at[int(np.argmax(bad))]))
