"""Variable-length integers, many at a time: seven bits a byte, lowest first, the high bit set on all but the last.

Unsigned ones ("uvarint") are those of Go's encoding/binary and of protobuf; signed ones ("varint") are zigzagged
first, so that small magnitudes of either sign stay short.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promfill.errors import FormatError

MAX_VARINT = 10
"""Bytes of the longest varint: 64 bits by sevens."""

_SEVEN = np.uint64(7)
_MASK = np.uint8(0x7F)
_MORE = np.uint8(0x80)


def encode_uvarints(values: NDArray[np.uint64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
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


def decode_uvarints(buffer: NDArray[np.uint8], at: NDArray[np.int64]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Decode the n integers that begin at ``at`` int64 (n,): values uint64 (n,) and lengths in bytes int64 (n,).

    As Go does, it takes an integer with needless zero bytes at its end. FormatError: an integer that runs past the
    buffer, or that does not fit 64 bits.
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


def zigzag(values: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Signed to unsigned: 0, -1, 1, -2 … become 0, 1, 2, 3 …; same shape."""
    return ((values << 1) ^ (values >> 63)).view(np.uint64)


def unzigzag(values: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The inverse of ``zigzag``; same shape."""
    return (values >> np.uint64(1)).view(np.int64) ^ -(values & np.uint64(1)).view(np.int64)


def _bytes_at(buffer: NDArray[np.uint8], position: NDArray[np.int64]) -> NDArray[np.uint8]:
    outside = (position < 0) | (position >= buffer.size)
    if outside.any():
        raise FormatError("a varint runs past the end", offset=int(position[outside][0]))
    return buffer[position]
