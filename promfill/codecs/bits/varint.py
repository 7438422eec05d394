"""Variable-length integers, many at a time: seven bits a byte, lowest first, the high bit set on all but the last.

Unsigned ones ("uvarint") are those of Go's encoding/binary and of protobuf; signed ones ("varint") are zigzagged
first, so that small magnitudes of either sign stay short.
"""

from __future__ import annotations

import numpy as np

from promfill.errors import FormatError
from promfill.model.types import I64Array, U8Array, U64Array

MAX_VARINT = 10
"""Bytes of the longest varint: 64 bits by sevens."""

_SEVEN = np.uint64(7)
_MASK = np.uint8(0x7F)
_MORE = np.uint8(0x80)


def encode_uvarints(values: U64Array) -> tuple[U8Array, I64Array]:
    """Encode n integers: bytes uint8 (n, 10), left-aligned and zero-padded, and their lengths int64 (n,)."""
    encoded = np.zeros((values.size, MAX_VARINT), np.uint8)
    lengths = np.ones(values.size, np.int64)
    rest = values
    for column in range(MAX_VARINT):
        more = rest > _MASK
        encoded[:, column] = rest.astype(np.uint8) & _MASK | more.view(np.uint8) << 7
        if not more.any():
            break
        lengths += more
        rest = rest >> _SEVEN
    return encoded, lengths


def decode_uvarints(buffer: U8Array, at: I64Array) -> tuple[U64Array, I64Array]:
    """Decode the n integers that begin at ``at`` int64 (n,): values uint64 (n,) and lengths in bytes int64 (n,).

    As Go does, it accepts an integer with needless zero bytes at its end. FormatError: an integer that runs past the
    buffer, or does not fit 64 bits.
    """
    values = np.zeros(at.size, np.uint64)
    lengths = np.ones(at.size, np.int64)
    open_rows, position = np.arange(at.size), at
    for column in range(MAX_VARINT):
        byte = _bytes_at(buffer, position)
        values[open_rows] |= (byte & _MASK).astype(np.uint64) << np.uint64(7 * column)
        going_on = byte >= _MORE
        if column == MAX_VARINT - 1 and (byte > 1).any():
            raise FormatError("a varint of more than 64 bits", offset=int(at[open_rows[byte > 1][0]]))
        if not going_on.any():
            break
        open_rows, position = open_rows[going_on], position[going_on] + 1
        lengths[open_rows] += 1
    return values, lengths


def zigzag(values: I64Array) -> U64Array:
    """Signed to unsigned: 0, -1, 1, -2 … become 0, 1, 2, 3 …; same shape."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(values: U64Array) -> I64Array:
    """The inverse of ``zigzag``; same shape."""
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def _bytes_at(buffer: U8Array, position: I64Array) -> U8Array:
    outside = (position < 0) | (position >= buffer.size)
    if outside.any():
        raise FormatError("a varint runs past the end", offset=int(position[outside][0]))
    return buffer[position]
