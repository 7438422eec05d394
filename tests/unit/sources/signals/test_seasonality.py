"""The daily curve. Its bits are the oracle's affair (test_mockseries_golden); here: its shape, and whose day it is."""

from __future__ import annotations

import itertools
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from promfill.sources.signals.seasonality import KEY_FRAMES, daily_season

DAY = 86_400_000
HOURS = np.arange(12, dtype=np.int64) * 7_200_000


def milliseconds(text: str, zone: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


def test_it_passes_through_the_key_frames() -> None:
    assert daily_season(HOURS).tolist() == list(KEY_FRAMES)


@pytest.mark.parametrize("day", [-700, -1, 1, 20_000])
def test_every_day_is_the_same_before_the_epoch_too(day: int) -> None:
    times = np.arange(0, DAY, 61_001, dtype=np.int64)
    assert np.array_equal(daily_season(times + day * DAY), daily_season(times))


def test_it_is_monotone_between_frames_and_smooth_over_midnight() -> None:
    values = daily_season(np.arange(-7_200_000, DAY, 10_000, dtype=np.int64)).reshape(13, 720)
    for frame, (before, after) in zip(values, itertools.pairwise([KEY_FRAMES[-1], *KEY_FRAMES, 1.0]), strict=True):
        steps = np.diff(frame)
        assert (steps > 0).all() if after > before else (steps < 0).all()
    assert np.abs(np.diff(values.ravel(), 2)).max() < 2e-4  # no kink, no jump


def test_milliseconds_count() -> None:
    half, whole = daily_season(np.array([10_500, 10_501], np.int64))
    assert half != whole


def test_a_zones_day_begins_at_its_own_midnight() -> None:
    for zone, winter in (("Asia/Kolkata", "2025-01-15T00:00"), ("America/St_Johns", "2025-07-15T00:00")):
        start = milliseconds(winter, zone)
        assert np.array_equal(daily_season(start + HOURS, zone), np.array(KEY_FRAMES))


def test_where_clocks_jump_the_season_follows_the_wall_clock() -> None:
    four_oclock = milliseconds("2025-03-30T04:00", "Europe/Berlin")  # an hour after the clocks went forward
    before = milliseconds("2025-03-30T00:00", "Europe/Berlin")
    assert four_oclock - before == 3 * 3_600_000
    assert daily_season(np.array([before, four_oclock]), "Europe/Berlin").tolist() == [KEY_FRAMES[0], KEY_FRAMES[2]]


def test_utc_by_another_name_has_the_same_bits() -> None:
    times = np.arange(1_764_000_123_457, 1_764_000_123_457 + 3 * DAY, 299_999, dtype=np.int64)
    assert np.array_equal(daily_season(times), daily_season(times, "Etc/UTC"))
