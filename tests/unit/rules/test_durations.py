from __future__ import annotations

import pytest

from promfill.rules.durations import parse_store_duration
from promfill.scenario.times import DAY_MS

HOUR = 3_600_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("15d", 15 * DAY_MS),
        ("15D", 15 * DAY_MS),
        ("1h30m", 90 * 60_000),
        ("100y", 36_500 * DAY_MS),
        ("1y2w3d4h5m6s7ms", 365 * DAY_MS + 17 * DAY_MS + 4 * HOUR + 306_007),
        ("2w", 14 * DAY_MS),
        ("1M", 31 * DAY_MS),
        ("1.5M", 1116 * HOUR),
        ("12M", 372 * DAY_MS),
        ("1m", 60_000),
        ("3", 93 * DAY_MS),
        ("1.5", 1116 * HOUR),
        ("1e1", 310 * DAY_MS),
        ("0.5h", HOUR // 2),
        ("720h0m0s", 30 * DAY_MS),
        ("0s", 0),
        ("0", 0),
        ("", 0),
        ("500ms", 500),
        ("2000\u00b5s", 2),
        ("2000us", 2),
    ],
)
def test_durations_as_stores_write_them(text: str, ms: int) -> None:
    assert parse_store_duration(text, 31 * DAY_MS) == ms


@pytest.mark.parametrize(
    "text",
    ["nonsense", "1d5q", "5q", "1d 5h", "d", "1M2d", "2d1M", "-1d", "1d-", " 1d", "1,5d", "inf", "nan", "\u0661d"],
)
def test_nothing_is_read_into_what_is_not_understood(text: str) -> None:
    assert parse_store_duration(text, 31 * DAY_MS) is None
