"""What is to be generated, validated: plain values, no arrays."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Signal:
    """The parameters of ``value(t) = trend(t) + seasonality(t) + noise(t)``; defaults are the original script's."""

    trend_coefficient: float = 0.1  # rise per hour
    flat_base: float = 5.0  # the trend at the start
    seasonality: str = "daily"  # or "none"
    timezone: str = "UTC"  # where the day of the season begins
    noise_mean: float = 0.0
    noise_std: float = 3.0
    seed: int = 42
    decimals: int | None = None  # --round
    resolution: float | None = None  # --resolution: a power of two
