from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from promfill.model.grid import Grid
from promfill.rules.directory import Span
from promfill.rules.finding import Finding
from promfill.rules.forwarders import UNKNOWN, Forwarder
from promfill.rules.predict import predict, steps_since
from promfill.rules.push_plan import PushPlan
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.scenario import Signal
from promfill.scenario.times import DAY_MS, UNITS_MS
from tests.support.pushes import scenario

HOUR, STEP = UNITS_MS["h"], 300_000
NOW = 1_700_000_000_000 // DAY_MS * DAY_MS + 10 * HOUR
PROMETHEUS = StoreFacts("Prometheus", retention=15 * DAY_MS, receives=True, version_2=False, future=600_000)
VM = StoreFacts("VictoriaMetrics", retention=31 * DAY_MS, version_2=False, future=2 * DAY_MS, doubles=True, rounds=True)


def plan(
    days: int = 21, mode: str = "remote-write", end: int = NOW, signal: Signal | None = None, **more: object
) -> PushPlan:
    grid = Grid(end - days * DAY_MS, STEP, days * 288)
    made = PushPlan(scenario("m", "host={1..10}", grid, signal, "Backfilled metric data"), 10, mode)
    return replace(made, **more)  # type: ignore[arg-type]


def kinds(findings: list[Finding]) -> dict[str, Any]:
    """Of each kind: whether it loses samples, and how many, (bool, int | None)."""
    return {finding.kind: (finding.loses, finding.samples) for finding in findings}


def lost(findings: list[Finding]) -> int:
    return sum(finding.samples or 0 for finding in findings if finding.loses)


@pytest.mark.parametrize(
    ("time", "steps"), [(0, 5), (1_000, 5), (1_001, 4), (1_010, 4), (1_039, 1), (1_040, 1), (1_041, 0), (9_999, 0)]
)
def test_steps_since_a_time(time: int, steps: int) -> None:
    assert steps_since(Grid(1_000, 10, 5), time) == steps


@pytest.mark.parametrize(
    ("aligned", "border", "days"),
    [(True, True, 16), (True, False, 15), (False, True, 0), (False, False, 0)],
)
def test_whole_blocks_are_kept_or_deleted(aligned: bool, border: bool, days: int) -> None:
    midnight = NOW // DAY_MS * DAY_MS
    made = plan(mode="blocks", end=midnight if aligned else NOW)
    kept = kept_in_blocks(made, replace(PROMETHEUS, keeps_at_border=border))
    # Not aligned: 10 hours of the newest day, and the 14 days whose ends lie less than 15 days before it; the 15th too.
    assert kept == (days * 288 if aligned else 15 * 288 + 120)


def kept_in_blocks(made: PushPlan, store: StoreFacts = PROMETHEUS) -> int:
    """Steps that a Prometheus leaves of the push's blocks."""
    lost: int = kinds(predict(made, store, NOW)).get("retention", (True, 0))[1]
    return made.grid.steps - lost // made.series


def test_blocks_of_others_move_the_border() -> None:
    midnight = NOW // DAY_MS * DAY_MS
    other = Span("01M86VBYCAGN0NVX0WYDKCAS21", midnight + 5 * DAY_MS - 1, midnight + 5 * DAY_MS, 1)
    assert kept_in_blocks(plan(mode="blocks", end=midnight, there=[other])) == 10 * 288
    made = plan(mode="blocks", end=midnight)
    assert kept_in_blocks(made, replace(PROMETHEUS, newest_block=midnight + 5 * DAY_MS)) == 10 * 288
    assert kept_in_blocks(made, replace(PROMETHEUS, newest_block=0)) == 15 * 288


