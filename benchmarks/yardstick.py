"""The encoders' yardstick: one XOR pass and two np.add.at over the same array, timed in the same run.

It does the minimum that an XOR chunk encoder needs (neighbours XORed, each sample's bits added to two words of its
chunk) and nothing else, so a ratio to it says how near an encoder is to what the machine and numpy allow.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray


def make_yardstick(bits: NDArray[np.uint64]) -> Callable[[], None]:
    """One pass over bits uint64 (T steps, S series). Scratch arrays are made here, outside the timed part."""
    steps, series = bits.shape
    words = np.zeros(bits.size + 1, np.uint64)
    places = (np.arange(steps)[:, None] + steps * np.arange(series)).ravel()  # series-major, as chunks lie in a file
    xor = np.empty_like(bits)

    def run() -> None:
        xor[0] = bits[0]
        np.bitwise_xor(bits[1:], bits[:-1], out=xor[1:])
        np.add.at(words, places, xor.ravel())
        np.add.at(words[1:], places, xor.ravel())

    return run
