"""Cut a row of sizes into runs that fit a limit."""

from __future__ import annotations

import numpy as np

from promfill.model.types import I64Array


def cut_runs(sizes: I64Array, limit: int, first_limit: int | None = None) -> list[slice]:
    """Cut greedily into runs whose sum is at most ``limit``: one slice a run, in order, none empty.

    sizes: int64 (n,), not negative. A size above the limit gets its own run. ``first_limit`` is the room of the first
    run, if it is less; if not even the first size fits there, the first slice is empty. One loop step per run, none per
    size.
    """
    ends = np.cumsum(sizes)
    runs: list[slice] = []
    start = 0
    if first_limit is not None:
        start = _fitting(ends, first_limit)
        runs.append(slice(0, start))
    while start < sizes.size:
        reached = int(ends[start - 1]) if start else 0
        stop = max(start + 1, _fitting(ends, reached + limit))
        runs.append(slice(start, stop))
        start = stop
    return runs


def _fitting(ends: I64Array, limit: int) -> int:
    """How many of the sizes that end there fit a limit: mostly all, or none, which need no search."""
    if not ends.size or ends[-1] <= limit:
        return ends.size
    return int(np.searchsorted(ends, limit, "right")) if ends[0] <= limit else 0
