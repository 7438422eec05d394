"""The original's stream, in any pieces."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.sources.signals.noise_stream import MersenneNoise

STEPS = 1003


def drawn(noise: MersenneNoise, first: int, steps: int) -> NDArray[np.float64]:
    out = np.full((steps, 1), np.nan)
    noise.fill(out, first, 0)
    return out[:, 0]


def stream(seed: int, mean: float = 0.0, std: float = 3.0) -> NDArray[np.float64]:
    return np.random.RandomState(seed).normal(mean, std, STEPS)


def test_the_first_values_are_frozen() -> None:
    assert [value.hex() for value in drawn(MersenneNoise(42, 0.0, 3.0, 4), 0, 4).tolist()] == [
        "0x1.7d79f9e7ee45dp+0",
        "-0x1.a8bf788cd07bfp-2",
        "0x1.f16cbf8368d9cp+0",
        "0x1.246bf6a813fa0p+2",
    ]


@pytest.mark.parametrize("seed", [0, 1, 42, 2**32 - 1])
@pytest.mark.parametrize("block", [1, 7, 64, STEPS - 1, STEPS, STEPS + 1])
def test_pieces_forward_are_the_whole(seed: int, block: int) -> None:
    noise = MersenneNoise(seed, 1.5, 0.5, STEPS, block=block)
    cuts = [0, 1, 2, 3, 50, 51, 500, 999, STEPS]
    pieces = [drawn(noise, a, b - a) for a, b in pairwise(cuts)]
    assert np.array_equal(np.concatenate(pieces), stream(seed, 1.5, 0.5))


@pytest.mark.parametrize("block", [5, 128, STEPS])
def test_pieces_in_any_order_are_the_whole(block: int) -> None:
    noise, whole = MersenneNoise(42, 0.0, 3.0, STEPS, block=block), stream(42)
    for first, steps in ((900, 103), (0, 10), (10, 400), (5, 3), (5, 3), (1002, 1), (0, STEPS), (700, 0)):
        assert np.array_equal(drawn(noise, first, steps), whole[first : first + steps])


def test_it_writes_into_a_column_of_a_wider_array() -> None:
    wide = np.zeros((10, 3))
    MersenneNoise(42, 0.0, 3.0, STEPS).fill(wide[:, 1:2], 4, 0)
    assert np.array_equal(wide[:, 1], stream(42)[4:14])
    assert not wide[:, ::2].any()


@pytest.mark.parametrize(
    ("shape", "step", "series"), [((1, 2), 0, 0), ((1, 1), 0, 1), ((2, 1), STEPS - 1, 0), ((1, 1), -1, 0)]
)
def test_what_it_does_not_have_is_refused(shape: tuple[int, int], step: int, series: int) -> None:
    with pytest.raises(ValueError, match=r"no . x . values"):
        MersenneNoise(42, 0.0, 3.0, STEPS).fill(np.empty(shape), step, series)


def test_the_fingerprint_is_of_the_seed_alone() -> None:
    noise = MersenneNoise(42, 10.0, 3.0, STEPS)
    drawn(noise, 0, 100)
    assert noise.fingerprint() == tuple(np.random.RandomState(42).standard_normal(8).tolist())
    assert noise.fingerprint() != MersenneNoise(43, 10.0, 3.0, STEPS).fingerprint()
