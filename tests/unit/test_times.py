import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.errors import InputError
from promfill.times import format_duration, format_seconds, format_time, parse_duration, parse_time

NOW = 1_790_000_000_000

DURATIONS = [
    ("500ms", 500),
    ("30s", 30_000),
    ("5m", 300_000),
    ("1h30m", 5_400_000),
    ("1d", 86_400_000),
    ("2w", 1_209_600_000),
    ("15", 900_000),
    (" 5m ", 300_000),
]

TIMES = [
    ("1702800000", 1_702_800_000_000),
    ("1702800000.25", 1_702_800_000_250),
    ("0", 0),
    ("2023-12-17T08:00:00Z", 1_702_800_000_000),
    ("2023-12-17T09:00:00+01:00", 1_702_800_000_000),
    ("2023-12-17T08:00:00.123999Z", 1_702_800_000_123),
    ("now", NOW),
    ("now-21d", NOW - 21 * 86_400_000),
    ("now-15", NOW - 900_000),
    ("now+1h30m", NOW + 5_400_000),
]


@pytest.mark.parametrize(("text", "ms"), DURATIONS)
def test_duration_is_read(text: str, ms: int) -> None:
    assert parse_duration(text, "--step-size") == ms


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "5 m", "m", "5x", "1.5h", "5m!", "٣s", "9" * 30])
def test_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="--step-size"):
        parse_duration(text, "--step-size")


@pytest.mark.parametrize(("text", "ms"), TIMES)
def test_time_is_read(text: str, ms: int) -> None:
    assert parse_time(text, "--start", NOW) == ms


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-5", "now-", "2023-12-17T08:00:00", "2023-13-01T00:00:00Z", "1e9", "nan", "9" * 20]
)
def test_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="--start"):
        parse_time(text, "--start", NOW)


@given(st.integers(0, 253_370_764_799_999))
def test_times_are_written_as_they_are_read(ms: int) -> None:
    assert parse_time(format_time(ms), "t", NOW) == ms
    assert parse_time(format_seconds(ms), "t", NOW) == ms


@given(st.integers(1, 10**14))
def test_durations_are_written_as_they_are_read(ms: int) -> None:
    assert parse_duration(format_duration(ms), "d") == ms
