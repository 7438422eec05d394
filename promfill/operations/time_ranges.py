"""Merges times into ranges, and limits the number of ranges."""

from __future__ import annotations

import numpy as np

from promfill.model.types import I64Array

_MOST = 4096


class TimeRanges:
    """Ranges [first, last] in ms that cover all added times; times at most `gap` ms apart share a range.

    Memory is bounded: if there are too many ranges, the ones with the narrowest gaps between them are merged.
    """

    def __init__(self, gap: int) -> None:
        self._gap = gap
        self._starts = np.empty(0, np.int64)
        self._ends = np.empty(0, np.int64)

    def __len__(self) -> int:
        return self._starts.size

    def add(self, times: I64Array) -> None:
        """Cover these times too: int64 (n,), ms, in any order."""
        if times.size:
            self._merge(times, times)

    def first(self, most: int) -> list[tuple[int, int]]:
        """The earliest ranges, at most `most` of them."""
        return list(zip(self._starts[:most].tolist(), self._ends[:most].tolist(), strict=True))

    def _merge(self, starts: I64Array, ends: I64Array) -> None:
        starts, ends = np.concatenate([self._starts, starts]), np.concatenate([self._ends, ends])
        order = np.argsort(starts, kind="stable")
        starts, ends = starts[order], np.maximum.accumulate(ends[order])
        gaps = starts[1:] - ends[:-1]
        widest = self._gap
        if np.count_nonzero(gaps > widest) >= _MOST:
            widest = max(widest, int(np.partition(gaps, -(_MOST // 2))[-(_MOST // 2)]))
        parted = np.flatnonzero(gaps > widest)
        self._starts = starts[np.concatenate([[0], parted + 1])]
        self._ends = ends[np.concatenate([parted, [ends.size - 1]])]
