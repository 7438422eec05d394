"""Describe what to generate: a metric, its labels and its values.

    Metric("vpn", labels={"instance": fan("host-{1..40}"), "job": "vpn"}, value=original(trend=0.1, noise=3))

Constructors check their fields, so that a traceback points to the line with the wrong value.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field

from promfill.api.names import python_names
from promfill.api.values import FrozenDict, number, text, whole
from promfill.errors import InputError
from promfill.model.grid import Grid
from promfill.scenario.label_patterns import (
    LabelPattern,
    Part,
    count_series,
    exact_label,
    parse_pattern,
    validate_metric_name,
)
from promfill.scenario.scenario import DEFAULT_DESCRIPTION, Signal, check_signal, parse_resolution

_ONE_STEP = Grid(0, 1, 1)


@dataclass(frozen=True, slots=True, repr=False)
class Fan:
    """A label value that makes many series; see `fan`. ``len(fan)`` is the number of its values.

    >>> len(Fan("{a,b}"))
    2
    """

    pattern: str
    _parts: tuple[Part, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        with python_names(labels="pattern"):
            object.__setattr__(self, "_parts", parse_pattern(text(self.pattern, "pattern")))

    def __len__(self) -> int:
        return LabelPattern("", self._parts).count

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        return f"fan({self.pattern!r})"


def fan(pattern: str) -> Fan:
    r"""A label value that makes many series, one for each value in its braces.

    ``{1..40}`` and ``{001..100}`` are ranges, and ``{a,b,c}`` is a list. Several braces in one value are combined in
    all ways, and so are the fans of several labels. ``\{`` is a plain brace. InputError: a brace is neither a range nor
    a list, or a range is descending.

    >>> len(fan("host-{1..40}"))
    40
    >>> fan("{eu,us}-{1..3}")
    fan('{eu,us}-{1..3}')
    """
    return Fan(pattern)


@dataclass(frozen=True, slots=True, kw_only=True)
class Original:
    """Values made as the original backfill script makes them; see `original`.

    >>> Original(noise=1).noise
    1.0
    """

    trend: float = 0.1
    base: float = 5.0
    season: str | None = "daily"
    noise: float = 3.0
    mean: float = 0.0

    def __post_init__(self) -> None:
        for name in ("trend", "base", "noise", "mean"):
            object.__setattr__(self, name, number(getattr(self, name), name))
        if self.season not in ("daily", None):
            raise InputError(f"season {self.season!r} must be 'daily' or None", field="season")
        with python_names():
            check_signal(signal_of(self), _ONE_STEP)


def original(
    *, trend: float = 0.1, base: float = 5.0, season: str | None = "daily", noise: float = 3.0, mean: float = 0.0
) -> Original:
    """The sum of a trend, a daily season and Gaussian noise, as the original backfill script computes it.

    trend: the increase per hour. base: the trend's value at the start. season: "daily" (from 1 to 19.5 over the day) or
    None. noise, mean: standard deviation and mean of the noise. InputError: a number is not finite, or the noise is
    negative.

    >>> original(trend=0.5, noise=0)
    Original(trend=0.5, base=5.0, season='daily', noise=0.0, mean=0.0)
    """
    return Original(trend=trend, base=base, season=season, noise=noise, mean=mean)


@dataclass(frozen=True, slots=True, repr=False)
class Metric:
    """One gauge: its name, the labels of its series, and how to make their values.

    help, unit: the metadata HELP and UNIT; blocks cannot hold them. labels: name to value; a str is used unchanged, and
    `fan` makes many series. value: how values are made, see `original`. round: round values to this number of decimals,
    0 to 15. resolution: round values to multiples of this power of two (a float, or a str such as "2^-7"). Give only
    one of round and resolution.

    InputError, with the field: a name that Prometheus does not accept, an empty label, or over 10,000,000 series.

    >>> Metric("vpn", labels={"instance": fan("host-{1..40}"), "job": "vpn"})
    Metric: vpn, 40 series, labels instance, job
    """

    name: str
    _: KW_ONLY
    help: str = DEFAULT_DESCRIPTION
    unit: str = ""
    labels: Mapping[str, str | Fan] = field(default_factory=dict)
    value: Original = field(default_factory=original)
    round: int | None = None
    resolution: float | str | None = None
    _patterns: tuple[LabelPattern, ...] = field(init=False, compare=False)

    def __post_init__(self) -> None:
        for name in ("name", "help", "unit"):
            text(getattr(self, name), name)
        if not isinstance(self.labels, Mapping):
            raise InputError(f"labels {self.labels!r} must be a mapping of names to values", field="labels")
        if not isinstance(self.value, Original):
            raise InputError(f"value {self.value!r} is not a way to make values", "use pf.original()", field="value")
        if self.round is not None:
            object.__setattr__(self, "round", whole(self.round, "round", 0, 15))
        with python_names():
            validate_metric_name(self.name)
            patterns = tuple(_pattern(name, value) for name, value in self.labels.items())
            count_series(patterns)
            resolution = None if self.resolution is None else _resolution(self.resolution)
        object.__setattr__(self, "labels", FrozenDict(self.labels))
        object.__setattr__(self, "_patterns", patterns)
        object.__setattr__(self, "resolution", resolution)
        if self.round is not None and resolution is not None:
            raise InputError("round and resolution exclude each other", "choose one of them", field="resolution")

    @property
    def series(self) -> int:
        """The number of series that the labels make."""
        return math.prod(pattern.count for pattern in self._patterns)

    def __repr__(self) -> str:
        labels = f", labels {', '.join(self.labels)}" if self.labels else ""
        return f"Metric: {self.name}, {self.series:,} series{labels}"


def signal_of(value: Original, metric: Metric | None = None, *, seed: int = 42, timezone: str = "UTC") -> Signal:
    """Convert the settings of a metric's values into a `Signal`."""
    resolution = metric.resolution if metric else None
    return Signal(
        trend_coefficient=value.trend,
        flat_base=value.base,
        seasonality=value.season or "none",
        timezone=timezone,
        noise_mean=value.mean,
        noise_std=value.noise,
        seed=seed,
        decimals=metric.round if metric else None,
        resolution=float(resolution) if resolution is not None else None,
    )


def _pattern(name: object, value: object) -> LabelPattern:
    if not isinstance(name, str):
        raise InputError(f"the label name {name!r} must be a text (str)", field="labels")
    if isinstance(value, Fan):
        return exact_label(name, value._parts)
    if not isinstance(value, str):
        raise InputError(
            f"label {name!r} has the value {value!r}, a {type(value).__name__}",
            f"write {str(value)!r}, or pf.fan(…) for many series",
            field="labels",
        )
    return exact_label(name, [value])


def _resolution(value: object) -> float:
    return parse_resolution(value if isinstance(value, str) else repr(number(value, "resolution")))
