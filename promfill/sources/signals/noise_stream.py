"""The original's noise: NumPy's legacy stream, which NumPy keeps frozen (NEP 19).

The stream has no random access, so it is drawn in blocks and the last one is kept: for a push that fits one
block, any tile is a copy; a longer push goes forward block by block, and asking for an earlier block starts over.
"""

from __future__ import annotations

import numpy as np

from promfill.model.types import F64Array

BLOCK = 1 << 22
"""Values kept: 32 MiB, eight years at one a minute."""


class MersenneNoise:
    """``RandomState(seed).normal(mean, std, steps)``, bit for bit, for one series. A `noise.Noise`."""

    def __init__(self, seed: int, mean: float, std: float, steps: int, *, block: int = BLOCK) -> None:
        self._seed, self._mean, self._std, self._steps, self._block = seed, mean, std, steps, block
        self._restart()

    def fill(self, out: F64Array, first_step: int, first_series: int) -> None:
        """As in `Noise.fill`; ValueError for anything but steps of the one series."""
        steps, series = out.shape
        if series != 1 or first_series or not 0 <= first_step <= self._steps - steps:
            raise ValueError(f"no {steps} x {series} values at step {first_step}, series {first_series}")
        done = 0
        while done < steps:
            index, offset = divmod(first_step + done, self._block)
            piece = self._values_of(index)[offset : offset + steps - done]
            out[done : done + piece.size, 0] = piece
            done += piece.size

    def fingerprint(self) -> tuple[float, ...]:
        """As in `Noise.fingerprint`."""
        return tuple(np.random.RandomState(self._seed).normal(0.0, 1.0, 8).tolist())

    def _restart(self) -> None:
        self._random = np.random.RandomState(self._seed)
        self._index, self._values = -1, np.empty(0)

    def _values_of(self, index: int) -> F64Array:
        if index < self._index:
            self._restart()
        while self._index < index:
            self._index += 1
            size = min(self._block, self._steps - self._index * self._block)
            self._values = self._random.normal(self._mean, self._std, size)
        return self._values
