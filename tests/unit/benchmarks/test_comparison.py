from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import rivals
from benchmarks.comparison import Comparison, Rival, compared, extent
from benchmarks.processes import Run
from benchmarks.receivers import Turn
from benchmarks.remote_write import EndToEnd
from benchmarks.rivals import Unmade
from tests.support.servers import start_victoriametrics


def turn(seconds: float, started_seconds: float = 0.0) -> Turn:
    return Turn(Run(seconds, seconds), started_seconds=started_seconds)


def rival(**more: Any) -> Rival:
    return Rival(
        **{
            "name": "r",
            "peer": "p",
            "needs": (),
            "own": lambda: turn(1),
            "other": lambda: turn(1),
            "series": 10,
            "turns": 2,
            **more,
        }
    )


def test_a_comparison_is_the_median_of_its_pairs_for_equal_work() -> None:
    own, other = [turn(1), turn(2)], [turn(4), turn(12)]
    assert compared(rival(), own, other).ratio == 5
    assert compared(rival(), own, other).extent == pytest.approx(0.4)
    assert compared(rival(peer_series=5), own, other).ratio == 10
    assert compared(rival(), own, other).control is None
    assert compared(rival(), own, other).started_ratio is None


def test_the_control_is_the_peer_against_itself_in_the_same_turns() -> None:
    found = compared(rival(), [turn(1), turn(1)], [turn(4), turn(10)], [turn(5), turn(10)])
    assert found.control == pytest.approx(1.125)
    assert found.control_extent == pytest.approx(0.25 / 1.125)


def test_start_up_is_taken_off_on_both_sides() -> None:
    assert compared(rival(), [turn(3, 2.0)], [turn(2, 1.0)]).started_ratio == pytest.approx(0.5)
    assert compared(rival(), [turn(3, 2.0)], [turn(2)]).started_ratio is None


def test_one_turn_has_no_extent() -> None:
    assert extent([3.0]) == 0
    assert extent([1.0, 2.0, 4.0]) == 1.5


def test_who_begins_goes_round() -> None:
    order: list[str] = []

    def take(name: str) -> Turn:
        order.append(name)
        return turn(1)

    rival(own=lambda: take("own"), other=lambda: take("peer"), turns=3, controlled=True).measure()
    assert order == ["own", "peer", "peer", "peer", "peer", "own", "peer", "own", "peer"]
    order.clear()
    rival(own=lambda: take("own"), other=lambda: take("peer")).measure()
    assert order == ["own", "peer", "peer", "own"]


def test_every_comparison_with_a_server_has_a_control_and_all_have_names_of_their_own() -> None:
    known = rivals.rivals()
    assert len({one.name for one in known}) == len(known)
    servers = [one for one in known if {"victoria-metrics", "prometheus"} & set(one.needs)]
    assert len(servers) >= 7
    assert all(one.controlled and one.turns >= 3 for one in servers)


def test_a_peer_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.receivers.ENVIRONMENTS", tmp_path)
    needy = rival(needs=("no-such-environment", "no-such-program"))
    monkeypatch.setattr(rivals, "rivals", lambda: [needy, rival(name="there"), rival(name="not asked for")])
    missing, made = rivals.measure_all(["r", "there"])
    why = "no-such-environment, no-such-program is not installed on this machine"
    assert missing == Unmade("r", "p", why, failed=False)
    assert isinstance(made, Comparison)
    assert made.name == "there"


def test_an_environment_that_was_installed_is_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.receivers.ENVIRONMENTS", tmp_path)
    assert rival(needs=("no-such-environment",)).missing == ["no-such-environment"]
    (tmp_path / "no-such-environment").mkdir()
    (tmp_path / "no-such-environment" / ".installed").touch()
    assert rival(needs=("no-such-environment",)).missing == []


def test_a_comparison_that_breaks_does_not_hide_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    def skipped() -> Turn:
        pytest.skip("no server")

    monkeypatch.setattr(rivals, "rivals", lambda: [rival(own=skipped), rival(name="next")])
    broken, made = rivals.measure_all()
    assert broken == Unmade("r", "p", "Skipped: no server", failed=True)
    assert made.name == "next"


def test_a_push_is_a_share_of_the_replays_in_its_turn() -> None:
    case = EndToEnd("push", start_victoriametrics, steps=10, turns=3, series=5)
    result = case._compared([(2.0, 1.0, 1.0), (4.0, 3.0, 1.0), (1.0, 0.7, 0.9)])
    assert result.value == pytest.approx(0.5)
    assert result.rate == pytest.approx(25)
    assert result.details["control"] == pytest.approx(1)
