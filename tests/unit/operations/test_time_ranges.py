from __future__ import annotations

import numpy as np
import pytest

from promfill.operations.time_ranges import TimeRanges


def ranges(gap: int, *pieces: list[int]) -> TimeRanges:
    made = TimeRanges(gap)
    for piece in pieces:
        made.add(np.array(piece, np.int64))
    return made


@pytest.mark.parametrize(
    ("pieces", "merged"),
    [
        ([[]], []),
        ([[50]], [(50, 50)]),
        ([[10, 20, 30, 60]], [(10, 30), (60, 60)]),
        ([[60, 10, 30, 20]], [(10, 30), (60, 60)]),
        ([[10, 20], [40], [30]], [(10, 40)]),
        ([[10, 20, 30], [20], [12]], [(10, 30)]),
        ([[100], [0], [50]], [(0, 0), (50, 50), (100, 100)]),
        ([[10, 40], [20, 30]], [(10, 40)]),
    ],
)
def test_times_merge_where_they_are_neighbours(pieces: list[list[int]], merged: list[tuple[int, int]]) -> None:
    made = ranges(10, *pieces)
    assert made.first(100) == merged
    assert len(made) == len(merged)


def test_the_first_ranges_are_the_earliest() -> None:
    assert ranges(1, [30, 10, 20]).first(2) == [(10, 10), (20, 20)]


def test_memory_is_bounded_and_wide_gaps_stay_open() -> None:
    made = TimeRanges(1)
    for start in range(0, 100_000, 10_000):
        made.add(np.arange(start, start + 10_000, dtype=np.int64) * 10)
    made.add(np.array([10_000_000], np.int64))
    assert len(made) < 4096
    assert made.first(10_000)[-1] == (10_000_000, 10_000_000)
    assert made.first(1)[0][0] == 0
