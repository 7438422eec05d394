"""Bytes as 64-bit words, read at any bit: the base of the lockstep readers of chunks and of index entries.

Reads are clipped to the data, so that no position, however wrong, leads out of it; what lies after the end is
unspecified. Positions are int64 (n,), in bits.
"""

from __future__ import annotations

import numpy as np

from promfill.codecs.bits.varint import decode_uvarints
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U64Array

_BITS = np.uint64(64)
_STOPS = np.uint64(0x8080_8080_8080_8080)
_SPARE_WORDS = 4


def big_endian_words(buffer: U8Array, work: Scratch, name: str) -> U64Array:
    """The buffer uint8 (N,) as words uint64 (N // 8 + 5,), first byte highest, zeros after its end."""
    whole = buffer.size // 8
    words: U64Array = work.get(name, (whole + 1 + _SPARE_WORDS,), np.uint64)
    np.copyto(words[:whole], buffer[: 8 * whole].view(">u8"))
    rest = buffer[8 * whole :].tobytes()
    words[whole:] = 0
    words[whole] = int.from_bytes(rest.ljust(8, b"\0"), "big")
    return words


def words_at(words: U64Array, position: I64Array) -> U64Array:
    """The 64 bits at each position: uint64 (n,)."""
    index, amount = position >> 6, (position & 63).view(np.uint64)
    high, low = words.take(index, mode="clip"), words.take(index + 1, mode="clip")
    return (high << amount) | (low >> (_BITS - amount))


def short_uvarints_at(words: U64Array, position: I64Array) -> tuple[U64Array, I64Array]:
    """The uvarints of up to eight bytes that begin at the positions, all multiples of 8.

    Values uint64 (n,) and lengths in bits int64 (n,); the length is 0 if the uvarint is longer. Each is taken from
    one word, whose seven-bit groups are joined in three steps.
    """
    word = words_at(words, position).byteswap()
    stops = ~word & _STOPS
    counted = stops ^ (stops - np.uint64(1))
    lengths = np.bitwise_count(counted).astype(np.int64)
    lengths[stops == 0] = 0
    return _close_groups(word & counted & ~_STOPS), lengths


def uvarints_at(words: U64Array, position: I64Array) -> tuple[U64Array, I64Array]:
    """The uvarints that begin at the positions, all multiples of 8: values uint64 (n,) and lengths in bits int64 (n,).

    FormatError: one that does not fit 64 bits; its offset is in bytes.
    """
    values, lengths = short_uvarints_at(words, position)
    long = (lengths == 0).nonzero()[0]
    if long.size:
        values[long], sizes = decode_uvarints(words.astype(">u8").view(np.uint8), position[long] >> 3)
        lengths[long] = sizes * 8
    return values, lengths


def _close_groups(word: U64Array) -> U64Array:
    """Join eight groups of seven bits, each in a byte, lowest first, to one number of 56 bits."""
    for low, gap in ((0x007F_007F_007F_007F, 1), (0x0000_3FFF_0000_3FFF, 2), (0x0000_0000_0FFF_FFFF, 4)):
        mask = np.uint64(low)
        word = (word & mask) | ((word & ~mask) >> np.uint64(gap))
    return word
