from __future__ import annotations

import numpy as np

from promfill.model.grid import Grid
from promfill.sources.signals.trend import linear_trend


def test_it_rises_by_the_coefficient_an_hour_from_the_base() -> None:
    assert linear_trend(5.0, 0.25, Grid(7, 1_800_000, 9), 0, 5).tolist() == [5.0, 5.125, 5.25, 5.375, 5.5]


def test_it_counts_from_the_first_step_of_the_grid_not_of_the_tile() -> None:
    grid = Grid(1_764_000_123_457, 299_999, 5000)
    whole = linear_trend(10.0, -1 / 3, grid, 0, 5000)
    assert np.array_equal(linear_trend(10.0, -1 / 3, grid, 4321, 100), whole[4321:4421])


def test_the_order_of_operations_is_the_originals() -> None:
    grid = Grid(0, 300_000, 6048)
    expected = [5.0 + 0.1 * (k * 300_000_000 / 3_600_000_000) for k in range(6048)]
    assert linear_trend(5.0, 0.1, grid, 0, 6048).tolist() == expected
