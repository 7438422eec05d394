"""The shape of a day: a smooth curve through twelve values, the same each day.

The curve is PCHIP (Fritsch and Carlson, "Monotone Piecewise Cubic Interpolation", 1980; tangents by the weighted
harmonic mean of Fritsch and Butland, 1984), as SciPy's `PchipInterpolator` computes it: bit for bit, without SciPy.
The day is closed to a ring, so its ends need no special rule.
"""

from __future__ import annotations

import functools

import numpy as np

from promfill.model.batch import freeze
from promfill.model.types import F64Array, I64Array
from promfill.sources.signals.zone import utc_offsets

KEY_FRAMES = (1.0, 10.8, 18.1, 19.5, 17.6, 15.8, 14.1, 12.8, 10.3, 8.7, 3.6, 1.8)
"""The values at 0, 2, 4 … 22 o'clock. Neighbours differ: a level stretch would need a tangent of 0."""

_DAY = 86_400_000
_FRAME = _DAY // len(KEY_FRAMES)
_FRAME_SECONDS = _FRAME / 1000


def daily_season(times: I64Array, timezone: str = "UTC") -> F64Array:
    """float64 (T,): the season at int64 (T,) Unix milliseconds; its day begins at midnight of `timezone`'s clocks.

    Where clocks jump, the season jumps with them: it is a function of the wall clock's time of day.
    """
    local = times if timezone == "UTC" else times + utc_offsets(times, timezone)
    frame, since = np.divmod(local % _DAY, _FRAME)
    seconds = (frame * _FRAME + since) // 1000 + (since % 1000 * 1000) * 1e-06  # whole and micro: mockseries' order
    return _polynomial(seconds - frame * _FRAME_SECONDS, _cubics()[:, frame])


def _polynomial(x: F64Array, c: F64Array) -> F64Array:
    """Powers rise from the low end, as in SciPy: Horner's order would round otherwise."""
    square = x * x
    value: F64Array = ((c[0] + c[1] * x) + c[2] * square) + c[3] * (square * x)
    return value


@functools.cache
def _cubics() -> F64Array:
    """float64 (4, 12): the coefficients of each frame's cubic in the seconds since the frame, constant term first."""
    values = np.array([KEY_FRAMES[-1], *KEY_FRAMES, *KEY_FRAMES[:2]])
    slopes = np.diff(values) / _FRAME_SECONDS
    tangents = _tangents(slopes[:-1], slopes[1:])
    start, end, slope = tangents[:-1], tangents[1:], slopes[1:-1]
    bend = (start + end - 2 * slope) / _FRAME_SECONDS
    return freeze(np.stack([values[1:-2], start, (slope - start) / _FRAME_SECONDS - bend, bend / _FRAME_SECONDS]))


def _tangents(left: F64Array, right: F64Array) -> F64Array:
    """The harmonic mean of the slopes on both sides of a frame; level where the curve turns."""
    weight = 3 * _FRAME_SECONDS
    mean = (weight / left + weight / right) / (2 * weight)
    return np.where(left * right > 0, 1.0 / mean, 0.0)
