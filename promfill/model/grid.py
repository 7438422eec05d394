"""Cut the plane of steps x series into tiles of bounded memory: integers only.

A tile is a rectangle; the source can make any tile alone (`generated.Source.batch`), so the order in which a sink
wants its samples is simply an order of tiles:

- blocks: window by window, in a window the series in label order (`block_tiles`);
- openmetrics: series by series, each whole where memory allows (`series_tiles`);
- remote write: time-major, all series of a few steps before the next steps (`sinks.remote_write`).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

SAMPLES_PER_CHUNK = 120
"""The convention of every Prometheus block writer."""


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
    """The steps with times in one aligned range, such as a UTC day: the steps of one block."""

    first_step: int
    steps: int

    @property
    def end_step(self) -> int:
        """One past the last step."""
        return self.first_step + self.steps


def windows(grid: Grid, duration: int) -> Iterator[Window]:
    """The grid cut at multiples of `duration` ms since the epoch, in time order, without windows that have no step."""
    first = 0
    while first < grid.steps:
        border = (grid.time(first) // duration + 1) * duration
        end = min(grid.steps, -((grid.start - border) // grid.step))
        yield Window(first, end - first)
        first = end


def spans(total: int, most: int) -> Iterator[tuple[int, int]]:
    """(first, count) of the fewest near-equal parts of `total`, none larger than `most`."""
    parts = -(-total // max(1, most))
    return ((a, b - a) for a, b in itertools.pairwise(total * part // max(1, parts) for part in range(parts + 1)))


def series_tiles(grid: Grid, series: int, most: int) -> Iterator[Tile]:
    """Whole series, as many as hold `most` samples; a series too large for that comes in spans of time, in order."""
    if grid.steps <= most:
        for first, count in spans(series, most // grid.steps):
            yield Tile(0, grid.steps, first, count)
        return
    for row in range(series):
        for first, count in spans(grid.steps, most):
            yield Tile(first, count, row, 1)


def block_groups(wanted: Iterable[Window], series: int, most: int) -> Iterator[list[Window]]:
    """Neighbouring windows of equal length, as many as fit a tile of `most` samples with all their series."""
    group: list[Window] = []
    for window in wanted:
        fits = (len(group) + 1) * window.steps * series <= most
        if group and not (fits and window.steps == group[0].steps and window.first_step == group[-1].end_step):
            yield group
            group = []
        group.append(window)
    if group:
        yield group


def block_tiles(wanted: Iterable[Window], series: int, most: int) -> Iterator[Tile]:
    """Tiles of at most `most` samples that fill block after block, each block's series in order.

    Small blocks share a tile in groups, so that array calls stay large. If one series of a block is larger than a
    tile, its steps are cut at chunk borders.
    """
    for group in block_groups(wanted, series, most):
        first_step, steps = group[0].first_step, sum(window.steps for window in group)
        if steps <= most:
            for first, count in spans(series, most // steps):
                yield Tile(first_step, steps, first, count)
            continue
        for row in range(series):
            for first, count in _chunk_spans(steps, most):
                yield Tile(first_step + first, count, row, 1)


def _chunk_spans(steps: int, most: int) -> Iterator[tuple[int, int]]:
    chunks = -(-steps // SAMPLES_PER_CHUNK)
    for first, count in spans(chunks, most // SAMPLES_PER_CHUNK):
        start = first * SAMPLES_PER_CHUNK
        yield start, min(steps - start, count * SAMPLES_PER_CHUNK)
