"""Counter-based noise against a scalar reference, and frozen. Its distribution: test_noise_distribution."""

from __future__ import annotations

import hashlib
import math
from itertools import pairwise
from statistics import NormalDist

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.sources.signals.noise_hash import _NODE_UNIT, HashNoise, _nodes, _segments

MASK = 2**64 - 1
KEYS = np.array([0, 1, 2**63, 0xDEADBEEFCAFEF00D, MASK], np.uint64)


def filled(noise: HashNoise, first_step: int, steps: int, first_series: int, series: int) -> NDArray[np.float64]:
    out = np.full((steps, series), np.nan)
    noise.fill(out, first_step, first_series)
    return out


def scalar_mix(x: int) -> int:
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9 & MASK
    x = (x ^ x >> 27) * 0x94D049BB133111EB & MASK
    return x ^ x >> 31


def reference(seed: int, key: int, step: int) -> float:
    """The standard value: the quantile of 32 hash bits, straight between nodes 2^-8 of an octave apart."""
    word = scalar_mix(scalar_mix(key ^ scalar_mix(seed)) ^ scalar_mix(step // 2 ^ 0x9E3779B97F4A7C15))
    half = word >> 32 * (step % 2) & 0xFFFFFFFF
    f = (half - 2**32 if half >= 2**31 else half) + 0.5
    octave = math.floor(math.log2(abs(f)))
    width = 2.0 ** (octave - 8)
    low = abs(f) // width * width
    z0, z1 = (-NormalDist().inv_cdf(p / 2**32) if p < 2**31 else 0.0 for p in (low, low + width))
    return math.copysign(z0 + (z1 - z0) * (abs(f) - low) / width, f)


@pytest.mark.parametrize("seed", [0, 42, 2**32 - 1])
def test_values_are_the_references(seed: int) -> None:
    got = filled(HashNoise(seed, KEYS, 0.0, 1.0), 1001, 200, 0, KEYS.size)
    want = [[reference(seed, int(key), step) for key in KEYS] for step in range(1001, 1201)]
    np.testing.assert_allclose(got, want, rtol=0, atol=5e-9)


def test_mean_and_deviation() -> None:
    standard = filled(HashNoise(42, KEYS, 0.0, 1.0), 0, 300, 0, 5)
    np.testing.assert_allclose(filled(HashNoise(42, KEYS, 1e3, 0.25), 0, 300, 0, 5), 1e3 + 0.25 * standard, rtol=1e-15)
    assert (filled(HashNoise(42, KEYS, -7.0, 0.0), 0, 9, 0, 5) == -7.0).all()


def test_the_first_values_are_frozen() -> None:
    values = filled(HashNoise(42, KEYS, 0.0, 3.0), 0, 3, 2, 2)
    assert [value.hex() for value in values.ravel().tolist()] == [
        "-0x1.a59c680cb9b89p+1",
        "-0x1.8a6b013d51106p+0",
        "0x1.a1b294cc0b8c3p+1",
        "0x1.69862f0cf3352p+0",
        "0x1.be3b947c280d1p+1",
        "-0x1.27e6c49da6309p+2",
    ]


def test_the_table_is_frozen() -> None:
    intercepts, slopes = _segments()
    bits = intercepts.astype("<f8").tobytes() + slopes.astype("<f8").tobytes()
    assert hashlib.sha256(bits).hexdigest() == "e966f324ea33c80f9cfb806a38809bfcf91b9abe7c086475ac0af1666b56a3b1"


def test_no_logarithm_can_round_a_node_to_another_side() -> None:
    """inv_cdf is exact to about 1e-15 (4.5 eps at 6.3); no node lies within 1e-13 of a tie of its rounding."""
    tails = [math.ldexp(1 + k / 256, octave - 32) for octave in range(-1, 31) for k in range(256)]
    units = np.array([-NormalDist().inv_cdf(p) for p in tails]) / _NODE_UNIT
    assert np.abs(units - np.floor(units) - 0.5).min() * _NODE_UNIT > 1e-13
    np.testing.assert_array_equal(_nodes()[:-1], np.rint(units) * _NODE_UNIT)


def test_segments_meet_at_their_nodes_exactly() -> None:
    intercepts, slopes = _segments()
    edges = [math.ldexp(1 + k / 256, octave) for octave in range(-1, 31) for k in range(256)] + [2.0**31]
    for a, b, (low, high), (z0, z1) in zip(intercepts, slopes, pairwise(edges), pairwise(_nodes()), strict=True):
        assert a + b * low == z0
        assert a + b * high == z1


def test_rows_of_two_thousand_series_and_blocks_wider_than_the_scratch() -> None:
    keys = np.arange(20_001, dtype=np.uint64)
    wide = filled(HashNoise(5, keys, 0.0, 1.0), 3, 4, 0, keys.size)
    for row in (0, 1, 8191, 8192, 10_000, 20_000):
        assert np.array_equal(filled(HashNoise(5, keys[row : row + 1], 0.0, 1.0), 3, 4, 0, 1)[:, 0], wide[:, row])


def test_a_series_depends_on_its_key_alone() -> None:
    whole = filled(HashNoise(42, KEYS, 0.0, 3.0), 0, 500, 0, 5)
    order = [3, 0, 4]
    assert np.array_equal(filled(HashNoise(42, KEYS[order], 0.0, 3.0), 0, 500, 0, 3), whole[:, order])


def test_the_keys_are_left_as_they_are() -> None:
    keys = KEYS.copy()
    HashNoise(42, keys, 0.0, 3.0)
    assert np.array_equal(keys, KEYS)


def test_the_fingerprint_is_of_the_seed_alone() -> None:
    fingerprint = HashNoise(42, KEYS, 5.0, 3.0).fingerprint()
    assert fingerprint == HashNoise(42, KEYS[:0], 0.0, 0.5).fingerprint()
    assert fingerprint == tuple(filled(HashNoise(42, KEYS[:1], 0.0, 1.0), 0, 8, 0, 1)[:, 0].tolist())
    assert fingerprint != HashNoise(43, KEYS, 5.0, 3.0).fingerprint()


@pytest.mark.parametrize(("step", "first", "series"), [(0, 4, 2), (0, 0, 6), (-1, 0, 1), (0, -1, 1)])
def test_what_it_does_not_have_is_refused(step: int, first: int, series: int) -> None:
    with pytest.raises(ValueError, match=r"no 1 x . values"):
        filled(HashNoise(42, KEYS, 0.0, 3.0), step, 1, first, series)


def test_nothing_to_fill() -> None:
    noise = HashNoise(42, KEYS, 0.0, 3.0)
    assert filled(noise, 5, 0, 0, 5).shape == (0, 5)
    assert filled(noise, 5, 3, 5, 0).shape == (3, 0)
