from __future__ import annotations

import numpy as np
import pytest

from promfill.model.grid import Grid
from promfill.scenario.scenario import Signal
from promfill.sources.signals.seasonality import daily_season
from promfill.sources.signals.shape import shape
from promfill.sources.signals.trend import linear_trend

GRID = Grid(1_743_200_000_001, 299_999, 3000)


def test_it_is_trend_and_season() -> None:
    times = GRID.start + np.arange(3000) * GRID.step
    expected = (0.0 + linear_trend(5.0, 0.1, GRID, 0, 3000)) + daily_season(times)
    assert np.array_equal(shape(Signal(), GRID, 0, 3000), expected)


def test_without_season_it_is_the_trend() -> None:
    flat = Signal(seasonality="none", flat_base=20.0, trend_coefficient=0.0, timezone="Europe/Berlin")
    assert shape(flat, GRID, 17, 5).tolist() == [20.0] * 5


def test_negative_zero_is_lost_as_in_the_original() -> None:
    nothing = shape(Signal(seasonality="none", flat_base=-0.0, trend_coefficient=-0.0), GRID, 0, 2)
    assert not np.signbit(nothing).any()


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Chatham"])
@pytest.mark.parametrize(("first", "steps"), [(0, 1), (1, 700), (287, 2), (400, 1500), (2999, 1)])
def test_any_part_has_the_bits_of_the_whole(zone: str, first: int, steps: int) -> None:
    signal = Signal(timezone=zone)  # Berlin's clocks go forward within the grid
    whole = shape(signal, GRID, 0, GRID.steps)
    assert np.array_equal(shape(signal, GRID, first, steps), whole[first : first + steps])
