"""Times and durations as users write them, in Unix milliseconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal

from promfill.errors import InputError, setting

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
DAY_MS = UNITS_MS["d"]
LAST_MS = 253_370_764_799_999  # 9998-12-31T23:59:59.999Z: datetime can represent it in every time zone

_LONGEST = 100  # characters: no valid time or duration needs more

_PART = re.compile(r"(\d+)(ms|[smhdw])", re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)
_RELATIVE = re.compile(r"now(?:([+-])(.+))?")
_SECONDS = re.compile(r"-?\d+(\.\d*)?")
_DURATION_FIX = "write it as 30s, 5m, 1h30m or 1d"
_TIME_FIX = "write Unix seconds, RFC 3339 (2026-01-31T00:00:00Z), now or now-21d"


def parse_duration(text: str, field: str, part: str = "") -> int:
    """Milliseconds of ``500ms``, ``30s``, ``1h30m``, ``1d``; a bare number is minutes.

    InputError, with the field, unless it is above 0. part: words for the part of the field that the text is.
    """
    text = text.strip()

    def wrong(words: str, fix: str = "") -> InputError:
        return InputError(f"{part}{setting(field)} {words}", fix, field=field)

    if len(text) > _LONGEST:
        raise wrong(f"is not a valid duration: {len(text)} characters", _DURATION_FIX)
    if text.isascii() and text.isdigit():
        duration = int(text) * UNITS_MS["m"]
    elif _DURATION.fullmatch(text):
        duration = sum(int(number) * UNITS_MS[unit] for number, unit in _PART.findall(text))
    else:
        raise wrong(f"{text!r} is not a valid duration", _DURATION_FIX)
    if not 0 < duration <= LAST_MS:
        raise wrong(f"{text!r} must be above 0{' and within 8,000 years' if duration else ''}")
    return duration


def is_relative(text: str) -> bool:
    """Whether the time is relative to now, and so differs from run to run."""
    return bool(_RELATIVE.fullmatch(text.strip()))


def parse_time(text: str, field: str, now: int, step: int = 1) -> int:
    """Unix milliseconds of Unix seconds, RFC 3339, ``now`` or ``now-21d``. `now` is in milliseconds.

    step: relative times are rounded down to a multiple of it (ms since the epoch), so that a command that is run twice
    within a step uses the same times. Absolute times are not rounded. InputError, with the field, if it is not valid.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        raise InputError.about(field, f"is not a valid time: {len(text)} characters", _TIME_FIX)
    relative = _RELATIVE.fullmatch(text)
    if relative:
        sign, offset = relative.groups()
        time = now if sign is None else now + int(f"{sign}1") * parse_duration(offset, field, "the offset of ")
        time -= time % step
    elif text.isascii() and _SECONDS.fullmatch(text):
        time = int(Decimal(text) * 1000)
    else:
        time = _parse_rfc3339(text, field)
    if not 0 <= time <= LAST_MS:
        fix = "write Unix seconds, not milliseconds" if 0 <= time // 1000 <= LAST_MS else "use a time between them"
        raise InputError.about(field, f"{text!r} is not between 1970 and 9998", fix)
    return time


def _parse_rfc3339(text: str, field: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError.about(field, f"{text!r} is not a valid time", _TIME_FIX) from None
    if moment.tzinfo is None:
        raise InputError.about(field, f"{text!r} has no time zone", "add Z or an offset such as +02:00")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return since.days * DAY_MS + since.seconds * 1000 + since.microseconds // 1000


def format_time(ms: int) -> str:
    """RFC 3339 in UTC, with a fraction only if it is not 0."""
    moment = datetime.fromtimestamp(ms // 1000, UTC)
    fraction = f".{ms % 1000:03d}" if ms % 1000 else ""
    return f"{moment:%Y-%m-%dT%H:%M:%S}{fraction}Z"


def format_seconds(ms: int) -> str:
    """Unix seconds, in the form that `parse_time` reads."""
    return f"{ms // 1000}.{ms % 1000:03d}" if ms % 1000 else str(ms // 1000)


def format_duration(ms: int) -> str:
    """The shortest text that `parse_duration` reads: ``1d``, ``1h30m``, ``500ms``."""
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, ms = divmod(ms, UNITS_MS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def name_time(ms: int) -> str:
    """RFC 3339 if the time is in calendar range, else milliseconds: blocks of other writers may have any time."""
    return format_time(ms) if 0 <= ms <= LAST_MS else f"{ms:,} ms"
