"""The 64-bit mixer used by the fleet's noise and its keys."""

from __future__ import annotations

import numpy as np

from promfill.model.types import U64Array

_U64 = np.uint64
_ROUNDS = ((_U64(30), _U64(0xBF58476D1CE4E5B9)), (_U64(27), _U64(0x94D049BB133111EB)))
_LAST_SHIFT = _U64(31)


def mix(words: U64Array, scratch: U64Array | None = None) -> U64Array:
    """Mix `words` (uint64, any shape) in place and return them: a bijection; each bit changes about half of the others.

    The finaliser of splitmix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014;
    constants of Stafford's variant 13). `scratch` has the shape of `words`.
    """
    shifted = np.empty_like(words) if scratch is None else scratch
    for shift, multiplier in _ROUNDS:
        np.right_shift(words, shift, out=shifted)
        words ^= shifted
        words *= multiplier
    np.right_shift(words, _LAST_SHIFT, out=shifted)
    words ^= shifted
    return words
