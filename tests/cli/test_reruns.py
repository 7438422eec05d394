"""The same command again: which times it means, and what it finds of the push before it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Promfill

NOON = 1_702_814_400  # 2023-12-17T12:00:00Z
DAY = ("--metric-name", "vpn", "--start", "now-1d")
EXACT = str(NOON - 86_400 + 7)

Clock = Callable[[int], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets our clock to so many seconds after noon."""

    def set_clock(seconds: int) -> None:
        monkeypatch.setattr("time.time", lambda: float(NOON + seconds))

    return set_clock


def times(facts: dict[str, object]) -> tuple[int, int, object]:
    """Start and end in seconds after noon, and the steps between them."""
    return int(str(facts["start_epoch"])) - NOON, int(str(facts["end_epoch"])) - NOON, facts["steps"]


def test_the_same_command_within_a_step_is_the_same_push(promfill: Promfill, at: Clock) -> None:
    at(1)
    first = promfill("push", *DAY, "--json").json
    blocks = sorted(Path("data").iterdir())
    at(299)
    again = promfill("push", *DAY, "--json").json
    assert times(first) == times(again) == (-86_400, 0, 288)
    assert (first["written"], again["written"], again["already_there"]) == (288, 0, len(blocks))
    assert sorted(Path("data").iterdir()) == blocks
    assert promfill("verify", *DAY, "--blocks", "data").code == 0
    at(300)
    assert times(promfill("push", *DAY, "--dry-run", "--json").json) == (-86_100, 300, 288)
    assert promfill("verify", *DAY, "--blocks", "data").code == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--start", "now-1d", "--step", "1d"), (-86_400 - 43_200, -43_200, 1)),
        (("--start", "now-1h", "--step", "7m"), (-3_780, 0, 9)),  # noon is a multiple of 7 minutes
        (("--start", "now-1d", "--end", "now-12h", "--step", "30s"), (-86_400 + 120, -43_200 + 120, 1440)),
        (("--start", EXACT), (-86_400 + 7, -86_400 + 7 + 287 * 300, 287)),  # the end alone is rounded
        (("--start", "now-1d", "--end", str(NOON - 43_193)), (-86_400, -43_200, 144)),
        (("--start", EXACT, "--end", str(NOON + 107)), (-86_400 + 7, 107 - 100, 288)),  # neither is
        (("--start-epoch", "now-1d", "--end-epoch", "now"), (-86_400, 0, 288)),
    ],
)
def test_what_times_stand_for(
    promfill: Promfill, at: Clock, options: tuple[str, ...], expected: tuple[int, int, int]
) -> None:
    at(123)
    assert times(promfill("push", "--metric-name", "vpn", *options, "--dry-run", "--json").json) == expected


def test_a_range_below_a_step_is_refused_wherever_in_the_step_it_lies(promfill: Promfill, at: Clock) -> None:
    for late in (0, 60, 240, 299):
        at(late)
        told = promfill("push", "--metric-name", "vpn", "--start", "now-4m", "--dry-run")
        assert told.code == 2
        assert "no step of 5m fits" in told.err
