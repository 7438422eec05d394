"""Compares the samples in a store with the pushed samples, a group of series at a time: arrays in, counts out.

A series that has exactly the times of the grid is compared as a row of a matrix; after a good push, this fits every
series. The samples of other series are sorted one by one into the cells of the matrix, which finds all kinds of faults.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from promfill.model.grid import Grid
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.types import BoolArray, F64Array, I64Array, U64Array
from promfill.operations.time_ranges import TimeRanges

_MAGNITUDE, _INFINITY = np.uint64(0x7FFF_FFFF_FFFF_FFFF), np.uint64(0x7FF0_0000_0000_0000)
"""Bits of a float64: a mask that removes the sign, and infinity. Masked bits from infinity on are not finite."""

RELATIVE = 2e-12
OF_LARGEST = 1e-15
"""Allowed differences: VictoriaMetrics keeps about 12 digits, relative to the value or to the largest one nearby."""


@dataclass(slots=True)
class Fault:
    """The samples that have one kind of fault: their number and times."""

    ranges: TimeRanges
    samples: int = 0

    def add(self, samples: int, times: I64Array) -> None:
        """Add this many samples. times: ms, int64 (n,), in any order; duplicates are allowed."""
        self.samples += samples
        self.ranges.add(times)


@dataclass(slots=True)
class Comparison:
    """Counts of samples. `found`: pushed samples that the store holds with their value (or rounded), counted once."""

    step: int
    found: int = 0
    rounded: int = 0
    missing: Fault = field(init=False)
    unexpected: Fault = field(init=False)
    different: Fault = field(init=False)
    doubled: Fault = field(init=False)

    def __post_init__(self) -> None:
        self.missing, self.unexpected, self.different, self.doubled = (Fault(TimeRanges(self.step)) for _ in range(4))


@dataclass(frozen=True, slots=True, eq=False)
class PushedSamples:
    """The pushed samples of m series. bits: uint64 (m, T), one row per series, where T is the number of grid steps."""

    grid: Grid
    bits: U64Array


def compare(expected: PushedSamples, found: RaggedBatch, tally: Comparison, *, by_bits: bool) -> None:
    """Count every sample of these series in the tally. found: one run per series, within the grid's range.

    by_bits: values must be equal bit by bit; otherwise VictoriaMetrics's rounding is allowed.
    """
    steps = expected.grid.steps
    regular = found.counts == steps
    if regular.all():
        times = found.times.reshape(-1, steps)
        regular = _on_grid(times, expected.grid)
        if regular.all():
            _compare_rows(expected, found.bits.reshape(-1, steps), tally, by_bits)
            return
    whole = regular & _starts_and_ends(found, expected.grid)
    rows = np.flatnonzero(whole)
    places = found.bounds[rows, None] + np.arange(steps)
    whole[rows] = _on_grid(found.times[places], expected.grid)
    places = places[whole[rows]]
    _compare_rows(_take(expected, whole), found.bits[places], tally, by_bits)
    _compare_cells(_take(expected, ~whole), found.take(np.flatnonzero(~whole)), tally, by_bits)


def _on_grid(times: I64Array, grid: Grid) -> BoolArray:
    """Whether a series has exactly the times of the grid: bool (m,), from times (m, T)."""
    on_grid: BoolArray = (times == _times(grid)).all(axis=1)
    return on_grid


def _times(grid: Grid) -> I64Array:
    return grid.start + np.arange(grid.steps, dtype=np.int64) * grid.step


def _starts_and_ends(found: RaggedBatch, grid: Grid) -> BoolArray:
    """Whether a series starts and ends with the grid: bool (m,). This cheap test saves most full comparisons."""
    filled = found.counts > 0
    if not found.times.size:
        return filled
    first = np.minimum(found.bounds[:-1], found.times.size - 1)
    last = np.maximum(found.bounds[1:], 1) - 1
    fits: BoolArray = filled & (found.times[first] == grid.start) & (found.times[last] == grid.last)
    return fits


def _take(expected: PushedSamples, which: BoolArray) -> PushedSamples:
    return PushedSamples(expected.grid, expected.bits[which])


def _compare_rows(expected: PushedSamples, bits: U64Array, tally: Comparison, by_bits: bool) -> None:
    """Compare series that have exactly one sample in every cell: (m, T) with (m, T)."""
    same = expected.bits == bits
    wrong = np.flatnonzero(~same.all(axis=1))
    tally.found += bits.size
    if not wrong.size:
        return
    wanted, held, same = expected.bits[wrong], bits[wrong], same[wrong]
    good = same if by_bits else same | _near(wanted, held, _largest(wanted)[:, None])
    _count_values(good, same, tally, expected.grid)
    tally.found -= int(np.count_nonzero(~good))


def _count_values(good: BoolArray, same: BoolArray, tally: Comparison, grid: Grid) -> None:
    """Count rounded and different samples. good, same: bool (m, T), one per cell."""
    tally.rounded += int(np.count_nonzero(good)) - int(np.count_nonzero(same))
    bad = ~good
    tally.different.add(int(np.count_nonzero(bad)), _times(grid)[bad.any(axis=0)])


def _compare_cells(expected: PushedSamples, found: RaggedBatch, tally: Comparison, by_bits: bool) -> None:
    """Compare sample by sample: a sample is the first in its cell, a duplicate there, or outside of all cells."""
    grid = expected.grid
    step, off = np.divmod(found.times - grid.start, grid.step)
    placed = off == 0
    tally.unexpected.add(int(np.count_nonzero(~placed)), found.times[~placed])
    cells = (found.owners * grid.steps + step)[placed]
    order = np.argsort(cells, kind="stable")
    cells, bits = cells[order], found.bits[placed][order]
    firsts = np.flatnonzero(np.diff(cells, prepend=-1))
    there = cells[firsts]
    tally.doubled.add(cells.size - there.size, _cell_times(np.delete(cells, firsts), grid))
    absent = np.ones(expected.bits.shape, np.bool_)
    absent.ravel()[there] = False
    tally.missing.add(int(np.count_nonzero(absent)), _times(grid)[absent.any(axis=0)])
    if not cells.size:
        return
    wanted = expected.bits.ravel()[cells]
    same = wanted == bits
    good = same if by_bits else same | _near(wanted, bits, _largest(expected.bits)[cells // grid.steps])
    cell_good, cell_same = (np.logical_or.reduceat(flags, firsts) for flags in (good, same))
    tally.found += int(np.count_nonzero(cell_good))
    tally.rounded += int(np.count_nonzero(cell_good & ~cell_same))
    tally.different.add(int(np.count_nonzero(~cell_good)), _cell_times(there[~cell_good], grid))


def _cell_times(cells: I64Array, grid: Grid) -> I64Array:
    return grid.start + np.unique(cells % grid.steps) * grid.step


def _largest(bits: U64Array) -> F64Array:
    """The largest finite magnitude of each series, or 0 if it has no finite value: float64 (m,).

    This compares bits, which sort like magnitudes. A float maximum would not work for a staleness marker (a signalling
    NaN): it returns NaN or not, depending on the marker's position.
    """
    magnitudes = bits & _MAGNITUDE
    magnitudes[magnitudes >= _INFINITY] = 0
    largest: F64Array = magnitudes.max(axis=1).view(np.float64)
    return largest


def _near(wanted: U64Array, held: U64Array, largest: F64Array) -> BoolArray:
    """Whether VictoriaMetrics's rounding can explain the difference between two values; both must be finite."""
    want = wanted.view(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        allowed = np.maximum(np.abs(want) * RELATIVE, largest * OF_LARGEST)
        near: BoolArray = np.abs(held.view(np.float64) - want) <= allowed
    near &= wanted & _MAGNITUDE < _INFINITY  # then the stored values are finite too
    return near
