"""Delta-of-deltas: where one is anything but zero, and the token of each."""

from __future__ import annotations

import numpy as np
import pytest

from promfill.codecs.xor.times import is_regular
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array

STEP = 15_000


def regular(steps: int, columns: int = 1) -> I64Array:
    return np.repeat(1_700_000_000_000 + STEP * np.arange(steps, dtype=np.int64)[:, None], columns, axis=1)


@pytest.mark.parametrize("steps", [1, 2, 3, 4, 119, 120, 121, 500, 5000])
@pytest.mark.parametrize("chunk_rows", [2, 3, 120])
def test_times_of_one_step_are_regular(steps: int, chunk_rows: int) -> None:
    assert is_regular(regular(steps), chunk_rows, Scratch())
    assert is_regular(regular(steps, 3), chunk_rows, Scratch())


@pytest.mark.parametrize("steps", [3, 4, 120, 500])
@pytest.mark.parametrize("columns", [1, 3])
def test_a_single_delta_of_deltas_is_seen_wherever_it_is(steps: int, columns: int) -> None:
    """From row 2 on: there are no others. All times behind it are as far apart as before it, but for the change."""
    for row in {2, 3, steps // 2, steps - 1} & set(range(2, steps)):
        for column in range(columns):
            for change in (1, -1, 1 << 40):
                times = regular(steps, columns)
                times[row:, column] += change * np.arange(1, steps - row + 1)
                assert not is_regular(times, steps, Scratch()), (row, column)


@pytest.mark.parametrize("border", [120, 240])
def test_a_chunk_begins_anew(border: int) -> None:
    """Between two chunks any time may pass: the first two rows of a chunk have no delta-of-delta."""
    times = regular(360)
    times[border:] += 777
    assert is_regular(times, 120, Scratch())
    assert not is_regular(times, 360, Scratch())
    times[border + 1 :] += 5
    assert is_regular(times, 120, Scratch()) is False
