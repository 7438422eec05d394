"""A sink that keeps everything in memory."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.grid import Grid, Tile, series_tiles
from promfill.model.types import F64Array
from promfill.protocols import SinkReport


class MemorySink:
    """Accepts all samples of a fleet and a grid, in tiles of at most `samples`.

    batches: copies of the batches that were written. committed, aborted: how the push ended.
    """

    def __init__(self, fleet: Fleet, grid: Grid, samples: int = 600_000) -> None:
        self.report = SinkReport()
        self.batches: list[SeriesBatch] = []
        self.committed = self.aborted = False
        self._fleet, self._grid, self._samples = fleet, grid, samples

    def tiles(self) -> Iterator[Tile]:
        """Tiles of whole series, if a whole series fits into `samples`."""
        return series_tiles(self._grid, len(self._fleet), self._samples)

    def write(self, batch: SeriesBatch) -> None:
        """Keep a copy of the batch."""
        present = None if batch.present is None else batch.present.copy()
        copy = SeriesBatch(batch.fleet, batch.first_series, batch.timestamps.copy(), batch.values.copy(), present)
        self.batches.append(copy)
        self.report.samples += batch.samples
        self.report.bytes += batch.values.nbytes

    def commit(self) -> SinkReport:
        """Note that the push is complete."""
        self.committed = True
        return self.report

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """8, the size of a float64."""
        return 8.0

    def abort(self) -> None:
        """Drop all batches."""
        self.aborted = True
        self.batches.clear()
        self.report.samples = self.report.bytes = 0

    @property
    def values(self) -> F64Array:
        """All values, float64 (T, S), with NaN where nothing was written. All series must share the grid's times."""
        plane = np.full((self._grid.steps, len(self._fleet)), np.nan)
        for batch in self.batches:
            steps = (batch.timestamps - self._grid.start) // self._grid.step
            columns = slice(batch.series.start, batch.series.stop)
            values = batch.values if batch.present is None else np.where(batch.present, batch.values, np.nan)
            plane[steps, columns] = values
        return plane
