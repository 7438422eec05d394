"""The straight line: a base, and a rise per hour."""

from __future__ import annotations

import numpy as np

from promfill.model.grid import Grid
from promfill.model.types import F64Array

_MICROSECONDS_PER_HOUR = 3.6e9


def linear_trend(base: float, coefficient: float, grid: Grid, first_step: int, steps: int) -> F64Array:
    """float64 (steps,): ``base + coefficient * hours`` since the first step of the grid, not of the tile.

    The operations and their order are mockseries' (`LinearTrend` divides a timedelta by an hour): other orders
    change the last bit.
    """
    elapsed = np.arange(first_step, first_step + steps, dtype=np.int64) * (grid.step * 1000)
    return base + coefficient * (elapsed / _MICROSECONDS_PER_HOUR)
