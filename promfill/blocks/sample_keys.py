"""One number to sort samples by: window, series in label order, time. A block wants its samples in this order."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from promfill.errors import InputError
from promfill.model.types import I64Array, U64Array

KeyArray = U64Array

_BITS = 64


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """``key = ((window - first_window) * series + rank) << time_bits | time since the window's start``, uint64.

    A window is `duration` ms long, and starts at a multiple of it since 1970.
    """

    duration: int
    first_window: int
    series: int
    time_bits: int

    @classmethod
    def covering(cls, duration: int, first_time: int, last_time: int, series: int) -> KeyLayout:
        """For times from `first_time` to `last_time`, ms. InputError: 64 bits are too few for all series and times."""
        first, last = first_time // duration, last_time // duration
        bits = (duration - 1).bit_length()
        if ((last - first + 1) * series - 1).bit_length() + bits > _BITS:
            raise InputError(
                f"{series:,} series over {last - first + 1:,} blocks are too many at once: split the input"
            )
        return cls(duration, first, series, bits)

    def pack(self, ranks: I64Array, times: I64Array) -> KeyArray:
        """The keys of samples of these series at these times, ms."""
        windows = times // self.duration
        cells = (windows - self.first_window) * self.series + ranks
        since = times - windows * self.duration
        return cells.astype(np.uint64) << np.uint64(self.time_bits) | since.astype(np.uint64)

    def cells(self, keys: KeyArray) -> I64Array:
        """Window and series in one number."""
        return (keys >> np.uint64(self.time_bits)).astype(np.int64)

    def windows(self, cells: I64Array) -> I64Array:
        """The windows of cells, counted from 1970."""
        return cells // self.series + self.first_window

    def ranks(self, cells: I64Array) -> I64Array:
        """The series of each cell."""
        return cells % self.series

    def times(self, keys: KeyArray, cells: I64Array) -> I64Array:
        """The times, in ms, of keys with these cells."""
        since = (keys & np.uint64((1 << self.time_bits) - 1)).astype(np.int64)
        since += self.windows(cells) * self.duration
        return since
