"""Describe the samples to push: a metric over a time range. Also gives the samples as arrays."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from promfill.api.metric import Metric, signal_of
from promfill.api.names import python_names
from promfill.api.series import SeriesLabels
from promfill.api.values import Duration, Time, duration_ms, flag, now_ms, text, time_ms, to_datetime, whole
from promfill.errors import InputError
from promfill.scenario import scenario as core
from promfill.scenario.times import format_time, is_relative

if TYPE_CHECKING:
    from promfill.api.batch import Batch
    from promfill.model.grid import Grid
    from promfill.sources.generated import Source

BATCH_SAMPLES = 600_000
"""About 10 MB of times and values: most of such a batch fits into the CPU caches."""


@dataclass(frozen=True, init=False, repr=False)
class Scenario:
    """The samples to push: the series of a metric, at the times start, start + step, … before end.

    metrics: one `Metric`. start, end: ``"now-21d"``, ``"now"``, RFC 3339, a datetime with a time zone, or Unix seconds;
    relative times count from the time of this call and are rounded down to a multiple of the step, other times are
    exact. step: ``"5m"``, a timedelta, or seconds. seed: the seed of the noise, 0 to 2^32 - 1. timezone: the time zone
    in which the day of the season begins. allow_future: accept an end after now. stale_at_end: add a staleness marker
    to each series, one step after its last sample.

    The attributes `start` and `end` are always datetimes in UTC, and `step` is a timedelta. A scenario holds no
    samples: `batches` makes them, the same ones each time.

    InputError, with the field: a value is not valid, no step fits between start and end, or there is not exactly one
    metric.

    >>> Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-22T00:00:00Z")
    Scenario: 1 metric, 1 series, 6,048 samples, 2024-01-01 to 2024-01-22
    """

    metrics: tuple[Metric, ...]
    start: datetime
    end: datetime
    step: timedelta
    seed: int
    timezone: str
    allow_future: bool
    stale_at_end: bool
    _core: core.Scenario = field(init=False, compare=False)
    _typed: tuple[str, str] = field(init=False, compare=False)  # start and end; relative times unchanged

    def __init__(
        self,
        metrics: Iterable[Metric],
        *,
        start: Time,
        end: Time = "now",
        step: Duration = "5m",
        seed: int = 42,
        timezone: str = "UTC",
        allow_future: bool = False,
        stale_at_end: bool = False,
    ) -> None:
        metric = _one_metric(metrics)
        whole(seed, "seed", 0, core.SEEDS - 1)
        text(timezone, "timezone")
        flag(allow_future, "allow_future")
        flag(stale_at_end, "stale_at_end")
        with python_names():
            step_ms = duration_ms(step, "step")
            grid = _grid(start, end, step_ms, allow_future)
            signal = core.check_signal(signal_of(metric.value, metric, seed=int(seed), timezone=timezone), grid.grid)
        self._set(
            metrics=(metric,),
            start=to_datetime(grid.start),
            end=to_datetime(grid.end),
            step=timedelta(milliseconds=step_ms),
            seed=int(seed),
            timezone=timezone,
            allow_future=allow_future,
            stale_at_end=stale_at_end,
            _core=core.Scenario(
                metric=metric.name,
                labels=metric._patterns,
                grid=replace(grid.grid, steps=grid.grid.steps + stale_at_end),
                signal=signal,
                description=metric.help,
                unit=metric.unit,
                stale_at_end=stale_at_end,
            ),
            _typed=(_typed(start, grid.start), _typed(end, grid.end)),
        )

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)

    @property
    def series(self) -> SeriesLabels:
        """The labels of all series, including ``__name__``, in label order. ``len`` is cheap: no labels are made.

        >>> metric = Metric("vpn", labels={"instance": fan("host-{1..40}")})
        >>> scenario = Scenario([metric], start="2024-01-01T00:00:00Z", end="2024-01-22T00:00:00Z")
        >>> len(scenario.series), scenario.series[0]
        (40, {'__name__': 'vpn', 'instance': 'host-1'})
        """
        fleet = functools.cache(lambda: self._source().fleet)
        return SeriesLabels(lambda row: fleet().label_set(row), range(self.metrics[0].series))

    @property
    def samples(self) -> int:
        """The number of samples, without staleness markers."""
        return self.metrics[0].series * self._core.sampled.steps

    def batches(self, samples: int = BATCH_SAMPLES, *, reuse: bool = False) -> Iterator[Batch]:
        """All samples as arrays, in batches of whole series, in label order, with at most `samples` samples each.

        Each `Batch` has times (T,) and values (T, S). A series with more than `samples` samples is split into several
        batches, in time order. Memory does not grow with the time range. reuse: the next batch overwrites the arrays of
        the one before, which saves a copy. InputError: `samples` is below 1.

        >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
        >>> for batch in scenario.batches():
        ...     print(batch.times[:2], batch.values.shape)
        [1704067200000 1704067500000] (288, 1)
        """
        from promfill.api.batch import batches

        return batches(self._source(), whole(samples, "samples", 1), reuse=flag(reuse, "reuse"))

    def _source(self) -> Source:
        from promfill.sources.generated import Source

        with python_names():
            return Source(self._core)

    def __repr__(self) -> str:
        times = f"{_moment(self.start)} to {_moment(self.end)}"
        return f"Scenario: 1 metric, {len(self.series):,} series, {self.samples:,} samples, {times}"


@dataclass(frozen=True, slots=True)
class _Range:
    """A resolved time range: start and end in Unix ms, and the grid of its times."""

    start: int
    end: int
    grid: Grid


def _one_metric(metrics: Iterable[Metric]) -> Metric:
    if isinstance(metrics, Metric):
        raise InputError("metrics must be a list", "write [metric]", field="metrics")
    found = list(metrics) if isinstance(metrics, Iterable) else [metrics]
    for metric in found:
        if not isinstance(metric, Metric):
            raise InputError(f"metrics holds {metric!r}, which is not a pf.Metric", field="metrics")
    if len(found) != 1:
        raise InputError(
            f"metrics holds {len(found)} metrics, and a scenario has exactly one so far",
            "make a scenario of each metric (several in one come with a later version)",
            field="metrics",
        )
    return found[0]


def _grid(start: Time, end: Time, step: int, allow_future: bool) -> _Range:
    now = now_ms()
    begin, stop = time_ms(start, "start", now, step), time_ms(end, "end", now, step)
    if stop > now and not allow_future:
        text = f"end {format_time(stop)} lies in the future"
        raise InputError(text, "take an earlier end, or set allow_future=True", field="end")
    if all(isinstance(value, str) and is_relative(value) for value in (start, end)):
        # check unrounded times too: whether a step fits must not depend on the time of the call
        core.make_grid(time_ms(start, "start", now, 1), time_ms(end, "end", now, 1), step)
    return _Range(begin, stop, core.make_grid(begin, stop, step))


def _typed(given: Time, resolved: int) -> str:
    return given.strip() if isinstance(given, str) and is_relative(given) else str(resolved)


def _moment(moment: datetime) -> str:
    """The date, without the time of day if that is midnight."""
    if moment == moment.replace(hour=0, minute=0, second=0, microsecond=0):
        return f"{moment:%Y-%m-%d}"
    return f"{moment:%Y-%m-%d %H:%M}"
