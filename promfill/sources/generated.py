"""Scenario to arrays: any rectangle of the plane can be made alone.

`Source.batch` is a pure function of the scenario and a tile: it gives the same samples, bit for bit, whatever the
order, size or process of the tiles. Everything else (blocks, requests, workers, resume, verify) relies on that.
"""

from __future__ import annotations

import numpy as np

from promfill.model.batch import STALE_NAN_BITS, Fleet, SeriesBatch, freeze
from promfill.model.grid import Grid, Tile
from promfill.model.types import F64Array, I64Array
from promfill.scenario.scenario import Scenario, Signal, may_round_to_zero
from promfill.sources.expand_labels import build_fleet
from promfill.sources.identity import identity
from promfill.sources.signals.keys import label_keys
from promfill.sources.signals.noise import HashNoise, MersenneNoise, Noise
from promfill.sources.signals.shape import shape


class Source:
    """The samples of a scenario, on demand."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.grid: Grid = scenario.grid
        self.fleet: Fleet = build_fleet(scenario.metric, scenario.labels)
        self._noise = _noise(scenario.signal, self.fleet, self.grid)
        self._scratch = np.empty(0)
        self._shape_of: tuple[int, int] | None = None
        self._shape = np.empty(0)

    def batch(self, tile: Tile) -> SeriesBatch:
        """The samples of one tile. Its arrays are valid until the next call, which fills them again."""
        values = self._values(tile)
        self._noise.fill(values, tile.first_step, tile.first_series)
        values += self._shared(tile.first_step, tile.steps)[:, None]
        _snap(values, self.scenario.signal)
        if self.scenario.stale_at_end and tile.first_step + tile.steps == self.grid.steps:
            values[-1].view(np.uint64)[:] = STALE_NAN_BITS
        return SeriesBatch(self.fleet, tile.first_series, self.timestamps(tile.first_step, tile.steps), values)

    def timestamps(self, first_step: int, steps: int) -> I64Array:
        """int64 ms (steps,): the times of consecutive steps."""
        start = self.grid.time(first_step)
        return freeze(np.arange(start, start + steps * self.grid.step, self.grid.step, dtype=np.int64))

    @property
    def samples(self) -> int:
        """How many samples the whole plane holds."""
        return len(self.fleet) * self.grid.steps

    def identity(self) -> bytes:
        """32 bytes that identify the samples it makes: `promfill.sources.identity`."""
        signal = self.scenario.signal
        return identity(
            self.fleet,
            self.grid,
            signal,
            self.fingerprint(),
            no_negative_zero=may_round_to_zero(signal),
            stale_at_end=self.scenario.stale_at_end,
        )

    def fingerprint(self) -> tuple[float, ...]:
        """The first values of the noise: they show whether a later run's noise is still the same."""
        return tuple(self._noise.fingerprint())

    def _values(self, tile: Tile) -> F64Array:
        if self._scratch.size < tile.samples:
            self._scratch = np.empty(tile.samples)
        return self._scratch[: tile.samples].reshape(tile.steps, tile.series)

    def _shared(self, first_step: int, steps: int) -> F64Array:
        """Trend and season, which all series share: kept, since a window's tiles follow one another."""
        if self._shape_of != (first_step, steps):
            self._shape = shape(self.scenario.signal, self.grid, first_step, steps)
            self._shape_of = (first_step, steps)
        return self._shape


def _noise(signal: Signal, fleet: Fleet, grid: Grid) -> Noise:
    """One series uses the original script's stream; in a fleet, each series draws from the seed and its own labels."""
    if len(fleet) == 1:
        return MersenneNoise(signal.seed, signal.noise_mean, signal.noise_std, grid.steps)
    return HashNoise(signal.seed, label_keys(fleet), signal.noise_mean, signal.noise_std)


def _snap(values: F64Array, signal: Signal) -> None:
    """Round to decimals or to the resolution, in place.

    A value that is rounded to zero is 0, never -0, which not every store keeps.
    """
    if signal.decimals is not None:
        np.round(values, signal.decimals, out=values)
    if signal.resolution is not None:
        values /= signal.resolution
        np.rint(values, out=values)
        values *= signal.resolution
    if signal.rounds:
        values += 0.0  # turns -0 into 0, and changes no other number
