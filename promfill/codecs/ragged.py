"""Join byte strings row by row, without a loop over the rows.

Two ways, by what the strings are. Short ones (varints, checksums, label references) are columns: each is written
once into one padded matrix, beside a mask of the bytes that count, and one boolean selection closes the gaps, at
about a nanosecond a byte. Strings of any length, where one long one would blow up the matrix, are gathered by the
place of each byte, at about four.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promfill.model import RaggedBytes, freeze

Column = tuple[NDArray[np.uint8], NDArray[np.int64]]
"""Bytes uint8 (n, w), left-aligned, and lengths int64 (n,), none above w. One row stands for all rows."""


def columns_to_ragged(columns: Sequence[Column]) -> RaggedBytes:
    """Row i of the result is row i of every column, joined in the order of the columns.

    Every column has n rows, or one that stands for all; at least one column. ValueError: other numbers of rows.
    """
    (rows,) = np.broadcast_shapes(*(lengths.shape for _, lengths in columns))
    widths = [int(lengths.max(initial=0)) for _, lengths in columns]
    padded = np.empty((rows, sum(widths)), np.uint8)
    counted = np.empty(padded.shape, np.bool_)
    offsets = np.zeros(rows + 1, np.int64)
    left = 0
    for (data, lengths), width in zip(columns, widths, strict=True):
        padded[:, left : left + width] = data[:, :width]
        np.less(np.arange(width), lengths[:, None], out=counted[:, left : left + width])
        offsets[1:] += lengths
        left += width
    return RaggedBytes(freeze(padded[counted]), freeze(np.cumsum(offsets, out=offsets)))


def constant(data: bytes) -> Column:
    """A column with the same bytes in every row."""
    return np.frombuffer(data, np.uint8)[None, :], np.array([len(data)], np.int64)


def gather(buffer: NDArray[np.uint8], starts: NDArray[np.int64], lengths: NDArray[np.int64]) -> RaggedBytes:
    """The strings ``buffer[starts[i] : starts[i] + lengths[i]]``, one after the other; both int64 (n,)."""
    offsets = np.zeros(lengths.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
    return RaggedBytes(freeze(buffer[places]), freeze(offsets))


def interleave(parts: Sequence[RaggedBytes]) -> RaggedBytes:
    """Row i of the result is row i of every part, joined in the order of the parts; all have n strings."""
    buffer = np.concatenate([part.buffer for part in parts])
    bases = np.cumsum([0, *(part.buffer.size for part in parts[:-1])])
    starts = np.stack([part.offsets[:-1] + base for part, base in zip(parts, bases, strict=True)], axis=1)
    lengths = np.stack([part.lengths for part in parts], axis=1)
    joined = gather(buffer, starts.ravel(), lengths.ravel())
    return RaggedBytes(joined.buffer, freeze(joined.offsets[:: len(parts)].copy()))
