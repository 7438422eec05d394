"""Scratch memory that outlives a call: the pages of a fresh array cost more than the arithmetic done in it."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

from promfill.model.types import U8Array

_T = TypeVar("_T")

BLOCK = 65_536
"""Samples in one pass: enough to hide numpy's overhead per call, few enough for the scratch to stay in the cache."""


class Scratch:
    """Named scratch arrays that only grow, and views of them, for one worker; its users share the same arrays."""

    __slots__ = ("_buffers", "_views")

    def __init__(self) -> None:
        self._buffers: dict[str, U8Array] = {}
        self._views: dict[str, tuple[Hashable, Any]] = {}

    def get(self, name: str, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
        """An array of this shape and dtype, C order, with whatever its memory held; valid until the name's next get."""
        kind = np.dtype(dtype)
        size = math.prod(shape) * kind.itemsize
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size:
            buffer = self._buffers[name] = np.empty(size + size // 16, np.uint8)  # room for the next, a little larger
        return buffer[:size].view(kind).reshape(shape)

    def views(self, name: str, arrays: tuple[NDArray[Any], ...], cut: Hashable, build: Callable[[], _T]) -> _T:
        """What ``build()`` makes: views of these contiguous arrays, rebuilt only if ``cut`` or an array has changed.

        A loop over the rows of small arrays spends as long on slicing as on arithmetic.
        """
        key = (cut, *((array.__array_interface__["data"], array.shape, array.dtype) for array in arrays))
        known = self._views.get(name)
        if known is None or known[0] != key:
            known = self._views[name] = (key, build())
        made: _T = known[1]
        return made


def row_blocks(first: int, steps: int, series: int) -> Iterator[slice]:
    """Cut rows first … steps - 1 into slices of about BLOCK samples."""
    height = max(1, BLOCK // max(series, 1))
    return (slice(row, min(row + height, steps)) for row in range(first, steps, height))
