"""The straight line: a base, and a rise per hour."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promfill.model.grid import Grid

_MICROSECONDS_PER_HOUR = 3.6e9


def linear_trend(base: float, coefficient: float, grid: Grid, first_step: int, steps: int) -> NDArray[np.float64]:
    """float64 (steps,): ``base + coefficient * hours`` since the first step of the grid, not of the tile.

    The operations and their order are mockseries' (`LinearTrend` divides a timedelta by an hour): other orders
    change the last bit.
    """
    elapsed = np.arange(first_step, first_step + steps, dtype=np.int64) * (grid.step * 1000)
    return base + coefficient * (elapsed / _MICROSECONDS_PER_HOUR)
