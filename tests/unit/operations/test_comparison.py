from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.model.grid import Grid
from promfill.model.ragged_batch import RaggedBatch
from promfill.operations.comparison import Comparison, PushedSamples, compare
from tests.support.ragged_reference import batch_of

GRID = Grid(1_000, 10, 6)
BITS = (20.0 + np.arange(18.0).reshape(3, 6) / 7).view(np.uint64)
Series = list[tuple[list[int], list[int]]]


def held() -> Series:
    """What a store holds of a true push: (times, bits) of each series."""
    return [([GRID.time(step) for step in range(6)], row.tolist()) for row in BITS]


def compared(series: Series, *, by_bits: bool = True) -> Comparison:
    tally = Comparison(GRID.step)
    found = batch_of((row, list(zip(times, bits, strict=True))) for row, (times, bits) in enumerate(series))
    compare(PushedSamples(GRID, BITS), found, tally, by_bits=by_bits)
    return tally


def two_samples(bits: NDArray[np.uint64]) -> RaggedBatch:
    """What a store holds of one series."""
    return RaggedBatch(np.array([0]), np.array([0, 2]), np.array([1_000, 1_010]), bits)


def counts(tally: Comparison) -> tuple[int, ...]:
    faults = (tally.missing, tally.unexpected, tally.different, tally.doubled)
    return (tally.found, *(fault.samples for fault in faults))


def flip(series: Series) -> None:
    series[1][1][2] ^= 1


def remove(series: Series) -> None:
    del series[1][0][2]
    del series[1][1][2]


def add_between(series: Series) -> None:
    series[1][0].insert(3, 1_025)
    series[1][1].insert(3, 7)


def double(series: Series) -> None:
    series[1][0].insert(3, 1_020)
    series[1][1].insert(3, series[1][1][2])


def double_with_another_value(series: Series) -> None:
    series[1][0].insert(3, 1_020)
    series[1][1].insert(3, 7)


def swap_for_a_double(series: Series) -> None:
    series[1][0][3] = 1_020
    series[1][1][3] = series[1][1][2]


def empty(series: Series) -> None:
    series[1] = ([], [])


def shuffle(series: Series) -> None:
    series[1] = (series[1][0][::-1], series[1][1][::-1])


@pytest.mark.parametrize(
    ("change", "expected", "when"),
    [
        (lambda series: None, (18, 0, 0, 0, 0), {}),
        (flip, (17, 0, 0, 1, 0), {"different": [(1_020, 1_020)]}),
        (remove, (17, 1, 0, 0, 0), {"missing": [(1_020, 1_020)]}),
        (add_between, (18, 0, 1, 0, 0), {"unexpected": [(1_025, 1_025)]}),
        (double, (18, 0, 0, 0, 1), {"doubled": [(1_020, 1_020)]}),
        (double_with_another_value, (18, 0, 0, 0, 1), {"doubled": [(1_020, 1_020)]}),
        (swap_for_a_double, (17, 1, 0, 0, 1), {"missing": [(1_030, 1_030)], "doubled": [(1_020, 1_020)]}),
        (empty, (12, 6, 0, 0, 0), {"missing": [(1_000, 1_050)]}),
        (shuffle, (18, 0, 0, 0, 0), {}),
    ],
)
def test_each_fault_is_counted_and_placed(
    change: Callable[[Series], None], expected: tuple[int, ...], when: dict[str, list[tuple[int, int]]]
) -> None:
    series = held()
    change(series)
    tally = compared(series)
    assert counts(tally) == expected
    names = ("missing", "unexpected", "different", "doubled")
    assert {name: getattr(tally, name).ranges.first(9) for name in names if getattr(tally, name).samples} == when


@pytest.mark.parametrize(
    ("error", "rounded", "different"), [(1e-12, 1, 0), (1.9e-12, 1, 0), (2.5e-12, 0, 1), (1e-9, 0, 1)]
)
def test_the_store_may_round_in_the_thirteenth_digit(error: float, rounded: int, different: int) -> None:
    series = held()
    series[2][1][4] = int(np.array(BITS[2].view(np.float64)[4] * (1 + error)).view(np.uint64))
    tally = compared(series, by_bits=False)
    assert (tally.rounded, tally.different.samples, tally.found) == (rounded, different, 18 - different)
    assert compared(series).different.samples == 1


def test_small_values_lose_what_the_largest_of_their_series_takes() -> None:
    bits = np.array([[1e9, 1e-9]]).view(np.uint64)
    tally = Comparison(10)
    found = two_samples(np.array([1e9, 0.0]).view(np.uint64))
    compare(PushedSamples(Grid(1_000, 10, 2), bits), found, tally, by_bits=False)
    assert (tally.found, tally.rounded) == (2, 1)


def test_a_nan_is_compared_by_its_payload() -> None:
    bits = np.array([[0x7FF0000000000002, 0x7FF8000000000001]], np.uint64)
    tally = Comparison(10)
    found = two_samples(np.array([0x7FF8000000000001] * 2, np.uint64))
    compare(PushedSamples(Grid(1_000, 10, 2), bits), found, tally, by_bits=True)
    assert (tally.found, tally.different.samples) == (1, 1)
