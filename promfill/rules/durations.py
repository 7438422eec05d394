"""Durations in the flags and status pages of stores."""

from __future__ import annotations

import re

from promfill.scenario.times import DAY_MS, UNITS_MS

MONTH_MS = 31 * DAY_MS
"""VictoriaMetrics's month: ``1M``, or a number without a unit in some of its flags."""

_LENGTHS = {**UNITS_MS, "y": 365 * DAY_MS, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_PART = re.compile(rf"({_NUMBER})(ms|us|µs|μs|ns|[smhdwy])", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.IGNORECASE | re.ASCII)
_MONTHS = re.compile(rf"({_NUMBER})M", re.ASCII)
_BARE = re.compile(rf"(?:{_NUMBER})(?:e[+-]?\d{{1,3}})?", re.IGNORECASE | re.ASCII)


def parse_store_duration(text: str, bare: int) -> int | None:
    """ms of ``15d``, ``1h30m``, ``1.5y``, ``1M`` (a month); `bare`: the unit (ms) of a number without one.

    0 for an empty text; None if any part of the text is not understood, so that the rest is not used on its own.
    """
    if not text:
        return 0
    if _BARE.fullmatch(text):
        return int(float(text) * bare)
    if months := _MONTHS.fullmatch(text):
        return int(float(months[1]) * MONTH_MS)
    if "M" in text or not _DURATION.fullmatch(
        text
    ):  # a month is only valid alone; otherwise it would be read as minutes
        return None
    return int(sum(float(number) * _LENGTHS[unit.lower()] for number, unit in _PART.findall(text)))
