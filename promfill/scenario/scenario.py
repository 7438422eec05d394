"""The metric, series, times and signal to generate, validated: plain values, no arrays."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

from promfill.errors import InputError, setting
from promfill.model.grid import Grid
from promfill.scenario.times import format_duration, format_seconds, format_time

if TYPE_CHECKING:
    from promfill.scenario.label_patterns import LabelPattern

SEEDS = 2**32
SEASONS = ("daily", "none")
DEFAULT_DESCRIPTION = "Backfilled metric data"
_FARTHEST_NOISE = 7.0  # standard deviations; our noise never goes further
_LARGEST_SEASON = 20.0
_LARGEST = 1.7e308


@dataclass(frozen=True, slots=True)
class Signal:
    """The parameters of ``value(t) = trend(t) + seasonality(t) + noise(t)``; defaults are the original script's."""

    trend_coefficient: float = 0.1  # increase per hour
    flat_base: float = 5.0  # the trend at the start
    seasonality: str = "daily"  # or "none"
    timezone: str = "UTC"  # the time zone in which the daily pattern begins
    noise_mean: float = 0.0
    noise_std: float = 3.0
    seed: int = 42
    decimals: int | None = None  # values are rounded to this many decimals
    resolution: float | None = None  # values are multiples of it; a power of two

    @property
    def rounds(self) -> bool:
        """Whether values are rounded."""
        return self.decimals is not None or self.resolution is not None


@dataclass(frozen=True, slots=True)
class Scenario:
    """One push: the series, times, signal and metadata of a metric.

    With `stale_at_end` the grid's last step is a staleness marker instead of a sample, in every series.
    """

    metric: str
    labels: tuple[LabelPattern, ...]
    grid: Grid
    signal: Signal = field(default_factory=Signal)
    description: str = DEFAULT_DESCRIPTION
    unit: str = ""
    stale_at_end: bool = False

    @property
    def sampled(self) -> Grid:
        """The time points of the samples, without that of the staleness markers."""
        return replace(self.grid, steps=self.grid.steps - self.stale_at_end)


def make_grid(start: int, end: int, step: int) -> Grid:
    """The time points start, start + step, … before end (all ms). InputError if there are none."""
    if start >= end:
        raise InputError(
            f"the start {format_time(start)} is not before the end {format_time(end)}",
            f"check {setting('start')} and {setting('end')}",
            field="start",
        )
    steps = (end - start) // step
    if not steps:
        raise InputError(
            f"no step of {format_duration(step)} fits between {format_time(start)} and {format_time(end)}",
            f"make {setting('step_size')} smaller or the range longer",
            field="step_size",
        )
    return Grid(start, step, steps)


def check_signal(signal: Signal, grid: Grid) -> Signal:
    """The same signal. InputError, with the field, if a value is not valid."""
    for name in ("trend_coefficient", "flat_base", "noise_mean", "noise_std"):
        value = getattr(signal, name)
        if not math.isfinite(value):
            raise InputError.about(name, f"{value} must be a finite number")
    if signal.noise_std < 0:
        raise InputError.about("noise_std", f"{signal.noise_std:g} must not be negative")
    if not 0 <= signal.seed < SEEDS:
        raise InputError.about("seed", f"{signal.seed} must be between 0 and {SEEDS - 1}")
    if signal.decimals is not None and not 0 <= signal.decimals <= 15:
        raise InputError.about("decimals", f"{signal.decimals} must be between 0 and 15")
    if signal.decimals is not None and signal.resolution is not None:
        raise InputError.about(
            "decimals",
            f"and {setting('resolution')} exclude each other",
            "choose decimals or multiples of a power of two",
        )
    if signal.seasonality not in SEASONS:
        raise InputError.about("seasonality", f"{signal.seasonality!r} is not one of {', '.join(SEASONS)}")
    _check_zone(signal.timezone)
    _check_size(signal, grid)
    return signal


def _check_zone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        near = difflib.get_close_matches(name, available_timezones(), 1)
        fix = f"did you mean {near[0]}?" if near else "use a name such as UTC or Europe/Berlin"
        raise InputError.about("timezone", f"{name!r} is unknown", fix) from None


def largest_value(signal: Signal, grid: Grid) -> float:
    """An upper bound of |value| in the push; infinite if it exceeds float64."""
    hours = (grid.steps - 1) * grid.step / 3.6e6
    trend = abs(signal.flat_base) + abs(signal.trend_coefficient) * hours
    return trend + _LARGEST_SEASON + abs(signal.noise_mean) + _FARTHEST_NOISE * signal.noise_std


def may_round_to_zero(signal: Signal) -> bool:
    """Whether rounding might overflow for some value of a push with this signal, however long the push is."""
    if not signal.rounds:
        return False
    unit = signal.resolution or 10.0 ** -(signal.decimals or 0)
    beside = _LARGEST_SEASON + abs(signal.noise_mean) + _FARTHEST_NOISE * signal.noise_std + unit
    falls, rises = signal.trend_coefficient < 0, signal.trend_coefficient > 0
    return (falls or signal.flat_base <= beside) and (rises or signal.flat_base >= -beside)


def _check_size(signal: Signal, grid: Grid) -> None:
    scale = 10.0 ** (signal.decimals or 0) / (
        signal.resolution or 1.0
    )  # rounding multiplies by this, then divides again
    if not largest_value(signal, grid) * scale < _LARGEST:
        raise InputError(
            "the values would exceed the range of a float64",
            f"make {setting('trend_coefficient')}, {setting('flat_base')} or the noise smaller",
            field=_largest_part(signal, grid),
        )


def _largest_part(signal: Signal, grid: Grid) -> str:
    """The field that contributes most to the largest value."""
    hours = (grid.steps - 1) * grid.step / 3.6e6
    parts = {
        "trend_coefficient": abs(signal.trend_coefficient) * hours,
        "flat_base": abs(signal.flat_base),
        "noise_mean": abs(signal.noise_mean),
        "noise_std": _FARTHEST_NOISE * signal.noise_std,
    }
    return max(parts, key=parts.__getitem__)


def parse_resolution(text: str) -> float:
    """The power of two for ``2^-7`` or ``0.0078125``. InputError for anything else."""
    wrong = InputError.about("resolution", f"{text!r} must be a power of two", "write 2^-7, 0.0078125, 0.5, 1 …")
    base, caret, exponent = text.strip().partition("^")
    try:
        value = math.ldexp(1.0, int(exponent)) if caret and base == "2" else float(text)
    except (ValueError, OverflowError):
        raise wrong from None
    if not math.isfinite(value) or value <= 0 or math.frexp(value)[0] != 0.5 or not 2.0**-1000 <= value <= 2.0**1000:
        raise wrong
    return value


def describe_times(start: int, end: int) -> dict[str, str]:
    """A start and an end (ms) as text that people can read, and that `promfill.scenario.times.parse_time` can."""
    return {
        "start": format_time(start),
        "end": format_time(end),
        "start_epoch": format_seconds(start),
        "end_epoch": format_seconds(end),
    }


def describe(scenario: Scenario) -> Mapping[str, Any]:
    """Resolved times for people and for programs."""
    grid = scenario.sampled
    end = grid.time(grid.steps)
    return {
        "metric": scenario.metric,
        **describe_times(grid.start, end),
        "step": format_duration(grid.step),
        "steps": grid.steps,
        "stale_at_end": scenario.stale_at_end,
    }
