"""The chunks in the index: their times, and where they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from promfill.model.types import I64Array


@dataclass(frozen=True, slots=True, eq=False)
class ChunkMetas:
    """The chunks of n series, series after series, each series' ascending in time; all int64.

    counts: (n,), how many chunks each series has, at least 1. min_times, max_times: ms of the first and last sample,
    and refs: (n, C) if every series has C chunks, else (K,), K being the sum of the counts.
    """

    counts: I64Array
    min_times: I64Array
    max_times: I64Array
    refs: I64Array

    @classmethod
    def with_shared_times(cls, min_times: I64Array, max_times: I64Array, refs: I64Array) -> ChunkMetas:
        """Series whose chunks have the same times (C,); refs (n, C). Takes no memory for the times of each."""
        counts = np.full(len(refs), refs.shape[1], np.int64)
        return cls(counts, np.broadcast_to(min_times, refs.shape), np.broadcast_to(max_times, refs.shape), refs)

    @classmethod
    def join(cls, parts: Sequence[ChunkMetas]) -> ChunkMetas:
        """The series of all parts, flat; a single part is returned unchanged."""
        if len(parts) == 1:
            return parts[0]
        fields = ([getattr(part, name).ravel() for part in parts] for name in cls.__slots__)
        return cls(*map(np.concatenate, fields))

    def flat(self, rows: slice) -> ChunkMetas:
        """The chunks of some of the series, (K,)."""
        counts = self.counts[rows]
        if self.refs.ndim > 1:
            return ChunkMetas(counts, *(field[rows].ravel() for field in (self.min_times, self.max_times, self.refs)))
        start = int(self.counts[: rows.start].sum())
        part = slice(start, start + int(counts.sum()))
        return ChunkMetas(counts, self.min_times[part], self.max_times[part], self.refs[part])

    @property
    def begins(self) -> I64Array:
        """Where the chunks of each series begin, if they are flat."""
        return np.cumsum(self.counts) - self.counts


def require_order(chunks: ChunkMetas, after: I64Array) -> I64Array:
    """Raise ValueError unless times and references ascend as Prometheus demands; return each block's last reference.

    chunks: flat, equally many series in each of B blocks. after: int64 (B,), the last reference before, in each block.
    """
    begins = chunks.begins
    if (chunks.max_times < chunks.min_times).any():
        raise ValueError("a chunk ends before it begins")
    early = chunks.min_times[1:] <= chunks.max_times[:-1]
    early[begins[1:] - 1] = False
    if early.any():
        raise ValueError("a chunk begins before the chunk before it ends")
    first = begins.reshape(after.size, -1)[:, 0]
    before = np.empty_like(chunks.refs)
    before[1:] = chunks.refs[:-1]
    before[first] = after
    if (chunks.refs <= before).any():
        raise ValueError("chunk references do not rise")
    lasts: I64Array = chunks.refs[np.append(first[1:], chunks.refs.size) - 1]
    return lasts
