"""XOR chunks (tsdb/chunkenc/xor.go) to arrays, many at a time: this checks sizes, `lockstep` does the work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from promfill.codecs.xor.lockstep import Lockstep, damaged
from promfill.model.ragged import gather
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U64Array

LANES = 12_288
"""Chunks in one lockstep: enough to hide numpy's call overhead, few enough for their state to stay in the cache."""

_COUNT_BYTES = 2
_LEAST_BITS_OF_ONE = 8 * (_COUNT_BYTES + 1 + 8)
_LEAST_BITS_OF_TWO = _LEAST_BITS_OF_ONE + 8 + 1
_LEAST_BITS_OF_NEXT = 2
_SPARSE = 4
"""If a stretch of the buffer is this many times as long as the chunks in it, the chunks are gathered first."""


@dataclass(frozen=True, slots=True, eq=False)
class DecodedChunks:
    """n decoded chunks, in the order in which they were given; K is the largest count.

    times: int64 (K, n) ms. bits: uint64 (K, n), the float64 values by bits. counts: int64 (n,).
    Rows past a chunk's count are unspecified.
    """

    times: I64Array
    bits: U64Array
    counts: I64Array

    @property
    def present(self) -> BoolArray:
        """bool (K, n): where there is a sample."""
        return np.arange(self.times.shape[0])[:, None] < self.counts


def read_counts(buffer: U8Array, starts: I64Array, ends: I64Array) -> I64Array:
    """Sample counts int64 (n,) of the chunks, each compared with its length: a chunk holds no more than its bits allow.

    Arguments as for `decode_chunks`. FormatError: a chunk outside the buffer, or too short for its count.
    """
    bad = (starts < 0) | (ends > buffer.size) | (ends - starts < _COUNT_BYTES)
    if bad.any():
        raise damaged("bounds outside the data, or no room for a count of samples", starts, bad)
    counts = (buffer[starts].astype(np.int64) << 8) | buffer[starts + 1]
    least = _LEAST_BITS_OF_TWO + _LEAST_BITS_OF_NEXT * (counts - 2)
    least[counts == 1] = _LEAST_BITS_OF_ONE
    least[counts == 0] = 8 * _COUNT_BYTES
    bad = least > 8 * (ends - starts)
    if bad.any():
        raise damaged("more samples promised than it has bits for", starts, bad)
    return counts


def decode_chunks(buffer: U8Array, starts: I64Array, ends: I64Array, *, work: Scratch | None = None) -> DecodedChunks:
    """Decode n XOR chunks: chunk i is ``buffer[starts[i]:ends[i]]``, from its count to the end of its stream.

    buffer: uint8 (N,). starts, ends: int64 (n,), in any order. With `work` the result is in its scratch arrays,
    valid until the next call. It is as large as the largest count times n, so callers limit what they decode at once
    (`read_counts` tells). FormatError: a chunk too short or too long for its count, or against the format.
    """
    counts = read_counts(buffer, starts, ends)
    work = Scratch() if work is None else work
    shape = (int(counts.max(initial=0)), counts.size)
    times = work.get("xor_decode.times", shape, np.int64)
    bits = work.get("xor_decode.bits", shape, np.uint64)
    for lanes in _lanes(counts.size):
        part, first, last = _stretch(buffer, starts[lanes], ends[lanes])
        lockstep = Lockstep(part, first, last, counts[lanes], work, names=starts[lanes])
        lockstep.run(times[:, lanes], bits[:, lanes])
    return DecodedChunks(times, bits, counts)


def _lanes(chunks: int) -> Iterator[slice]:
    parts = -(-chunks // LANES)
    return (slice(chunks * part // parts, chunks * (part + 1) // parts) for part in range(parts))


def _stretch(buffer: U8Array, starts: I64Array, ends: I64Array) -> tuple[U8Array, I64Array, I64Array]:
    """The bytes that hold the chunks, and where these start and end in them."""
    first, last = int(starts.min()), int(ends.max())
    if last - first <= _SPARSE * int((ends - starts).sum()):
        return buffer[first:last], starts - first, ends - first
    chunks = gather(buffer, starts, ends - starts)
    return chunks.buffer, chunks.offsets[:-1], chunks.offsets[1:]
