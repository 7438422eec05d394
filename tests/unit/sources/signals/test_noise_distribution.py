"""Is the counter-based noise normal, and independent in every direction? 40 M draws of fixed seeds.

Every figure is in standard errors of its expectation under the normal distribution; 4 of them are one test in 16,000.
Keys are small integers in a row: what a weak mixture would show first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import erfc, sqrt
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.sources.signals.noise_hash import HashNoise

Floats = NDArray[np.float64]
LIMIT = 4.0
CELLS = 4000  # over -4 … 4, and one on each side
WIDTH = 8 / CELLS


def draws(seed: int, steps: int, series: int, first_step: int = 0, first_key: int = 0) -> Floats:
    out = np.empty((steps, series))
    HashNoise(seed, np.arange(first_key, first_key + series, dtype=np.uint64), 0.0, 1.0).fill(out, first_step, 0)
    return out


@dataclass
class Census:
    """What is counted over all draws."""

    count: int
    powers: Floats  # (4,) sums of x, x², x³, x⁴
    cells: Floats  # (CELLS + 2,)
    tails: dict[float, int]


@pytest.fixture(scope="module")
def census() -> Census:
    census = Census(0, np.zeros(4), np.zeros(CELLS + 2), dict.fromkeys((3.0, 4.0, 5.0, 5.5), 0))
    for part in range(10):
        count_in(census, draws(11, 2000, 2000, first_step=2000 * part).ravel())
    return census


def count_in(census: Census, x: Floats) -> None:
    square = x * x
    census.count += x.size
    census.powers += [x.sum(), square.sum(), square @ x, square @ square]
    cell = np.clip((x + (4 + WIDTH)) * (1 / WIDTH), 0, CELLS + 1).astype(np.int64)
    census.cells += np.bincount(cell, minlength=CELLS + 2)
    far = square[square > 9.0]
    for tail in census.tails:
        census.tails[tail] += int(np.count_nonzero(far > tail * tail))


def test_moments(census: Census) -> None:
    n = census.count
    mean, variance, skewness, kurtosis = census.powers / n
    errors = [mean * sqrt(n), (variance - 1) * sqrt(n / 2), skewness * sqrt(n / 15), (kurtosis - 3) * sqrt(n / 96)]
    assert max(map(abs, errors)) < LIMIT, errors


def test_chi_square(census: Census) -> None:
    borders = [NormalDist().cdf(-4 + WIDTH * k) for k in range(CELLS + 1)]
    expected = census.count * np.diff([0.0, *borders, 1.0])
    chi_square = ((census.cells - expected) ** 2 / expected).sum()
    assert abs(chi_square - (CELLS + 1)) / sqrt(2 * (CELLS + 1)) < LIMIT


@pytest.mark.parametrize("tail", [3.0, 4.0, 5.0, 5.5])
def test_tails(census: Census, tail: float) -> None:
    expected = census.count * erfc(tail / sqrt(2))
    assert abs(census.tails[tail] - expected) / sqrt(expected) < LIMIT


def pairs_of_steps() -> Iterator[tuple[str, Floats, Floats]]:
    x = draws(3, 4000, 250)
    for lag in (1, 2, 3, 4, 8, 120, 288, 2048):
        yield f"steps {lag} apart", x[lag:], x[:-lag]
    for first in (0, 1):
        yield f"both of a pair, from {first}", x[first:-2:2], x[first + 1 : -1 : 2]


def pairs_of_series() -> Iterator[tuple[str, Floats, Floats]]:
    x = draws(4, 250, 4000)
    for lag in (1, 2, 3, 4, 64, 1024):
        yield f"keys {lag} apart", x[:, lag:], x[:, :-lag]
    for bit in (8, 31, 32, 47, 63):
        yield f"keys that differ in bit {bit}", x, draws(4, 250, 4000, first_key=1 << bit)


def pairs_of_seeds() -> Iterator[tuple[str, Floats, Floats]]:
    x = draws(0, 1000, 1000)
    for seed in (1, 2, 3, 42, 2**31, 2**32 - 1):
        yield f"seeds 0 and {seed}", x, draws(seed, 1000, 1000)
    yield "key and seed exchanged", draws(5, 1000, 1000, first_key=6), draws(6, 1000, 1000, first_key=5)
    yield "series against steps", x, x.T.copy()


QUARTILES = np.array([NormalDist().inv_cdf(k / 8) for k in range(1, 8)])


def dependences(x: Floats, y: Floats) -> list[float]:
    """Of values, squares, and the 8 x 8 table of octiles, in standard errors."""
    x, y = x.ravel(), y.ravel()
    n = sqrt(x.size)
    table = np.bincount(np.searchsorted(QUARTILES, x) * 8 + np.searchsorted(QUARTILES, y), minlength=64)
    chi_square = ((table - x.size / 64) ** 2 / (x.size / 64)).sum()
    return [x @ y / n, (x * x - 1) @ (y * y - 1) / (2 * n), (chi_square - 63) / sqrt(126)]


@pytest.mark.parametrize("pairs", [pairs_of_steps, pairs_of_series, pairs_of_seeds])
def test_independence(pairs: Callable[[], Iterator[tuple[str, Floats, Floats]]]) -> None:
    for name, x, y in pairs():
        if name == "series against steps":  # the diagonal is the same on both sides
            y = np.where(np.eye(x.shape[0], dtype=bool), draws(9, *x.shape), y)
        found = dependences(x, y)
        assert max(map(abs, found)) < LIMIT + 1, (name, found)


def test_means_of_series_and_of_steps_scatter_as_they_should() -> None:
    x = draws(6, 2000, 2000)
    for axis in (0, 1):
        scatter = (x.mean(axis) * sqrt(2000)).var()
        assert abs(scatter - 1) * sqrt(2000 / 2) < LIMIT


def test_hardly_a_value_comes_twice() -> None:
    """32 bits a value: a million draws have about 116 pairs alike, no more."""
    values = draws(7, 1000, 1000).ravel()
    assert 60 < values.size - np.unique(values).size < 180
