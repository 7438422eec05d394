"""Values as Python users give them, to the plain values of the core: InputError, which names the field, for others."""

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
    """A mapping that does not change: frozen things hold it, and it is hashed, copied and pickled as they are."""

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
    """The moment in ms, in whole seconds as every `now` is."""
    return int(time.time()) * 1000


def time_ms(value: object, field: str, now: int, step: int) -> int:
    """Unix ms of a `Time`. `now` in ms; relative times are rounded down to a multiple of `step` (ms)."""
    if isinstance(value, str):
        return parse_time(value, field, now, step)
    if isinstance(value, datetime):
        return _datetime_ms(value, field)
    if isinstance(value, date):
        raise InputError(f"{field} {value} is a date without a time", "give a datetime with a time zone", field=field)
    return parse_time(_plain(value, field, "time", _TIMES), field, now)


def duration_ms(value: object, field: str) -> int:
    """Milliseconds of a `Duration`, above 0. A text needs its unit: a bare number would be read as minutes."""
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
    """Seconds of a `Duration`."""
    return duration_ms(value, field) / 1000


def to_datetime(ms: int) -> datetime:
    """The moment, in UTC."""
    return _EPOCH + timedelta(milliseconds=ms)


def number(value: object, field: str) -> float:
    """A finite number as a float."""
    found = _finite(value)
    if found is None:
        raise InputError(f"{field} {value!r} is not a finite number", field=field)
    return float(found)


def whole(value: object, field: str, low: int = 0, high: int = 2**63 - 1) -> int:
    """A whole number from `low` to `high`."""
    found = _finite(value)
    if not isinstance(found, Integral) or not low <= int(found) <= high:
        raise InputError(f"{field} {value!r} must be a whole number from {low} to {high}", field=field)
    return int(found)


def text(value: object, field: str) -> str:
    """A text."""
    if not isinstance(value, str):
        raise InputError(f"{field} {value!r} must be a text (str), not {type(value).__name__}", field=field)
    try:
        value.encode()
    except UnicodeEncodeError:
        raise InputError(f"{field} {value!r} cannot be written as UTF-8", field=field) from None
    return value


def one_of(value: object, field: str, *choices: str) -> str:
    """One of these texts."""
    if value not in choices:
        raise InputError(f"{field} {value!r} must be {', '.join(choices[:-1])} or {choices[-1]}", field=field)
    return str(value)


def path(value: object, field: str) -> Path:
    """A path that is not empty."""
    if not isinstance(value, str | Path) or not str(value):
        raise InputError(f"{field} {value!r} must be a path", field=field)
    return Path(value)


def flag(value: object, field: str) -> bool:
    """True or False: a text such as "no" would count as true."""
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
    """A number of seconds in plain digits, without an exponent."""
    found = _finite(value)
    if found is None:
        raise InputError(f"{field} {value!r} is not a valid {what}", fix, field=field)
    exact = int(found) if isinstance(found, Integral) else float(found)
    return f"{Decimal(repr(exact)):f}"


def _finite(value: object) -> Real | None:
    """The same number; None for what is none. numpy counts its timedelta64 among the integers, whatever its unit."""
    if isinstance(value, bool) or type(value).__name__ == "timedelta64" or not isinstance(value, Real):
        return None
    try:
        return value if math.isfinite(value) else None
    except OverflowError:  # an int that no float holds
        return None


def _whole_ms(ms: Decimal, value: object, field: str) -> int:
    if ms != int(ms):
        raise InputError(f"{field} {value} is not a whole number of milliseconds", _DURATIONS, field=field)
    if not 0 < ms <= LAST_MS:
        raise InputError(f"{field} {value} must be above 0{' and within 8,000 years' if ms else ''}", field=field)
    return int(ms)
