"""Durations as stores write them in flags and status pages."""

from __future__ import annotations

import re

from promfill.scenario.times import DAY_MS, UNITS_MS

MONTH_MS = 31 * DAY_MS
"""VictoriaMetrics's month: ``1M``, or a bare number in some of its flags."""

_LENGTHS = {**UNITS_MS, "y": 365 * DAY_MS, "us": 1e-3, "µs": 1e-3, "μs": 1e-3, "ns": 1e-6}
_NUMBER = r"\d+(?:\.\d*)?|\.\d+"
_PART = re.compile(rf"({_NUMBER})(ms|us|µs|μs|ns|[smhdwy])", re.IGNORECASE | re.ASCII)
_DURATION = re.compile(rf"(?:{_PART.pattern})+", re.IGNORECASE | re.ASCII)
_MONTHS = re.compile(rf"({_NUMBER})M", re.ASCII)
_BARE = re.compile(rf"(?:{_NUMBER})(?:e[+-]?\d{{1,3}})?", re.IGNORECASE | re.ASCII)


def parse_store_duration(text: str, bare: int) -> int | None:
    """ms of ``15d``, ``1h30m``, ``1.5y``, ``1M`` (a month); a bare number is of the unit `bare` (ms).

    0 where nothing is written; None where any part of the text is not understood, so that nobody counts with the rest.
    """
    if not text:
        return 0
    if _BARE.fullmatch(text):
        return int(float(text) * bare)
    if months := _MONTHS.fullmatch(text):
        return int(float(months[1]) * MONTH_MS)
    if "M" in text or not _DURATION.fullmatch(text):  # a month stands alone, or is taken for minutes
        return None
    return int(sum(float(number) * _LENGTHS[unit.lower()] for number, unit in _PART.findall(text)))
