"""Samples as arrays, as `Scenario.batches` yields them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from promfill.api.series import SeriesLabels
from promfill.model.grid import series_tiles

if TYPE_CHECKING:
    from promfill.sources.generated import Source


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Batch:
    """Samples of some series that have the same times.

    times: int64 (T,), Unix ms, ascending. values: float64 (T, S), one row per time, one column per series. series: the
    labels of the columns. With ``stale_at_end``, the last row of the last batch of a series is the staleness marker, a
    NaN with the bits 0x7FF0000000000002; arithmetic turns it into a plain NaN.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> next(scenario.batches())
    Batch: 288 samples, 1 series at 288 times
    """

    times: NDArray[np.int64]
    values: NDArray[np.float64]
    series: SeriesLabels = field(repr=False)

    @property
    def samples(self) -> int:
        """The number of samples in this batch."""
        return int(self.values.size)

    def __repr__(self) -> str:
        return f"Batch: {self.samples:,} samples, {len(self.series):,} series at {self.times.size:,} times"


def batches(source: Source, samples: int, *, reuse: bool) -> Iterator[Batch]:
    """All samples of a source, series by series, in batches of at most `samples`."""
    for tile in series_tiles(source.grid, len(source.fleet), samples):
        made = source.batch(tile)
        series = SeriesLabels(source.fleet.label_set, made.series)
        times, values = (made.timestamps, made.values) if reuse else (made.timestamps.copy(), made.values.copy())
        yield Batch(times, values, series)
