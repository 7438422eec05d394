"""Samples of whole series, side by side: decoded chunks put in order."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from promfill.codecs.block.segment_reader import XOR
from promfill.codecs.block.tombstones_reader import Tombstones
from promfill.codecs.xor.decode import DecodedChunks, decode_chunks, read_counts
from promfill.codecs.xor.decode_xor2 import decode_xor2_chunks, read_xor2_counts
from promfill.errors import FormatError
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, F64Array, I64Array, U8Array, U64Array

_SIZES = (128, 512, 2048, 8192, 65_536)
"""Chunks of like counts are decoded together, so that one long chunk does not make room for all."""
_CELLS = 1 << 20
_FIELDS = ("chunk", "counts", "times", "bits")


@dataclass(frozen=True, slots=True, eq=False)
class ChunkSamples:
    """The samples of n chunks, one chunk after the other; chunk: int64 (n,), what the caller calls each.

    counts: int64 (n,). times: int64 (N,) ms. bits: uint64 (N,).
    """

    chunk: I64Array
    counts: I64Array
    times: I64Array
    bits: U64Array


@dataclass(frozen=True, slots=True, eq=False)
class SeriesSamples:
    """The samples of m series, ragged: series i has ``times[bounds[i]:bounds[i + 1]]``, rising, and bits likewise.

    rows: int64 (m,), the series. bounds: int64 (m + 1,). times: int64 (N,) ms. bits: uint64 (N,), the values by bits.
    stops: int64 (m,), where it was asked for: when the series' first histogram comes, ms.
    """

    rows: I64Array
    bounds: I64Array
    times: I64Array
    bits: U64Array
    stops: I64Array | None = None

    def __len__(self) -> int:
        return self.rows.size

    @property
    def values(self) -> F64Array:
        """float64 (N,). Arithmetic on them destroys the payloads of NaNs."""
        return self.bits.view(np.float64)

    @property
    def counts(self) -> I64Array:
        """int64 (m,): how many samples each series has."""
        return np.diff(self.bounds)

    @classmethod
    def joined(cls, rows: I64Array, series: I64Array, pieces: Sequence[ChunkSamples]) -> SeriesSamples:
        """Put chunks together. series: int64 (n,), rising: the place among `rows` of each chunk number."""
        if len(pieces) == 1 and (np.diff(pieces[0].chunk) > 0).all():
            (piece,) = pieces
            per_series = np.bincount(series[piece.chunk], piece.counts, rows.size).astype(np.int64)
            return cls(rows, _bounds(per_series), piece.times, piece.bits)._in_order()
        owner = [np.repeat(series[piece.chunk], piece.counts) for piece in pieces]
        chunk = np.concatenate([np.zeros(0, np.int64), *(np.repeat(p.chunk, p.counts) for p in pieces)])
        order = np.argsort(chunk, kind="stable")
        times = np.concatenate([np.zeros(0, np.int64), *(piece.times for piece in pieces)])[order]
        bits = np.concatenate([np.zeros(0, np.uint64), *(piece.bits for piece in pieces)])[order]
        per_series = np.bincount(np.concatenate([np.zeros(0, np.int64), *owner]), minlength=rows.size)
        return cls(rows, _bounds(per_series), times, bits)._in_order()

    def between(self, low: int, high: int) -> SeriesSamples:
        """The samples of a closed range of time, in ms."""
        if not self.times.size or (self.times.min() >= low and self.times.max() <= high):
            return self
        return self._kept((self.times >= low) & (self.times <= high))

    def without(self, ids: I64Array, tombstones: Tombstones) -> SeriesSamples:
        """The samples that no tombstone covers; ids: int64 (m,), what the tombstones call the series."""
        kept = np.ones(self.times.size, np.bool_)
        order = np.argsort(ids)
        places = np.searchsorted(ids, tombstones.ids, sorter=order).clip(max=max(0, ids.size - 1))
        for stone in np.flatnonzero(ids[order[places]] == tombstones.ids) if ids.size else ():
            row = order[places[stone]]
            start, stop = self.bounds[row], self.bounds[row + 1]
            first = np.searchsorted(self.times[start:stop], tombstones.min_times[stone], "left")
            last = np.searchsorted(self.times[start:stop], tombstones.max_times[stone], "right")
            kept[start + first : start + last] = False
        return self if kept.all() else self._kept(kept)

    def _kept(self, kept: BoolArray) -> SeriesSamples:
        before = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
        return SeriesSamples(self.rows, before[self.bounds], self.times[kept], self.bits[kept])

    def _in_order(self) -> SeriesSamples:
        """The same, where chunks overlapped sorted by time, the first of those at one time kept."""
        owner = np.repeat(np.arange(self.rows.size), self.counts) if not self._rises() else None
        if owner is None:
            return self
        order = np.lexsort((self.times, owner))
        times, owner = self.times[order], owner[order]
        first = np.ones(times.size, np.bool_)
        first[1:] = (times[1:] != times[:-1]) | (owner[1:] != owner[:-1])
        return SeriesSamples(self.rows, self.bounds, times, self.bits[order])._kept(first)

    def _rises(self) -> bool:
        falls = np.flatnonzero(self.times[1:] <= self.times[:-1]) + 1
        return bool(np.isin(falls, self.bounds).all())


@dataclass(frozen=True, slots=True, eq=False)
class FloatChunks:
    """n chunks of one segment, ``buffer[starts[i]:ends[i]]``; chunk: int64 (n,), the caller's numbers of them.

    All are of one encoding, XOR or XOR2. FormatError from every method: damage, in ``section``.
    """

    buffer: U8Array
    starts: I64Array
    ends: I64Array
    chunk: I64Array
    section: str
    encoding: int = XOR

    @property
    def counts(self) -> I64Array:
        """int64 (n,): samples, each compared with the length of its chunk."""
        with self._placed():
            read = read_counts if self.encoding == XOR else read_xor2_counts
            return read(self.buffer, self.starts, self.ends)

    def rectangles(self, work: Scratch) -> Iterator[tuple[I64Array, DecodedChunks]]:
        """Decode chunks of like counts together: which of the n they are, and the arrays, valid until the next."""
        counts = self.counts
        decode = decode_chunks if self.encoding == XOR else decode_xor2_chunks
        for part in _alike(counts):
            with self._placed():
                decoded = decode(self.buffer, self.starts[part], self.ends[part], work=work)
            yield part, decoded

    def decode(self, work: Scratch) -> ChunkSamples:
        """All samples, chunk by chunk; the chunks may change places."""
        parts = [_flat(self.chunk[part], decoded) for part, decoded in self.rectangles(work)]
        if len(parts) == 1:
            return parts[0]
        none = np.zeros(0, np.int64)
        empty = ChunkSamples(none, none, none, none.view(np.uint64))
        return ChunkSamples(*(np.concatenate([getattr(p, name) for p in [empty, *parts]]) for name in _FIELDS))

    @contextlib.contextmanager
    def _placed(self) -> Iterator[None]:
        try:
            yield
        except FormatError as error:
            raise FormatError(error.what, section=self.section, offset=error.offset) from None


def _alike(counts: I64Array) -> Iterator[I64Array]:
    """Chunks whose decoded rectangle stays small: int64 (k,) numbers of chunks, each in one part."""
    classes = np.searchsorted(_SIZES, counts)
    for size in np.unique(classes):
        members = np.flatnonzero(classes == size)
        width = max(1, _CELLS // int(counts[members].max(initial=1)))
        yield from (members[start : start + width] for start in range(0, members.size, width))


def _flat(chunk: I64Array, decoded: DecodedChunks) -> ChunkSamples:
    present = np.ascontiguousarray(decoded.present.T)
    times = np.ascontiguousarray(decoded.times.T)[present]
    return ChunkSamples(chunk, decoded.counts, times, np.ascontiguousarray(decoded.bits.T)[present])


def _bounds(counts: I64Array) -> I64Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])
