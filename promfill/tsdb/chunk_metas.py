"""What the index knows of chunks: their times, and where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promfill.tsdb.segment import NO_CHUNK

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ChunkMetas:
    """The chunks of n series, each series' rising in time; all int64.

    min_times, max_times: ms of the first and last sample, (C,) where the series share them, else (n, C).
    refs: (n, C), ``NO_CHUNK`` where a series has no such chunk; its times are not looked at.
    """

    min_times: Int64
    max_times: Int64
    refs: Int64

    def __getitem__(self, rows: slice | NDArray[np.bool_]) -> ChunkMetas:
        """The chunks of some of the series."""
        if self.min_times.ndim == 1:
            return ChunkMetas(self.min_times, self.max_times, self.refs[rows])
        return ChunkMetas(self.min_times[rows], self.max_times[rows], self.refs[rows])

    @property
    def counts(self) -> Int64:
        """int64 (n,): how many chunks each series has."""
        return np.asarray((self.refs != NO_CHUNK).sum(axis=1), np.int64)

    def left_aligned(self) -> ChunkMetas:
        """The same chunks, those that a series has first and in order; times as they are where nothing is missing."""
        missing = self.refs == NO_CHUNK
        if not missing.any():
            return self
        order = np.argsort(missing, axis=1, kind="stable")
        min_times, max_times = (np.broadcast_to(times, order.shape) for times in (self.min_times, self.max_times))
        return ChunkMetas(*(np.take_along_axis(array, order, 1) for array in (min_times, max_times, self.refs)))


def require_order(chunks: ChunkMetas, counts: Int64, after: int) -> int:
    """Raise ValueError unless times and references rise as Prometheus demands; the last reference.

    chunks: left-aligned, their counts int64 (n,), at least 1 each. after: the last reference of the series before.
    """
    has = np.arange(chunks.refs.shape[1]) < counts[:, None]
    if (has & (chunks.max_times < chunks.min_times)).any():
        raise ValueError("a chunk ends before it begins")
    if (has[:, 1:] & (chunks.min_times[..., 1:] <= chunks.max_times[..., :-1])).any():
        raise ValueError("a chunk begins before the chunk before it ends")
    refs = np.append(after, chunks.refs[has])
    if (refs[1:] <= refs[:-1]).any():
        raise ValueError("chunk references do not rise")
    return int(refs[-1])