def test_the_newest_block_stays_whatever_the_retention() -> None:
    assert kept_in_blocks(plan(1, "blocks", NOW // DAY_MS * DAY_MS), replace(PROMETHEUS, retention=1)) == 288


def test_prometheus_keeps_at_least_what_lies_within_its_retention() -> None:
    findings = predict(plan(), PROMETHEUS, NOW)
    assert kinds(findings)["retention"] == (True, 10 * (6_048 - 4_320))
    assert "--storage.tsdb.retention.time" in next(f.fix for f in findings if f.kind == "retention")
    assert "retention" not in kinds(predict(plan(15), PROMETHEUS, NOW))


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("--storage.tsdb.retention.time", "restart it with --storage.tsdb.retention.time longer than 22d"),
        (
            "storage.tsdb.retention.time in its configuration file",
            "set storage.tsdb.retention.time in its configuration file to more than 22d",
        ),
    ],
)
def test_the_fix_names_what_decides_the_retention(by: str, words: str) -> None:
    store = replace(PROMETHEUS, retention_set_by=by, retention_size="10GB")
    found = {finding.kind: finding.fix for finding in predict(plan(), store, NOW)}
    assert found["retention"].startswith(words)
    assert ("--storage" in found["retention"] + found["retention-size"]) is by.startswith("--")


def test_retention_by_size_alone_is_no_unknown_time() -> None:
    found = predict(plan(), replace(PROMETHEUS, retention=None, retention_size="80%"), NOW)
    assert [finding.fix for finding in found if finding.kind.startswith("retention")] == [
        "raise --storage.tsdb.retention.percentage to keep the history"
    ]


def test_the_age_of_backfill_is_named_where_it_is_the_limit() -> None:
    store = replace(VM, retention=10 * DAY_MS, retention_set_by="-maxBackfillAge")
    (found,) = [finding for finding in predict(plan(), store, NOW) if finding.kind == "retention"]
    assert "accepts nothing older than 10d" in found.text
    assert "restart it with -maxBackfillAge longer than" in found.fix


def test_victoriametrics_keeps_what_is_young_enough() -> None:
    assert kinds(predict(plan(60), VM, NOW))["retention"] == (True, 10 * 29 * 288)
    found = kinds(predict(plan(31), VM, NOW))
    assert "retention" not in found
    assert found["rounding"] == (False, 10 * 31 * 288)
    assert found["doubling"] == (False, None)


@pytest.mark.parametrize(
    ("signal", "rounds"),
    [
        (Signal(), True),
        (Signal(decimals=3), False),
        (Signal(decimals=10), False),
        (Signal(decimals=11), True),
        (Signal(resolution=2.0**-7), False),
        (Signal(resolution=2.0**-10), False),
        (Signal(resolution=2.0**-11), True),
        (Signal(resolution=16.0), False),
    ],
)
def test_values_of_few_digits_are_kept_by_bits(signal: Signal, rounds: bool) -> None:
    assert ("rounding" in kinds(predict(plan(signal=signal), VM, NOW))) is rounds


def test_a_head_refuses_what_is_over_an_hour_older() -> None:
    found = kinds(predict(plan(1), replace(PROMETHEUS, newest=NOW), NOW))
    assert found["head"] == (True, 10 * (288 - 12))
    assert "head" not in kinds(predict(plan(1), PROMETHEUS, NOW))
    assert "head" not in kinds(predict(plan(1), replace(PROMETHEUS, newest=NOW - DAY_MS), NOW))
    assert "head" not in kinds(predict(plan(1), replace(PROMETHEUS, newest=NOW, out_of_order=DAY_MS), NOW))


def test_a_prometheus_that_scrapes_is_told_the_ways_in() -> None:
    head = next(f for f in predict(plan(1), replace(PROMETHEUS, targets=1), NOW) if f.kind == "head")
    assert head.loses
    assert "mode=blocks" in head.fix
    assert "out_of_order_time_window" in head.fix
    assert "head" not in kinds(predict(plan(1, "blocks"), replace(PROMETHEUS, targets=1), NOW))


def test_a_receiver_that_is_switched_off_takes_nothing() -> None:
    assert kinds(predict(plan(1), replace(PROMETHEUS, receives=False), NOW))["receiver"] == (True, 2_880)


