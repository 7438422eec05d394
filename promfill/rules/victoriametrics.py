"""Facts about VictoriaMetrics: how to recognise its answers, and which values it stores exactly."""

from __future__ import annotations

import math

from promfill.model.grid import Grid
from promfill.scenario.scenario import Signal, largest_value

HEADER = "X-Server-Hostname"
"""A response header that only VictoriaMetrics sends."""

KEPT_DIGITS = 12
"""VictoriaMetrics stores this many digits exactly (lib/decimal: conversionPrecision 1e12) and drops further digits."""


def keeps_all_digits(signal: Signal, grid: Grid) -> bool:
    """Whether every value has at most KEPT_DIGITS digits. False if values are not rounded: we cannot know then."""
    places = _decimal_places(signal)
    if places is None:
        return False
    return places + len(str(math.ceil(largest_value(signal, grid)))) <= KEPT_DIGITS


def _decimal_places(signal: Signal) -> int | None:
    if signal.decimals is not None:
        return signal.decimals
    if signal.resolution is None:
        return None
    return max(0, 1 - math.frexp(signal.resolution)[1])  # 2^-k has k decimal places
