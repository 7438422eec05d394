"""Offsets of many times, against zoneinfo asked one by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pytest

from promfill.sources.signals.zone import utc_offsets

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def scalar(time: int, zone: str) -> int:
    offset = (EPOCH + timedelta(milliseconds=time)).astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    return offset // timedelta(milliseconds=1)


def ms(text: str) -> int:
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("zone", "first", "last"),
    [
        ("Europe/Berlin", "2025-03-01T00:00", "2025-11-30T00:00"),
        ("America/New_York", "2024-01-01T00:00", "2025-12-31T00:00"),
        ("Australia/Lord_Howe", "2025-01-01T00:00", "2025-12-31T00:00"),  # half an hour of summer time
        ("Africa/Casablanca", "2025-01-01T00:00", "2025-12-31T00:00"),  # back for Ramadan
        ("America/St_Johns", "1988-01-01T00:00", "1989-12-31T00:00"),  # two hours, at one minute past midnight
        ("Pacific/Apia", "2011-12-01T00:00", "2012-01-31T00:00"),  # a whole day left out
        ("Europe/Amsterdam", "1930-01-01T00:00", "1941-01-01T00:00"),  # offsets with seconds
        ("Asia/Kathmandu", "1985-12-01T00:00", "1986-02-01T00:00"),
    ],
)
def test_every_offset_is_zoneinfos(zone: str, first: str, last: str) -> None:
    times = np.arange(ms(first), ms(last), 2_357_113, dtype=np.int64)
    assert utc_offsets(times, zone).tolist() == [scalar(time, zone) for time in times.tolist()]


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_change_is_found_to_the_millisecond(zone: str) -> None:
    days = np.arange(ms("2025-01-01T00:00"), ms("2026-01-01T00:00"), 60_000, dtype=np.int64)
    offsets = utc_offsets(days, zone)
    changes = days[1:][np.diff(offsets) != 0]
    assert changes.size == 2
    for change in changes.tolist():
        around = np.array([change - 1, change, change + 1], np.int64)
        assert utc_offsets(around, zone).tolist() == [scalar(time, zone) for time in around.tolist()]
        assert utc_offsets(around[:1], zone) != utc_offsets(around[1:2], zone)


def test_times_need_no_order_and_may_be_none() -> None:
    times = np.array([ms("2025-07-01T00:00"), ms("1900-01-01T00:00"), ms("2025-01-01T00:00")], np.int64)
    assert utc_offsets(times, "Europe/Berlin").tolist() == [7_200_000, 3_600_000, 3_600_000]
    assert utc_offsets(times[:0], "Europe/Berlin").tolist() == []


def test_both_ends_of_the_calendar() -> None:
    times = np.array([ms("0001-01-02T00:00"), ms("9999-12-30T23:59")], np.int64)
    assert utc_offsets(times, "Asia/Tokyo").tolist() == [scalar(time, "Asia/Tokyo") for time in times.tolist()]


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        utc_offsets(np.zeros(1, np.int64), "Europe/Atlantis")
