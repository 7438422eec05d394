"""Offsets of many times against zoneinfo asked one by one, over all zones and two centuries."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.sources.signals.zone import utc_offsets

ZONES = ["Europe/London", "America/Caracas", "Asia/Tehran", "Antarctica/Troll", "Africa/Monrovia", "Pacific/Kwajalein"]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@given(st.sampled_from(ZONES), st.lists(st.integers(-2_208_988_800_000, 4_102_444_800_000), max_size=20))
def test_every_offset_is_zoneinfos(zone: str, times: list[int]) -> None:
    local = [(EPOCH + timedelta(milliseconds=time)).astimezone(ZoneInfo(zone)) for time in times]
    expected = [(moment.utcoffset() or timedelta()) // timedelta(milliseconds=1) for moment in local]
    assert utc_offsets(np.array(times, np.int64), zone).tolist() == expected
