"""Trend and season: the part of the signal that all series of a push share."""

from __future__ import annotations

import numpy as np

from promfill.model.grid import Grid
from promfill.model.types import F64Array
from promfill.scenario.scenario import Signal
from promfill.sources.signals.seasonality import daily_season
from promfill.sources.signals.trend import linear_trend


def shape(signal: Signal, grid: Grid, first_step: int, steps: int) -> F64Array:
    """float64 (steps,): the signal without its noise, at the steps ``first_step`` … of the grid."""
    trend = 0.0 + linear_trend(signal.flat_base, signal.trend_coefficient, grid, first_step, steps)
    if signal.seasonality == "none":
        return trend
    times = grid.start + np.arange(first_step, first_step + steps, dtype=np.int64) * grid.step
    return trend + daily_season(times, signal.timezone)
