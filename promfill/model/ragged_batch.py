"""Samples that may be missing anywhere and have any times: run after run, each of one series or one chunk.

All samples that do not lie on a grid have this one type: those of a block's chunks, a store or a dump, and series that
come and go. Everything is an array; no operation loops over runs or samples. `of_plane` converts a `SeriesBatch`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from promfill.model.batch import SeriesBatch
from promfill.model.ragged import ragged_range
from promfill.model.types import BoolArray, F64Array, I64Array, U64Array


@dataclass(frozen=True, slots=True, eq=False)
class RaggedBatch:
    """The samples of n runs: run i has ``times[bounds[i]:bounds[i + 1]]``, and bits likewise.

    rows:   int64 (n,), what each run belongs to: a row of a fleet, or anything else that the caller numbers.
    bounds: int64 (n + 1,), ascending, from 0 to N; a run may be empty.
    times:  int64 (N,) ms.
    bits:   uint64 (N,), the float64 values by bits: the payload of a NaN tells a staleness marker from others.
    """

    rows: I64Array
    bounds: I64Array
    times: I64Array
    bits: U64Array

    @classmethod
    def of_counts(cls, rows: I64Array, counts: I64Array, times: I64Array, bits: U64Array) -> RaggedBatch:
        """Runs with the given number of samples each; counts: int64 (n,)."""
        return cls(rows, _bounds(counts), times, bits)

    @classmethod
    def of_plane(cls, batch: SeriesBatch) -> RaggedBatch:
        """The samples that are there, one run for each column, even where it has none; rows are those of the fleet."""
        steps, series = batch.values.shape
        rows = np.arange(batch.first_series, batch.first_series + series)
        times = np.broadcast_to(batch.timestamps.reshape(steps, -1), (steps, series)).T
        bits = batch.values.view(np.uint64).T
        if batch.present is None:
            return cls(rows, np.arange(series + 1) * steps, times.reshape(-1), bits.reshape(-1))
        there = np.ascontiguousarray(batch.present.T)
        return cls.of_counts(rows, np.count_nonzero(there, axis=1), times[there], bits[there])

    @classmethod
    def join(cls, pieces: Sequence[RaggedBatch]) -> RaggedBatch:
        """The runs of all pieces, one after the other; a single piece is returned unchanged."""
        if len(pieces) == 1:
            return pieces[0]
        none = np.zeros(0, np.int64)
        rows, counts, times = (
            np.concatenate([none, *(getattr(piece, name) for piece in pieces)]) for name in ("rows", "counts", "times")
        )
        bits = np.concatenate([none.view(np.uint64), *(piece.bits for piece in pieces)])
        return cls.of_counts(rows, counts, times, bits)

    def __len__(self) -> int:
        return self.rows.size

    @property
    def values(self) -> F64Array:
        """float64 (N,). Arithmetic on them destroys the payloads of NaNs."""
        return self.bits.view(np.float64)

    @property
    def counts(self) -> I64Array:
        """int64 (n,): how many samples each run has."""
        return np.diff(self.bounds)

    @property
    def owners(self) -> I64Array:
        """int64 (N,): the number, from 0, of the run that each sample belongs to."""
        return np.repeat(np.arange(len(self)), self.counts)

    def take(self, which: I64Array) -> RaggedBatch:
        """Some of the runs, by place and in that order: int64 (m,). Views if they follow one another."""
        starts, counts = self.bounds[which], self.bounds[which + 1] - self.bounds[which]
        if which.size and (np.diff(which) == 1).all():
            samples: slice | I64Array = slice(int(starts[0]), int(self.bounds[which[-1] + 1]))
        else:
            samples = ragged_range(starts, starts + counts)
        return RaggedBatch.of_counts(self.rows[which], counts, self.times[samples], self.bits[samples])

    def keep(self, kept: BoolArray) -> RaggedBatch:
        """Some of the samples, bool (N,); a run that loses all its samples stays, empty."""
        before = _bounds(kept)
        return RaggedBatch(self.rows, before[self.bounds], self.times[kept], self.bits[kept])

    def between(self, low: int, high: int) -> RaggedBatch:
        """The samples of a closed range of time, in ms."""
        if not self.times.size or (self.times.min() >= low and self.times.max() <= high):
            return self
        return self.keep((self.times >= low) & (self.times <= high))

    def by_row(self) -> RaggedBatch:
        """The runs sorted by their rows; runs of one row keep their order."""
        if (self.rows[1:] >= self.rows[:-1]).all():
            return self
        return self.take(np.argsort(self.rows, kind="stable"))

    def merged(self) -> RaggedBatch:
        """One run for each row; the runs of one row must be neighbours."""
        firsts = np.flatnonzero(self.rows[1:] != self.rows[:-1]) + 1
        firsts = np.concatenate([np.zeros(min(1, len(self)), np.int64), firsts])
        return RaggedBatch(self.rows[firsts], self.bounds[np.append(firsts, len(self))], self.times, self.bits)

    def gathered(self, rows: I64Array, places: I64Array) -> RaggedBatch:
        """One run for each of other rows, int64 (m,), even if it stays empty: run i goes to ``rows[places[i]]``.

        places: int64 (n,), never descending.
        """
        borders = np.searchsorted(places, np.arange(rows.size + 1))
        return RaggedBatch(rows, self.bounds[borders], self.times, self.bits)

    @property
    def rises(self) -> bool:
        """Whether the times of every run ascend."""
        rising = self.times[1:] > self.times[:-1]
        starts = self.bounds[(self.bounds > 0) & (self.bounds < self.times.size)]
        rising[starts - 1] = True
        return bool(rising.all())

    def in_order(self, *, last_wins: bool = False) -> RaggedBatch:
        """Every run sorted by time; of several samples at one time the first, or the last, is kept."""
        if self.rises:
            return self
        owners = self.owners
        order = np.lexsort((self.times, owners))  # stable: samples of one time keep their order
        times, owners = self.times[order], owners[order]
        differs = (times[1:] != times[:-1]) | (owners[1:] != owners[:-1])
        edge = np.ones(1, np.bool_)
        kept = np.concatenate([differs, edge] if last_wins else [edge, differs])
        return RaggedBatch(self.rows, self.bounds, times, self.bits[order]).keep(kept)


def _bounds(counts: I64Array | BoolArray) -> I64Array:
    """From counts (n,), or a mask, to where each run begins and the last one ends: int64 (n + 1,)."""
    bounds = np.zeros(counts.size + 1, np.int64)
    np.cumsum(counts, out=bounds[1:])
    return bounds
