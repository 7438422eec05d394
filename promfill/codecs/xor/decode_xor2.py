"""XOR2 chunks (encoding 4) to arrays, many at a time. Source: prometheus/prometheus, tsdb/chunkenc/xor2.go, 2026.

    2-byte count | start timestamps <1b> | varint t0 | 64-bit v0 | uvarint delta, value | sample | sample | …

    sample           0                         the same delta and value again
                     10, value'                the same delta
                     110, 1110, 11110          and 13, 20, 64 bits of delta-of-delta, two's complement, then value
                     11111                     the same delta, a staleness marker
    value            0                         the same value again
                     10                        and the bits of the window that the chunk has
                     110                       and 5 bits leading zeros, 6 bits length (0 is 64), the bits: a new window
                     111                       a staleness marker
    value'           0, 1                      as 10 and 110

A staleness marker is not compared with the next value. The byte of start timestamps tells whether the first
sample is followed by one (bit 7), and from which sample on each is (bits 0 to 6): they are skipped. As in
`lockstep`, step k reads sample k of every chunk; these chunks are rare, so nothing here is optimized for speed.
"""

from __future__ import annotations

import numpy as np

from promfill.codecs.bits.varint import unzigzag
from promfill.codecs.bits.words import big_endian_words, uvarints_at, words_at
from promfill.codecs.xor.decode import DecodedChunks
from promfill.codecs.xor.lockstep import damaged
from promfill.errors import FormatError
from promfill.model.batch import STALE_NAN_BITS
from promfill.model.ragged import gather
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U64Array

_HEADER = 3
_LEAST_BITS = 8 * (1 + 8)
_STALE = np.uint64(STALE_NAN_BITS)
_FIRST_KNOWN, _CHANGES_ON = 0x80, 0x7F
_MOST_UNUSED_BITS = 7

_CONTROL_BITS = np.array([1, 2, 3, 4, 5, 5])
_DELTA_BITS = np.array([0, 0, 13, 20, 64, 0])
_VARBIT_BITS = np.array([1, 5, 9, 13, 17, 24, 32, 64, 72])
_SAME, _REUSE, _NEW, _MARKER = range(4)
_KIND_BITS = np.array([1, 2, 3, 3])


def read_xor2_counts(buffer: U8Array, starts: I64Array, ends: I64Array) -> I64Array:
    """Sample counts int64 (n,), none larger than the bits of its chunk allow; arguments as for `decode_xor2_chunks`.

    FormatError: a chunk outside the buffer, or too short for its count.
    """
    bad = (starts < 0) | (ends > buffer.size) | (ends - starts < _HEADER)
    if bad.any():
        raise damaged("bounds outside the data, or no room for a count of samples", starts, bad)
    counts = (buffer[starts].astype(np.int64) << 8) | buffer[starts + 1]
    bits = 8 * (ends - starts - _HEADER)
    bad = (counts > 0) & (bits < _LEAST_BITS + np.where(counts > 1, 9, 0) + (counts - 2).clip(min=0))
    if bad.any():
        raise damaged("more samples promised than it has bits for", starts, bad)
    return counts


def decode_xor2_chunks(
    buffer: U8Array, starts: I64Array, ends: I64Array, *, work: Scratch | None = None
) -> DecodedChunks:
    """Decode n XOR2 chunks ``buffer[starts[i]:ends[i]]``; otherwise as `decode.decode_chunks`."""
    counts = read_xor2_counts(buffer, starts, ends)
    work = Scratch() if work is None else work
    shape = (int(counts.max(initial=0)), counts.size)
    times, bits = work.get("xor2_decode.times", shape, np.int64), work.get("xor2_decode.bits", shape, np.uint64)
    state = _State(buffer, starts, ends, counts)
    for row in range(shape[0]):
        live = np.flatnonzero(counts > row)
        state.step(row, live)
        times[row, live], bits[row, live] = state.time[live], state.value[live]
    state.check_ends()
    return DecodedChunks(times, bits, counts)


