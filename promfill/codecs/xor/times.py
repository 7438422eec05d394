"""The timestamps of XOR chunks: delta-of-deltas and their tokens, for all chunks of a batch at once.

    0                     the same delta
    10   + 14 bits        -(2^13 - 1) … 2^13           ("-8191 … 8192": the upper bound is included, the lower is not)
    110  + 17 bits        -(2^16 - 1) … 2^16
    1110 + 20 bits        -(2^19 - 1) … 2^19
    1111 + 64 bits        all others

(tsdb/chunkenc/xor.go). The head of a chunk holds the first sample's time and the second's delta; neither has a
token, which is the same as a token ``0`` that overlaps the head's last bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.model.scratch import Scratch, row_blocks
from promfill.model.types import BoolArray, I64Array, U8Array, U32Array

FAR_BITS = 68
"""Length of a token with a 64-bit delta-of-delta; the others have 24 at most."""


@dataclass(frozen=True, slots=True, eq=False)
class TimeTokens:
    """The delta-of-delta tokens of T x S samples; scratch arrays, valid until the next call.

    tokens: uint32 (T, S), right-aligned, 0 where the delta-of-delta needs 64 bits. lengths: uint8 (T, S), in bits.
    far_places: int64 (n,), flat places of those of 64 bits, far_values: int64 (n,), their delta-of-deltas.
    """

    tokens: U32Array
    lengths: U8Array
    far_places: I64Array
    far_values: I64Array


def is_regular(timestamps: I64Array, chunk_rows: int, work: Scratch) -> bool:
    """Whether all delta-of-deltas inside chunks of ``chunk_rows`` rows are zero; timestamps: int64 (T, G)."""
    blocks = row_blocks(2, *timestamps.shape)
    return not any(_delta_of_deltas(timestamps, rows, chunk_rows, work).any() for rows in blocks)


def time_tokens(
    timestamps: I64Array, counts: I64Array | None, series: int, chunk_rows: int, work: Scratch
) -> TimeTokens:
    """Encode the times int64 (T, G) of ``series`` columns; each of G serves as many adjacent columns.

    counts: int64 (series,), rows that each column has; after them tokens are ``0``.
    """
    shape = (timestamps.shape[0], series)
    tokens = work.get("xor.time tokens", shape, np.uint32)
    lengths = work.get("xor.time lengths", shape, np.uint8)
    tokens[:2], lengths[:2] = 0, 1
    places, values = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for rows in row_blocks(2, *shape):
        changes = _delta_of_deltas(timestamps, rows, chunk_rows, work)
        if changes.shape[1] < series:
            changes = np.repeat(changes, series // changes.shape[1], axis=1)
        if counts is not None:
            changes[np.arange(rows.start, rows.stop)[:, None] >= counts] = 0
        _encode(changes, tokens[rows], lengths[rows], work)
        if int(lengths[rows].max()) == FAR_BITS:
            far = np.flatnonzero(lengths[rows] == FAR_BITS)
            places.append(far + rows.start * series)
            values.append(changes.reshape(-1)[far].astype(np.int64))
    return TimeTokens(tokens, lengths, np.concatenate(places), np.concatenate(values))


def _delta_of_deltas(timestamps: I64Array, rows: slice, chunk_rows: int, work: Scratch) -> NDArray[Any]:
    """The delta-of-deltas of these rows (from row 2 on), 0 in a chunk's first two; int32 if small: half the traffic."""
    shape = (rows.stop - rows.start, timestamps.shape[1])
    deltas = work.get("xor.deltas", (shape[0] + 1, shape[1]), np.int64)
    np.subtract(timestamps[rows.start - 1 : rows.stop], timestamps[rows.start - 2 : rows.stop - 1], out=deltas)
    if deltas.min() > -(1 << 30) and deltas.max() < 1 << 30:
        narrow = work.get("xor.narrow deltas", deltas.shape, np.int32)
        np.copyto(narrow, deltas, casting="unsafe")
        deltas = narrow
    changes = work.get("xor.changes", shape, deltas.dtype)
    np.subtract(deltas[1:], deltas[:-1], out=changes)
    for row in (0, 1):
        changes[(row - rows.start) % chunk_rows :: chunk_rows] = 0
    return changes


def _encode(changes: NDArray[Any], tokens: U32Array, lengths: U8Array, work: Scratch) -> None:
    """Tokens and lengths of delta-of-deltas int32 or int64; the token is left zero if 64 bits are needed."""
    shape = changes.shape
    classes = work.get("xor.classes", shape, np.uint8)
    flag = work.get("xor.flag", shape, np.bool_)
    _measure(changes, classes, flag, lengths, work)

    # Body and prefix are the changes cut to the body's 14 + 3 classes bits, ones on the left, and a 0 between them.
    # A right shift of all ones makes the masks; for the 68 bits of a far one it wraps to a shift that leaves none.
    shift = work.get("xor.shift32", shape, np.uint32)
    mask = work.get("xor.mask32", shape, np.uint32)
    ones = np.uint32(0xFFFFFFFF)
    np.multiply(classes, 3, out=classes)
    np.subtract(32 - 14, classes, out=classes)
    np.copyto(shift, classes)
    np.right_shift(ones, shift, out=mask)
    np.copyto(tokens, changes, casting="unsafe")
    np.bitwise_and(tokens, mask, out=tokens)
    np.invert(mask, out=mask)
    np.left_shift(mask, 1, out=mask)
    np.bitwise_or(tokens, mask, out=tokens)
    np.subtract(32, lengths, out=classes)
    np.copyto(shift, classes)
    np.right_shift(ones, shift, out=mask)
    np.bitwise_and(tokens, mask, out=tokens)


def _measure(
    changes: NDArray[Any],
    classes: U8Array,
    flag: BoolArray,
    lengths: U8Array,
    work: Scratch,
) -> None:
    """The class of each body, 0 for 14 bits, 1 for 17, 2 for 20 and more; and the lengths of the tokens."""
    kind = changes.dtype.type
    size = work.get("xor.size", changes.shape, changes.dtype)
    sign = work.get("xor.sign", changes.shape, changes.dtype)
    np.subtract(changes, kind(1), out=size)
    np.right_shift(size, kind(changes.dtype.itemsize * 8 - 1), out=sign)
    np.bitwise_xor(size, sign, out=size)  # now -(2^k - 1) <= change <= 2^k where size < 2^k
    digit = flag.view(np.uint8)
    np.not_equal(changes, 0, out=flag)
    np.multiply(digit, 15, out=lengths)
    np.add(lengths, 1, out=lengths)
    np.greater_equal(size, 1 << 13, out=classes.view(np.bool_))
    np.greater_equal(size, 1 << 16, out=flag)
    np.add(classes, digit, out=classes)
    np.multiply(classes, 4, out=digit)
    np.add(lengths, digit, out=lengths)
    np.greater_equal(size, 1 << 19, out=flag)
    np.multiply(digit, FAR_BITS - 24, out=digit)
    np.add(lengths, digit, out=lengths)