@pytest.mark.parametrize(("store", "refused"), [(PROMETHEUS, 48 * 12 - 3), (VM, 0)])
def test_the_future_has_a_limit(store: StoreFacts, refused: int) -> None:
    findings = predict(plan(3, end=NOW + 2 * DAY_MS), store, NOW)
    assert sum(f.samples or 0 for f in findings if f.kind == "future") == 10 * refused
    assert lost(predict(plan(3, end=NOW + 3 * DAY_MS), VM, NOW)) == 10 * (288 - 1)


@pytest.mark.parametrize(
    ("version", "hours", "loses"), [("2.53.5", 2, True), ("2.53.5", 1, False), ("2.42", 1.1, True)]
)
def test_an_older_prometheus_takes_the_future_and_refuses_its_scrapes(version: str, hours: float, loses: bool) -> None:
    grid_end = NOW + int(hours * HOUR) + STEP  # the last sample is a step earlier
    findings = predict(plan(1, end=grid_end), replace(PROMETHEUS, version=version), NOW)
    assert ("future" in kinds(findings)) is loses
    if loses:
        assert next(f for f in findings if f.kind == "future").loses
        assert "also its own scrapes" in next(f.text for f in findings if f.kind == "future")
    newer = predict(plan(1, end=grid_end), replace(PROMETHEUS, version="2.54.0"), NOW)
    assert "10m ahead of its clock" in next(f.text for f in newer if f.kind == "future")
    assert ("future" in kinds(predict(plan(1, end=grid_end), None, NOW))) is loses


def test_no_advice_leads_into_blocks_that_end_after_now() -> None:
    late = plan(3, end=NOW + 2 * DAY_MS)
    fixes = [f.fix for f in predict(late, replace(PROMETHEUS, newest=NOW), NOW) if f.loses]
    assert len(fixes) == 2
    assert not [fix for fix in fixes if "mode=blocks" in fix]
    assert "now+10m" in "".join(fixes)
    assert kinds(predict(replace(late, mode="openmetrics"), None, NOW))["future"] == (False, None)


def test_what_is_not_known_is_said_as_such() -> None:
    found = predict(plan(), StoreFacts("Grafana Mimir"), NOW)
    assert not lost(found)
    assert {f.kind for f in found if "unknown" in f.text} == {"retention", "protocol"}
    assert kinds(predict(plan(), None, NOW)) == {"unknown": (False, None)}
    (told,) = predict(plan(), None, NOW)
    assert "may still not be stored" in told.text
    assert not predict(replace(plan(), mode="openmetrics"), None, NOW)  # a file: nobody takes it yet
    (told,) = predict(replace(plan(), mode="script"), None, NOW)
    assert not told.fix  # --query-url is not of this mode


def test_a_forwarder_does_not_hide_the_future() -> None:
    late = plan(3, end=NOW + 2 * DAY_MS)
    assert kinds(predict(late, None, NOW, Forwarder(UNKNOWN, "here")))["future"] == (False, None)


def test_blocks_alone_assume_the_default_and_lose_nothing() -> None:
    midnight = NOW // DAY_MS * DAY_MS
    findings = predict(plan(mode="blocks", end=midnight), None, NOW)
    assert kinds(findings) == {"retention": (False, 10 * 6 * 288)}
    assert "assuming Prometheus's default retention (15d)" in findings[0].text
    assert "query_url" in findings[0].fix
    assert predict(plan(15, "blocks", midnight), None, NOW) == []


def test_blocks_say_what_they_cannot_hold() -> None:
    made = plan(1, "blocks")
    made = replace(made, scenario=replace(made.scenario, description="mine", unit="bytes"))
    found = {f.kind: f for f in predict(made, PROMETHEUS, NOW)}
    assert set(found) == {"metadata", "live"}
    assert "description and unit" in found["metadata"].plain().text
