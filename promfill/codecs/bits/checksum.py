"""CRC32-C (Castagnoli, RFC 3720 appendix B.4), the checksum of every part of a block."""

from __future__ import annotations

import functools

import crc32c as _castagnoli
import numpy as np

from promfill.model.batch import freeze
from promfill.model.types import I64Array, U8Array, U32Array

Bytes = bytes | bytearray | memoryview | U8Array


def crc32c(buffer: Bytes, crc: int = 0) -> int:
    """The checksum of the buffer; with ``crc``, the checksum of earlier bytes followed by the buffer."""
    return _castagnoli.crc32c(_view(buffer), crc)


def crc32c_many(buffer: Bytes, starts: I64Array, ends: I64Array) -> U32Array:
    """The checksums uint32 (n,) of ``buffer[starts[i]:ends[i]]``; starts and ends int64 (n,).

    One C call a piece: tables in numpy are not faster, and most of the time goes to the slicing.
    """
    pieces = map(_view(buffer).__getitem__, map(slice, starts.tolist(), ends.tolist()))
    return np.fromiter(map(_castagnoli.crc32c, pieces), np.uint32, starts.size)


def crc32c_words(head: bytes, words: U32Array) -> U32Array:
    """The checksums uint32 (n,) of the head followed by each word's four bytes, as they are in memory.

    A CRC is linear: each byte's share is a look-up, at a tenth of the cost of a call.
    """
    base, shares = _shares_of_word(head)
    octets = words.view(np.uint8).reshape(-1, 4)
    sums = np.full(words.size, base, np.uint32)
    for place, share in enumerate(shares):
        sums ^= share[octets[:, place]]
    return sums


@functools.lru_cache(maxsize=4)
def _shares_of_word(head: bytes) -> tuple[int, U32Array]:
    """The checksum of the head and a word of zeros, and (4, 256) what each byte at each place changes in it."""
    start = crc32c(head)
    base = crc32c(bytes(4), start)
    shares = [
        crc32c(bytes([*[0] * place, value, *[0] * (3 - place)]), start) ^ base
        for place in range(4)
        for value in range(256)
    ]
    return base, freeze(np.array(shares, np.uint32).reshape(4, 256))


def _view(buffer: Bytes) -> memoryview:
    return buffer.data if isinstance(buffer, np.ndarray) else memoryview(buffer)
