import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.errors import InputError
from promfill.scenario.times import (
    DAY_MS,
    format_duration,
    format_seconds,
    format_time,
    is_relative,
    parse_duration,
    parse_time,
)

NOW = 1_790_000_000_000
ON_GRID = NOW - NOW % 300_000

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
    assert parse_duration(text, "step_size") == ms


@pytest.mark.parametrize("text", ["", "0", "0s", "-5m", "5 m", "m", "5x", "1.5h", "5m!", "٣s", "9" * 30])
def test_no_duration_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="step_size"):
        parse_duration(text, "step_size")


@pytest.mark.parametrize(("text", "ms"), TIMES)
def test_time_is_read(text: str, ms: int) -> None:
    assert parse_time(text, "start", NOW) == ms


@pytest.mark.parametrize("late", [0, 1_000, 299_999])
@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("now", ON_GRID),
        ("now-21d", ON_GRID - 21 * DAY_MS),
        (" now-10m ", ON_GRID - 600_000),
        ("now+1h", ON_GRID + 3_600_000),
        ("1702800001", 1_702_800_001_000),
        ("2023-12-17T08:00:01.5Z", 1_702_800_001_500),
    ],
)
def test_relative_times_alone_lie_on_the_steps_grid(text: str, ms: int, late: int) -> None:
    assert parse_time(text, "start", ON_GRID + late, 300_000) == ms


@given(st.integers(DAY_MS * 4000, NOW), st.integers(1, 3 * DAY_MS), st.integers(1, 9))
def test_a_range_that_holds_a_step_holds_it_whenever_it_is_asked_for(now: int, step: int, steps: int) -> None:
    start = parse_time(f"now-{format_duration(step * steps)}", "start", now, step)
    end = parse_time("now", "end", now, step)
    assert end - start == steps * step
    assert end <= now


@pytest.mark.parametrize(("text", "relative"), [("now", True), (" now-1d", True), ("1702800000", False), ("", False)])
def test_which_times_are_relative(text: str, relative: bool) -> None:
    assert is_relative(text) == relative


@pytest.mark.parametrize(
    "text", ["", "yesterday", "-5", "now-", "2023-12-17T08:00:00", "2023-13-01T00:00:00Z", "1e9", "nan", "9" * 20]
)
def test_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(InputError, match="start"):
        parse_time(text, "start", NOW)


@given(st.integers(0, 253_370_764_799_999))
def test_times_are_written_as_they_are_read(ms: int) -> None:
    assert parse_time(format_time(ms), "t", NOW) == ms
    assert parse_time(format_seconds(ms), "t", NOW) == ms


@given(st.integers(1, 10**14))
def test_durations_are_written_as_they_are_read(ms: int) -> None:
    assert parse_duration(format_duration(ms), "d") == ms
