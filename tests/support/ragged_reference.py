"""`RaggedBatch` with lists, a sample at a time: the judge of the one by arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from promfill.model.ragged_batch import RaggedBatch

Samples = list[tuple[int, int]]
"""(ms, bits)."""
Run = tuple[int, Samples]
"""What the samples belong to, and these."""


def batch_of(runs: Iterable[Run]) -> RaggedBatch:
    runs = list(runs)
    return RaggedBatch(
        np.array([row for row, _ in runs], np.int64),
        np.cumsum([0, *(len(samples) for _, samples in runs)]).astype(np.int64),
        np.array([time for _, samples in runs for time, _ in samples], np.int64),
        np.array([bits for _, samples in runs for _, bits in samples], np.uint64),
    )


def runs_of(batch: RaggedBatch) -> list[Run]:
    pairs = list(zip(batch.times.tolist(), batch.bits.tolist(), strict=True))
    bounds = batch.bounds.tolist()
    assert bounds[0] == 0
    assert bounds[-1] == len(pairs)
    return [(row, pairs[bounds[at] : bounds[at + 1]]) for at, row in enumerate(batch.rows.tolist())]


def keep(runs: Sequence[Run], kept: Callable[[int, int], bool]) -> list[Run]:
    """The samples for which `kept` says so, told their time and their place among all."""
    place, out = 0, []
    for row, samples in runs:
        left = []
        for time, bits in samples:
            if kept(time, place):
                left.append((time, bits))
            place += 1
        out.append((row, left))
    return out


def by_row(runs: Sequence[Run]) -> list[Run]:
    return [run for row in sorted({row for row, _ in runs}) for run in runs if run[0] == row]


def merged(runs: Sequence[Run]) -> list[Run]:
    out: list[Run] = []
    for row, samples in runs:
        if out and out[-1][0] == row:
            out[-1] = (row, out[-1][1] + samples)
        else:
            out.append((row, samples))
    return out


def gathered(runs: Sequence[Run], rows: Sequence[int], places: Sequence[int]) -> list[Run]:
    out: list[Run] = [(row, []) for row in rows]
    for place, (_, samples) in zip(places, runs, strict=True):
        out[place][1].extend(samples)
    return out


def in_order(runs: Sequence[Run], *, last_wins: bool) -> list[Run]:
    out = []
    for row, samples in runs:
        at: dict[int, int] = {}
        for time, bits in samples:
            if last_wins or time not in at:
                at[time] = bits
        out.append((row, sorted(at.items())))
    return out


def of_plane(
    first_row: int, times: Sequence[Sequence[int]], bits: Sequence[Sequence[int]], present: Sequence[Sequence[bool]]
) -> list[Run]:
    """Of a plane, step by step: the column of each series."""
    columns = range(len(bits[0]))
    return [(first_row + s, [(times[t][s], bits[t][s]) for t in range(len(bits)) if present[t][s]]) for s in columns]
