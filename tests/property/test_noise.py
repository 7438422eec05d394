"""Any rectangle of the noise has the bits of the whole, and nothing around it is written."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.sources.signals.noise import HashNoise, MersenneNoise, Noise

STEPS, SERIES = 61, 37
KEYS = np.random.default_rng(5).integers(0, 2**64, SERIES, dtype=np.uint64)
WHOLE = np.empty((STEPS, SERIES))
HashNoise(42, KEYS, 1.0, 3.0).fill(WHOLE, 0, 0)
STREAM = np.random.RandomState(42).normal(1.0, 3.0, STEPS)


@st.composite
def span(draw: st.DrawFn, total: int) -> tuple[int, int]:
    first = draw(st.integers(0, total))
    return first, draw(st.integers(first, total))


@given(span(STEPS), span(SERIES))
def test_any_rectangle_of_the_fleets_noise(steps: tuple[int, int], series: tuple[int, int]) -> None:
    noise: Noise = HashNoise(42, KEYS, 1.0, 3.0)
    canvas = np.full((STEPS, SERIES), np.nan)
    rectangle = (slice(*steps), slice(*series))
    noise.fill(canvas[rectangle], steps[0], series[0])
    assert np.array_equal(canvas[rectangle], WHOLE[rectangle])
    assert np.isfinite(canvas).sum() == canvas[rectangle].size


@given(st.integers(0, 2**40), st.integers(1, 50), st.integers(0, 49))
def test_steps_far_out(first: int, steps: int, cut: int) -> None:
    noise = HashNoise(42, KEYS, 1.0, 3.0)
    whole, part = np.empty((steps, SERIES)), np.empty((steps, SERIES))
    noise.fill(whole, first, 0)
    noise.fill(part[: min(cut, steps)], first, 0)
    noise.fill(part[min(cut, steps) :], first + min(cut, steps), 0)
    assert np.array_equal(part, whole)


@given(st.lists(span(STEPS), max_size=8), st.integers(1, STEPS + 1))
def test_any_pieces_of_the_original_stream(pieces: list[tuple[int, int]], block: int) -> None:
    noise: Noise = MersenneNoise(42, 1.0, 3.0, STEPS, block=block)
    for first, end in pieces:
        out = np.empty((end - first, 1))
        noise.fill(out, first, 0)
        assert np.array_equal(out[:, 0], STREAM[first:end])
