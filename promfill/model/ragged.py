"""Rows of different lengths, without a loop over them: the places of their items, and byte strings joined row by row.

Strings are joined in one of two ways. Short ones (varints, checksums, label references) are columns: each is written
once into one padded matrix, with a mask of the bytes that count, and one boolean selection closes the gaps, at about a
nanosecond a byte. Where strings may be long, and one long string would blow up the matrix, columns are inserted
instead, by a mask of the bytes that were there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from promfill.model.batch import RaggedBytes, freeze
from promfill.model.types import I64Array, U8Array

Column = tuple[U8Array, I64Array]
"""Bytes uint8 (n, w), left-aligned, and lengths int64 (n,), none above w. One row stands for all rows."""


def columns_to_ragged(columns: Sequence[Column]) -> RaggedBytes:
    """Row i of the result is row i of every column, joined in the order of the columns.

    Every column has n rows, or a single row that serves for all; there is at least one column. The buffer is fresh and
    left writable: checksums are filled in afterwards. ValueError: columns with other numbers of rows.
    """
    (rows,) = np.broadcast_shapes(*(lengths.shape for _, lengths in columns))
    widths = [int(lengths.max(initial=0)) for _, lengths in columns]
    padded = np.empty((rows, sum(widths)), np.uint8)
    counted = np.ones(padded.shape, np.bool_)
    offsets = np.zeros(rows + 1, np.int64)
    left = 0
    for (data, lengths), width in zip(columns, widths, strict=True):
        padded[:, left : left + width] = data[:, :width]
        for byte in range(int(lengths.min(initial=width)), width):
            np.greater(lengths, byte, out=counted[:, left + byte])
        offsets[1:] += lengths
        left += width
    return RaggedBytes(padded[counted], freeze(np.cumsum(offsets, out=offsets)))


def constant(data: bytes) -> Column:
    """A column with the same bytes in every row."""
    return np.frombuffer(data, np.uint8)[None, :], np.array([len(data)], np.int64)


def gather(buffer: U8Array, starts: I64Array, lengths: I64Array) -> RaggedBytes:
    """The strings ``buffer[starts[i] : starts[i] + lengths[i]]``, one after the other; int64 (n,) both."""
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    return RaggedBytes(freeze(buffer[ragged_range(starts, starts + lengths)]), freeze(offsets))


def ragged_range(starts: I64Array, stops: I64Array) -> I64Array:
    """The numbers from each start to its stop, one after the other: int64."""
    counts = stops - starts
    ends = np.cumsum(counts)
    numbers: I64Array = np.arange(int(ends[-1]) if ends.size else 0)
    numbers += np.repeat(starts - ends + counts, counts)
    return numbers


def repeat(strings: RaggedBytes, times: int) -> RaggedBytes:
    """All the strings, repeated this many times."""
    if times == 1:
        return strings
    begins = strings.offsets[:-1] + strings.buffer.size * np.arange(times)[:, None]
    offsets = np.append(begins.ravel(), strings.buffer.size * times)
    return RaggedBytes(freeze(np.tile(strings.buffer, times)), freeze(offsets))


def split(strings: RaggedBytes, parts: int) -> list[memoryview]:
    """The joined bytes of each of this many parts; all parts have the same number of strings."""
    bounds = strings.offsets[:: len(strings) // parts].tolist()
    return [strings.buffer.data[start:stop] for start, stop in pairwise(bounds)]


def prepend(column: Column, strings: RaggedBytes) -> RaggedBytes:
    """Every string followed by its row of the column."""
    return _insert(strings, column, strings.offsets[:-1])


def append(strings: RaggedBytes, column: Column) -> RaggedBytes:
    """Every string preceded by its row of the column."""
    return _insert(strings, column, strings.offsets[1:])


def _insert(strings: RaggedBytes, column: Column, places: I64Array) -> RaggedBytes:
    """Open a gap for each row of the column, at ``places`` int64 (n,) of the buffer, and fill it."""
    data, lengths = column
    inserted = np.zeros(len(strings) + 1, np.int64)
    np.cumsum(np.broadcast_to(lengths, len(strings)), out=inserted[1:])
    joined = np.empty(strings.buffer.size + int(inserted[-1]), np.uint8)
    old = np.ones(joined.size, np.bool_)
    starts = places + inserted[:-1]
    for byte in range(int(lengths.max(initial=0))):
        rows = lengths > byte
        at = starts[np.broadcast_to(rows, starts.size)] + byte
        joined[at] = data[rows, byte]
        old[at] = False
    joined[old] = strings.buffer
    return RaggedBytes(freeze(joined), freeze(strings.offsets + inserted))
