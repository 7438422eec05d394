"""Cut the plane of steps x series into tiles of bounded memory: integers only.

A tile is a rectangle; the source makes any tile alone (`source.Source.batch`), so the order in which a sink
wants its samples is nothing but an order of tiles:

- blocks:      window by window; in a window the series in label order          (`block_tiles`)
- openmetrics: series by series, each whole where memory allows                 (`series_tiles`)
- remote write: time-major, windows of a few steps, all series of a window first (`promfill.sinks.remote_write`)
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grid:
    """The time points of a push: start, start + step, …; Unix milliseconds. ``steps`` of them, end not included."""

    start: int
    step: int
    steps: int

    def time(self, step: int) -> int:
        """The Unix milliseconds of one step."""
        return self.start + step * self.step

    @property
    def last(self) -> int:
        """The time of the last sample."""
        return self.time(self.steps - 1)


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle of the plane: steps [first_step, first_step + steps) of series [first_series, …)."""

    first_step: int
    steps: int
    first_series: int
    series: int

    @property
    def samples(self) -> int:
        """How many samples the tile holds."""
        return self.steps * self.series


@dataclass(frozen=True, slots=True)
class Window:
    """The steps of one block: those whose time falls into one aligned range of ``duration`` ms."""

    first_step: int
    steps: int


def windows(grid: Grid, duration: int) -> Iterator[Window]:
    """The grid cut at multiples of `duration` ms since the epoch, in time order; windows without a step are left out."""
    first = 0
    while first < grid.steps:
        border = (grid.time(first) // duration + 1) * duration
        end = min(grid.steps, -((grid.start - border) // grid.step))
        yield Window(first, end - first)
        first = end


def spans(total: int, most: int) -> Iterator[tuple[int, int]]:
    """(first, count) of the fewest near-equal parts of `total`, none over `most`."""
    parts = -(-total // max(1, most))
    borders = [total * part // parts for part in range(parts + 1)] if parts else []
    return ((a, b - a) for a, b in itertools.pairwise(borders))


def series_tiles(grid: Grid, series: int, most_samples: int) -> Iterator[Tile]:
    """Whole series, as many as fit `most_samples`; a series that does not fit alone comes in spans of time, in order."""
    if grid.steps <= most_samples:
        for first, count in spans(series, most_samples // grid.steps):
            yield Tile(0, grid.steps, first, count)
        return
    for row in range(series):
        for first, count in spans(grid.steps, most_samples):
            yield Tile(first, count, row, 1)
