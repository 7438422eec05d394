"""Check a source: its samples depend on the tile and on nothing else."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.model.types import U64Array
from promfill.protocols import Source
from promfill.testing.checks import check

MOST_SAMPLES = 5_000_000
"""The largest source that can be checked: the check generates all samples several times."""


def check_source(source: Source, *, seed: int = 0) -> None:
    """Check that a source returns the same bits for a tile in any order, in any tiling and in any process.

    The source may have at most 5,000,000 samples. seed: the seed for the random tiles. AssertionError: the source
    breaks a rule.
    """
    _check_plane(source)
    grid, series = source.grid, len(source.fleet)
    whole_tile = Tile(0, grid.steps, 0, series)
    whole = _bits(source, whole_tile)
    for tile in _tiles(grid.steps, series, np.random.default_rng(seed)):
        _check_batch(source, tile)
        _check_same(_bits(source, tile), whole, tile, "the tile")
    _check_same(_bits(source, whole_tile), whole, whole_tile, "the whole plane, asked for again,")
    tile = Tile(grid.steps // 2, grid.steps - grid.steps // 2, 0, series)
    other = pickle.loads(pickle.dumps(source))
    _check_same(_bits(other, tile), whole, tile, "a pickled copy")
    check(other.identity() == source.identity(), "a pickled copy must have the same identity()")


def _check_plane(source: Source) -> None:
    grid, series = source.grid, len(source.fleet)
    check(series > 0, "the fleet must hold at least one series")
    check(grid.steps > 0, "the grid must hold at least one step")
    check(series * grid.steps <= MOST_SAMPLES, f"check a source of at most {MOST_SAMPLES:,} samples")
    rows = [tuple(row) for row in source.fleet.values.tolist()]
    check(all(a != b for a, b in pairwise(sorted(rows))), "each label set must stand in the fleet once")
    labels = [source.fleet.label_set(row) for row in range(series)]
    check(labels == sorted(labels), "the fleet's series must stand in label order")
    check(all(dict(one).get("__name__") for one in labels), "each series must have a __name__")
    check(len(source.identity()) == 32, "identity() must be 32 bytes")
    check(source.identity() == source.identity(), "identity() must be the same each time")
    check(source.samples == series * grid.steps, "samples must be all of the plane's")


def _check_batch(source: Source, tile: Tile) -> None:
    batch = source.batch(tile)
    shape = (tile.steps, tile.series)
    check(isinstance(batch, SeriesBatch), f"batch({tile}) must be a SeriesBatch")
    check(batch.values.shape == shape, f"batch({tile}): values must be {shape}, not {batch.values.shape}")
    check(batch.values.dtype == np.float64, f"batch({tile}): values must be float64, not {batch.values.dtype}")
    check(batch.values.flags.c_contiguous, f"batch({tile}): values must be in C order")
    check(batch.first_series == tile.first_series, f"batch({tile}): first_series must be that of the tile")
    check(batch.fleet is source.fleet, f"batch({tile}): the fleet must be the source's, not a copy")
    times = batch.timestamps
    check(times.dtype == np.int64, f"batch({tile}): timestamps must be int64, not {times.dtype}")
    check(times.shape in (shape[:1], shape), f"batch({tile}): timestamps must be {shape[:1]} or {shape}")
    check(bool((np.diff(times, axis=0) > 0).all()), f"batch({tile}): timestamps must rise")
    if times.ndim == 1:
        first, last = source.grid.time(tile.first_step), source.grid.time(tile.first_step + tile.steps - 1)
        on_grid = int(times[0]) == first and int(times[-1]) == last
        check(on_grid, f"batch({tile}): timestamps must be from {first} to {last}")
    if batch.present is not None:
        right = batch.present.shape == shape and batch.present.dtype == np.bool_
        check(right, f"batch({tile}): present must be bool {shape}, or None")


def _bits(source: Source, tile: Tile) -> U64Array:
    """The bits of the values, uint64 (T, S), with 0 for absent samples."""
    batch = source.batch(tile)
    bits = batch.values.copy().view(np.uint64)
    if batch.present is not None:
        bits[~batch.present] = 0
    return bits


def _check_same(bits: U64Array, whole: U64Array, tile: Tile, who: str) -> None:
    steps = slice(tile.first_step, tile.first_step + tile.steps)
    part = whole[steps, tile.first_series : tile.first_series + tile.series]
    wrong = np.argwhere(bits != part)
    if wrong.size:
        step, series = (wrong[0] + (tile.first_step, tile.first_series)).tolist()
        raise AssertionError(
            f"{who} {tile} must hold the bits of the whole plane: {len(wrong):,} samples differ, "
            f"the first at step {step} of series {series}"
        )


def _tiles(steps: int, series: int, random: np.random.Generator) -> Iterator[Tile]:
    """Corners, a row, a column and random rectangles, in no particular time order."""
    yield Tile(steps - 1, 1, series - 1, 1)
    yield Tile(0, 1, 0, series)
    yield Tile(0, steps, series - 1, 1)
    yield Tile(0, 1, 0, 1)
    for _ in range(40):
        first_step, first_series = int(random.integers(steps)), int(random.integers(series))
        yield Tile(
            first_step,
            int(random.integers(1, steps - first_step + 1)),
            first_series,
            int(random.integers(1, series - first_series + 1)),
        )
