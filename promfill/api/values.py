"""Convert values that Python users give into plain values. InputError, with the field: the value is not valid."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from numbers import Integral, Real
from pathlib import Path
from typing import TypeVar

from promfill.errors import InputError
from promfill.scenario.times import LAST_MS, parse_duration, parse_time

Time = str | datetime | float
"""``"now-21d"``, RFC 3339, a datetime with its time zone, or Unix seconds."""
Duration = str | timedelta | float
"""``"5m"``, ``"1h30m"``, a timedelta, or seconds."""

K = TypeVar("K")
V = TypeVar("V")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TIMES = "write now-21d, RFC 3339 (2026-01-31T00:00:00Z), a datetime with a time zone, or Unix seconds"
_DURATIONS = "write 30s, 5m or 1h30m, a timedelta, or a number of seconds"


class FrozenDict(Mapping[K, V]):
    """An immutable mapping for fields of frozen dataclasses. It can be hashed, copied and pickled."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[K, V]) -> None:
        self._items = dict(items)

    def __getitem__(self, key: K) -> V:
        return self._items[key]

    def __iter__(self) -> Iterator[K]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)


def now_ms() -> int:
    """The current Unix time in ms, rounded down to a whole second like every `now` in promfill."""
    return int(time.time()) * 1000


def time_ms(value: object, field: str, now: int, step: int) -> int:
    """Convert a `Time` to Unix ms. `now` is in ms; relative times are rounded down to a multiple of `step` (ms)."""
    if isinstance(value, str):
        return parse_time(value, field, now, step)
    if isinstance(value, datetime):
        return _datetime_ms(value, field)
    if isinstance(value, date):
        raise InputError(f"{field} {value} is a date without a time", "give a datetime with a time zone", field=field)
    return parse_time(_plain(value, field, "time", _TIMES), field, now)


def duration_ms(value: object, field: str) -> int:
    """Convert a `Duration` to ms, above 0. A str needs a unit, because a bare number would be read as minutes."""
    if isinstance(value, timedelta):
        microseconds = value // timedelta(microseconds=1)
        return _whole_ms(Decimal(microseconds) / 1000, value, field)
    if isinstance(value, str):
        if value.strip().isdecimal():
            number = value.strip()
            fix = f'write "{number}m" for minutes or "{number}s" for seconds'
            raise InputError(f"{field} {value!r} has no unit", fix, field=field)
        return parse_duration(value, field)
    return _whole_ms(Decimal(_plain(value, field, "duration", _DURATIONS)) * 1000, value, field)


def seconds(value: object, field: str) -> float:
    """Convert a `Duration` to seconds."""
    return duration_ms(value, field) / 1000


def to_datetime(ms: int) -> datetime:
    """Convert Unix ms to a datetime in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def number(value: object, field: str) -> float:
    """Check that this is a finite number, and return it as a float."""
    found = _finite(value)
    if found is None:
        raise InputError(f"{field} {value!r} is not a finite number", field=field)
    return float(found)


def whole(value: object, field: str, low: int = 0, high: int = 2**63 - 1) -> int:
    """Check that this is a whole number from `low` to `high`, and return it as an int."""
    found = _finite(value)
    if not isinstance(found, Integral) or not low <= int(found) <= high:
        raise InputError(f"{field} {value!r} must be a whole number from {low} to {high}", field=field)
    return int(found)


def text(value: object, field: str) -> str:
    """Check that this is a str that can be encoded as UTF-8."""
    if not isinstance(value, str):
        raise InputError(f"{field} {value!r} must be a text (str), not {type(value).__name__}", field=field)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{field} {value!r} cannot be written as UTF-8", field=field) from None
    return value


def one_of(value: object, field: str, *choices: str) -> str:
    """Check that this is one of the choices."""
    if value not in choices:
        raise InputError(f"{field} {value!r} must be {', '.join(choices[:-1])} or {choices[-1]}", field=field)
    return str(value)


def path(value: object, field: str) -> Path:
    """Check that this is a non-empty path, and return it as a Path."""
    if not isinstance(value, str | Path) or not str(value):
        raise InputError(f"{field} {value!r} must be a path", field=field)
    return Path(value)


def flag(value: object, field: str) -> bool:
    """Check that this is True or False, because a str such as "no" would count as true."""
    if not isinstance(value, bool):
        raise InputError(f"{field} {value!r} must be True or False", field=field)
    return value


def _datetime_ms(moment: datetime, field: str) -> int:
    if moment.tzinfo is None or moment.utcoffset() is None:
        fix = "add one, such as tzinfo=datetime.UTC"
        raise InputError(f"{field} {moment.isoformat()} has no time zone", fix, field=field)
    ms = (moment - _EPOCH) // timedelta(milliseconds=1)
    if not 0 <= ms <= LAST_MS:
        raise InputError(f"{field} {moment.isoformat()} is not between 1970 and 9998", field=field)
    return ms


def _plain(value: object, field: str, what: str, fix: str) -> str:
    """A number of seconds as text in plain digits, without an exponent."""
    found = _finite(value)
    if found is None:
        raise InputError(f"{field} {value!r} is not a valid {what}", fix, field=field)
    exact = int(found) if isinstance(found, Integral) else float(found)
    return f"{Decimal(repr(exact)):f}"


def _finite(value: object) -> Real | None:
    """The value if it is a finite number, otherwise None.

    timedelta64 is excluded: numpy counts it as an integer, whatever its unit is.
    """
    if isinstance(value, bool) or type(value).__name__ == "timedelta64" or not isinstance(value, Real):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an int that is too large for a float
        return None


def _whole_ms(ms: Decimal, value: object, field: str) -> int:
    if ms != int(ms):
        raise InputError(f"{field} {value} is not a whole number of milliseconds", _DURATIONS, field=field)
    if not 0 < ms <= LAST_MS:
        raise InputError(f"{field} {value} must be above 0{' and within 8,000 years' if ms else ''}", field=field)
    return int(ms)