class _State:
    """How far the reading of n chunks has come, and the state that the next samples refer to."""

    def __init__(self, buffer: U8Array, starts: I64Array, ends: I64Array, counts: I64Array) -> None:
        chunks = gather(buffer, starts, ends - starts)
        self.words = big_endian_words(chunks.buffer, Scratch(), "xor2")
        self.names, self.counts = starts, counts
        self.end = 8 * chunks.offsets[1:]
        flags = buffer[starts + 2].astype(np.int64) if starts.size else np.zeros(0, np.int64)
        self.first_known, self.changes_on = flags & _FIRST_KNOWN > 0, flags & _CHANGES_ON
        self.position = 8 * (chunks.offsets[:-1] + _HEADER)
        self.time, self.delta = np.zeros(starts.size, np.int64), np.zeros(starts.size, np.int64)
        self.value, self.baseline = np.zeros(starts.size, np.uint64), np.zeros(starts.size, np.uint64)
        self.leading, self.length = np.zeros(starts.size, np.int64), np.full(starts.size, 64)

    def step(self, row: int, live: I64Array) -> None:
        """Read one sample of each of the chunks `live`."""
        if row == 0:
            self._first(live)
        elif row == 1:
            self.delta[live] = self._uvarints(live).view(np.int64)
            self._values(live, self._kinds(live))
        else:
            self._samples(live)
        self.time[live] += self.delta[live]
        told = live[(self.changes_on[live] > 0) & (row >= self.changes_on[live])]
        self.position[told] += _VARBIT_BITS[_ones(words_at(self.words, self.position[told]), 8)]
        self._refuse(self.position > self.end, "the chunk ends within a sample")

    def check_ends(self) -> None:
        """Check that nothing but the rest of the last byte is left of a chunk with samples."""
        left = self.end - self.position
        self._refuse((self.counts > 0) & (left > _MOST_UNUSED_BITS), "the chunk continues after its last sample")

    def _first(self, live: I64Array) -> None:
        self.time[live] = unzigzag(self._uvarints(live))
        self.value[live] = words_at(self.words, self.position[live])
        self.position[live] += 64
        plain = live[self.value[live] != _STALE]
        self.baseline[plain] = self.value[plain]
        self._uvarints(live[self.first_known[live]])

    def _samples(self, live: I64Array) -> None:
        control = _ones(words_at(self.words, self.position[live]), 5)
        self.position[live] += _CONTROL_BITS[control]
        changed = _DELTA_BITS[control] > 0
        which, width = live[changed], _DELTA_BITS[control[changed]]
        change = words_at(self.words, self.position[which]).view(np.int64) >> (64 - width)
        self.delta[which] += change
        self.position[which] += width
        kinds = np.select([control == 0, control == 5], [_SAME, _MARKER], _NEW)
        kinds[changed] = self._kinds(which)
        short = live[control == 1]
        bit = words_at(self.words, self.position[short]) >> np.uint64(63)
        kinds[control == 1] = _REUSE + bit.astype(np.int64)
        self.position[short] += 1
        self._values(live, kinds)

    def _kinds(self, live: I64Array) -> I64Array:
        """How the values at the positions are encoded; moves the positions past that."""
        kinds = _ones(words_at(self.words, self.position[live]), 3)
        self.position[live] += _KIND_BITS[kinds]
        return kinds

    def _values(self, live: I64Array, kinds: I64Array) -> None:
        """The values, by how they are encoded, and the values that the next are compared with."""
        fresh = live[kinds == _NEW]
        header = words_at(self.words, self.position[fresh])
        self.leading[fresh] = (header >> np.uint64(59)).astype(np.int64)
        length = (header >> np.uint64(53) & np.uint64(63)).astype(np.int64)
        self.length[fresh] = np.where(length, length, 64)
        self.position[fresh] += 11
        self._refuse(self.leading + self.length > 64, "a window of more than 64 bits")
        told = live[(kinds == _REUSE) | (kinds == _NEW)]
        length = self.length[told]
        xor = words_at(self.words, self.position[told]) >> (64 - length).view(np.uint64)
        self.baseline[told] ^= xor << (64 - length - self.leading[told]).view(np.uint64)
        self.position[told] += length
        self.value[live] = np.where(kinds == _MARKER, _STALE, self.baseline[live])

    def _uvarints(self, live: I64Array) -> U64Array:
        try:
            values, lengths = uvarints_at(self.words, self.position[live])
        except FormatError as error:
            bad = np.isin(np.arange(self.names.size), live) & (self.position >> 3 == error.offset)
            raise damaged("a time of more than 64 bits", self.names, bad) from None
        self.position[live] += lengths
        return values

    def _refuse(self, bad: BoolArray, what: str) -> None:
        if bad.any():
            raise damaged(what, self.names, bad)


def _ones(words: U64Array, most: int) -> I64Array:
    """int64 (n,): how many of the highest bits are 1 before the first 0, counted up to `most`."""
    ones = np.zeros(words.size, np.int64)
    going_on = np.ones(words.size, np.bool_)
    for place in range(most):
        going_on &= (words >> np.uint64(63 - place) & np.uint64(1)).astype(np.bool_)
        ones += going_on
    return ones
