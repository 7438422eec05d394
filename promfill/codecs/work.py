"""Scratch memory that outlives a call: the pages of a fresh array cost more than the arithmetic done in it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray


class Work:
    """Named scratch arrays that only grow, for one worker: whoever shares one shares its arrays."""

    __slots__ = ("_buffers",)

    def __init__(self) -> None:
        self._buffers: dict[str, NDArray[np.uint8]] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of this shape and dtype, C order, with whatever its memory held; valid until the name's next get."""
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size + size // 16, np.uint8)  # room for the next, a little larger
        return buffer[:size].view(kind).reshape(shape)
