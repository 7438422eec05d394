"""Sort byte strings exactly, many at a time: the symbol table of a fleet.

numpy sorts fixed-width strings fast (and strings already in order in one pass), but takes NUL bytes at the end
for padding, and one long string would make all of them wide. So the key of a string is its first bytes, at a width
that suits most, then its length; the few long strings with equal keys are put in order one by one.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.model.batch import RaggedBytes, freeze
from promfill.model.ragged import gather
from promfill.model.types import BoolArray, I64Array, U32Array

_BLOCK = 1 << 15  # strings handled at a time: bounds the scratch space


def symbol_table(strings: RaggedBytes) -> tuple[RaggedBytes, U32Array]:
    """The distinct strings in byte order, and for each of the n strings its place among them: uint32 (n,)."""
    width = _key_width(strings)
    keys = _keys(strings, width)
    order = np.lexsort((strings.lengths, keys))
    fresh = _differs_from_last(strings.lengths, keys, order)
    _settle_long(strings, width, keys, order, fresh)
    ranks = np.empty(order.size, np.uint32)
    ranks[order] = np.cumsum(fresh, dtype=np.uint32) - np.uint32(1)
    return _take(strings, order[fresh]), ranks


def _key_width(strings: RaggedBytes) -> int:
    """A width that fits most strings: by Markov at most a quarter is longer than four times the mean."""
    longest = int(strings.lengths.max(initial=1))
    return max(1, min(longest, 16 + 4 * strings.buffer.size // max(1, len(strings))))


def _keys(strings: RaggedBytes, width: int) -> NDArray[np.bytes_]:
    """The first `width` bytes of each string, zero-padded: S (n,)."""
    keys = np.zeros((len(strings), width), np.uint8)
    lengths = np.minimum(strings.lengths, width)
    for first in range(0, len(strings), _BLOCK):
        block = slice(first, first + _BLOCK)
        counted = np.arange(width) < lengths[block, None]
        keys[block][counted] = gather(strings.buffer, strings.offsets[:-1][block], lengths[block]).buffer
    return keys.view(f"S{width}").reshape(-1)


def _differs_from_last(lengths: I64Array, keys: NDArray[np.bytes_], order: I64Array) -> BoolArray:
    """bool (n,): whether key or length differs from those of the string before, in sorted order."""
    fresh = np.ones(order.size, np.bool_)
    sorted_keys, sorted_lengths = keys[order], lengths[order]
    np.not_equal(sorted_keys[1:], sorted_keys[:-1], out=fresh[1:])
    fresh[1:] |= sorted_lengths[1:] != sorted_lengths[:-1]
    return fresh


def _settle_long(strings: RaggedBytes, width: int, keys: NDArray[np.bytes_], order: I64Array, fresh: BoolArray) -> None:
    """Sort strings longer than their key among those with the same key, in place."""
    long = np.flatnonzero(strings.lengths[order] > width)
    if not long.size:
        return
    same_key = (np.diff(long) == 1) & (keys[order[long[1:]]] == keys[order[long[:-1]]])
    for run in np.split(long, np.flatnonzero(~same_key) + 1):
        ranked = sorted((strings[row], row) for row in order[run].tolist())
        order[run] = [row for _, row in ranked]
        fresh[run[1:]] = [a != b for (a, _), (b, _) in pairwise(ranked)]


def _take(strings: RaggedBytes, rows: I64Array) -> RaggedBytes:
    """The strings of these rows, in this order."""
    starts, lengths = strings.offsets[:-1][rows], strings.lengths[rows]
    offsets = np.zeros(rows.size + 1, np.int64)
    np.cumsum(lengths, out=offsets[1:])
    buffer: NDArray[Any] = np.empty(offsets[-1], np.uint8)
    for first in range(0, rows.size, _BLOCK):
        block = slice(first, min(first + _BLOCK, rows.size))
        buffer[offsets[block.start] : offsets[block.stop]] = gather(
            strings.buffer, starts[block], lengths[block]
        ).buffer
    return RaggedBytes(freeze(buffer), freeze(offsets))
