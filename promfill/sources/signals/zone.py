"""UTC offsets of many times at once. `zoneinfo` answers for one time only, and offsets stay the same for months.

Each UTC day is treated alone: if its offsets at the first and at the last second differ, the change is found by
bisection. So an offset depends on its time only, never on which other times are asked for with it.
(Two changes in one day that cancel each other would go unseen; no zone has had such a day.)
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from promfill.model.types import I64Array

_DAY = 86_400
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def utc_offsets(times: I64Array, timezone: str) -> I64Array:
    """int64 (T,): what to add to the Unix milliseconds `times` to get the wall clock of `timezone`, in ms.

    OverflowError outside the years 1 to 9999; ZoneInfoNotFoundError for an unknown zone.
    """
    zone = ZoneInfo(timezone)
    pieces = [piece for day in np.unique(times // (_DAY * 1000)).tolist() for piece in _day_pieces(zone, day * _DAY)]
    starts, offsets = np.array(pieces, np.int64).reshape(-1, 2).T * 1000
    return offsets[np.searchsorted(starts, times, side="right") - 1]


def _day_pieces(zone: ZoneInfo, start: int) -> Iterator[tuple[int, int]]:
    """(first second, offset) of each stretch with one offset in the UTC day from `start`."""
    offset = _offset(zone, start)
    yield start, offset
    yield from _changes(zone, start, offset, start + _DAY - 1, _offset(zone, start + _DAY - 1))


def _changes(zone: ZoneInfo, low: int, before: int, high: int, after: int) -> Iterator[tuple[int, int]]:
    """(second, new offset) of the changes in (low, high]; its ends have the offsets `before` and `after`."""
    if before == after:
        return
    if high - low == 1:
        yield high, after
        return
    middle = (low + high) // 2
    between = _offset(zone, middle)
    yield from _changes(zone, low, before, middle, between)
    yield from _changes(zone, middle, between, high, after)


def _offset(zone: ZoneInfo, second: int) -> int:
    local = (_EPOCH + timedelta(seconds=second)).astimezone(zone)
    offset = local.utcoffset() or timedelta()
    return offset.days * _DAY + offset.seconds
