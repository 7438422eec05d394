"""What is true of VictoriaMetrics: how its answers are known, and which values it keeps to the bit."""

from __future__ import annotations

import math

from promfill.model.grid import Grid
from promfill.scenario.scenario import Signal, largest_value

HEADER = "X-Server-Hostname"
"""Only VictoriaMetrics answers with it."""

KEPT_DIGITS = 12
"""What VictoriaMetrics stores exactly (lib/decimal: conversionPrecision 1e12); of longer values it keeps the first."""


def keeps_all_digits(signal: Signal, grid: Grid) -> bool:
    """Whether no value has more digits than KEPT_DIGITS; of values that are not rounded that cannot be said."""
    places = _decimal_places(signal)
    if places is None:
        return False
    return places + len(str(math.ceil(largest_value(signal, grid)))) <= KEPT_DIGITS


def _decimal_places(signal: Signal) -> int | None:
    if signal.decimals is not None:
        return signal.decimals
    if signal.resolution is None:
        return None
    return max(0, 1 - math.frexp(signal.resolution)[1])  # 2^-k ends k places behind the point
