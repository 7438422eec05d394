"""Values and times of every kind that the XOR codecs must keep, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STALE_NAN = 0x7FF0000000000002
SPECIAL = np.array(
    [
        0x0000000000000000,  # 0.0
        0x8000000000000000,  # -0.0
        STALE_NAN,
        0x7FF8000000000000,  # quiet NaN
        0x7FF4000000000ABC,  # signalling NaN with a payload
        0xFFFFFFFFFFFFFFFF,  # NaN of ones
        0x7FF0000000000000,  # inf
        0xFFF0000000000000,  # -inf
        0x0000000000000001,  # smallest denormal
        0x800FFFFFFFFFFFFF,  # largest negative denormal
        0x3FF0000000000000,  # 1.0
        0x7FEFFFFFFFFFFFFF,  # largest finite
    ],
    np.uint64,
)

KINDS = ("gauss", "zero mean", "decimals", "integers", "constant", "dyadic", "counter", "random bits", "special")


def make_bits(kind: str, steps: int, series: int, seed: int) -> NDArray[np.uint64]:
    """Values of one kind, by bits: uint64 (T, S)."""
    generator = np.random.Generator(np.random.SFC64(seed))
    noise = generator.standard_normal((steps, series)) * 3
    if kind == "random bits":
        return generator.integers(0, 2**64, (steps, series), dtype=np.uint64)
    if kind == "special":
        return SPECIAL[generator.integers(0, SPECIAL.size, (steps, series))]
    values = {
        "gauss": 20 + noise,
        "zero mean": noise,
        "decimals": np.round(20 + noise, 3),
        "integers": np.rint(200 + 10 * noise),
        "constant": np.full(noise.shape, 5.0),
        "dyadic": np.rint(noise * 128) / 128,
        "counter": np.cumsum(np.rint(np.abs(noise) * 50), axis=0),
    }[kind]
    return np.ascontiguousarray(values).view(np.uint64)


def mixed_bits(steps: int, series: int, seed: int) -> NDArray[np.uint64]:
    """Kinds in turn, side by side: uint64 (T, S)."""
    columns = [make_bits(KINDS[s % len(KINDS)], steps, 1, seed + s) for s in range(series)]
    return np.concatenate(columns, axis=1) if columns else np.zeros((steps, 0), np.uint64)
