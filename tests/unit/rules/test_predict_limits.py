"""Deduplication and limits of labels and series, as counts; the small ones against what an explicit loop counts."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from promfill.model.grid import Grid
from promfill.rules.finding import Finding
from promfill.rules.limits import Limits, Thinning
from promfill.rules.predict import predict
from promfill.rules.predict_limits import thinned
from promfill.rules.push_plan import PushPlan
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.label_lengths import series_within, value_lengths
from promfill.scenario.label_patterns import count_series, parse_labels
from promfill.scenario.times import DAY_MS, UNITS_MS
from promfill.sources.expand_labels import build_fleet
from tests.support.pushes import scenario

HOUR, MINUTE = UNITS_MS["h"], UNITS_MS["m"]
NOW = 1_700_000_000_000 // DAY_MS * DAY_MS + 10 * HOUR
VM = StoreFacts("VictoriaMetrics", retention=31 * DAY_MS, version_2=False, future=2 * DAY_MS, doubles=True, rounds=True)


def plan(days: int = 1, step: int = 5 * MINUTE, labels: str = "host={1..10}", metric: str = "m") -> PushPlan:
    grid = Grid(NOW - days * DAY_MS, step, days * DAY_MS // step)
    return PushPlan(scenario(metric, labels, grid), count_series(parse_labels([labels]).patterns), "remote-write")


def found(made: PushPlan, **limits: object) -> dict[str, Finding]:
    store = replace(VM, limits=Limits(**limits))  # type: ignore[arg-type]
    findings = {finding.kind: finding for finding in predict(made, store, NOW)}
    return {kind: findings[kind] for kind in findings.keys() - {"protocol", "rounding", "doubling"}}


def left_by_loop(times: list[int], interval: int) -> int:
    """The last sample up to each multiple of the interval stays."""
    return len({-(-time // interval) for time in times})


@pytest.mark.parametrize("interval", [1, 299_999, 300_000, 300_001, 420_000, 600_000, HOUR, 7 * HOUR, 40 * DAY_MS])
@pytest.mark.parametrize("start", [0, 1, 299_999, 600_000, 123_456_789])
@pytest.mark.parametrize("kept", [1, 2, 50])
def test_one_sample_an_interval_is_kept(interval: int, start: int, kept: int) -> None:
    grid = Grid(start, 300_000, 50)
    times = [grid.time(step) for step in range(50 - kept, 50)]
    assert thinned(grid, kept, Thinning("-x", 0, interval), NOW) == kept - left_by_loop(times, interval)


def test_older_samples_are_thinned_alone() -> None:
    grid = plan(40).grid
    old = Thinning("-downsampling.period", 30 * DAY_MS, HOUR)
    assert thinned(grid, grid.steps, old, NOW) == 10 * 288 + 1 - (240 + 1)  # the sample at the border is as old
    assert thinned(grid, 30 * 288, old, NOW) == 0


def test_an_interval_above_the_step_is_a_loss() -> None:
    told = found(plan(), thinning=(Thinning("-dedup.minScrapeInterval", 0, 10 * MINUTE),))["deduplication"]
    assert (told.loses, told.samples) == (True, 10 * (288 - 145))
    assert "-dedup.minScrapeInterval" in told.text
    assert "step_size to 10m" in told.plain().fix
    assert found(plan(), thinning=(Thinning("-dedup.minScrapeInterval", 0, 5 * MINUTE),)) == {}
    assert found(plan(), thinning=(Thinning("-dedup.minScrapeInterval", 0, 1),)) == {}


def test_what_retention_drops_is_not_counted_twice() -> None:
    thinning = (Thinning("-dedup.minScrapeInterval", 0, 10 * MINUTE),)
    told = found(plan(60, labels="host={1..10},b=xxxxx"), thinning=thinning, value_bytes=4)
    kept = 31 * 288
    assert told["retention"].samples == 10 * (60 * 288 - kept)
    assert told["deduplication"].samples == 10 * (kept - (kept // 2 + 1))
    assert told["label-value"].samples == 10 * (kept // 2 + 1)
    assert found(plan(60, labels="host={1..10},b=xxxxx"), value_bytes=4)["label-value"].samples == 10 * kept


@pytest.mark.parametrize(("count", "lost"), [(39, 0), (40, 10)])
def test_labels_are_counted_with_the_name(count: int, lost: int) -> None:
    labels = ",".join(["host={1..10}", *(f"l{number}=x" for number in range(count - 1))])
    told = found(plan(labels=labels), labels=40)
    assert sum(finding.samples or 0 for finding in told.values()) == lost * 288
    if lost:
        assert told["labels"].loses
        assert "dropped" in told["labels"].text
        assert "-maxLabelsPerTimeseries" in told["labels"].fix
        assert "cut off" in found(plan(labels=labels), labels=40, drops_series=False)["labels"].text


def test_values_are_measured_in_bytes() -> None:
    assert found(plan(labels='a="' + "ä" * 2048 + '"'), value_bytes=4096) == {}
    told = found(plan(labels='a="' + "ä" * 2048 + 'x"'), value_bytes=4096)["label-value"]
    assert (told.loses, told.samples) == (True, 288)
    assert found(plan(metric="m" * 30), value_bytes=29)["label-value"].samples == 10 * 288


def test_only_the_series_with_the_longer_values_are_lost() -> None:
    assert found(plan(labels="host=h{8..12},zone={a,bb}"), value_bytes=2)["label-value"].samples == 6 * 288


def test_names_of_labels_have_a_limit_too() -> None:
    told = found(plan(labels="a" * 257 + "=x"), name_bytes=256)
    assert told["label-name"].samples == 288
    assert found(plan(labels="a" * 256 + "=x"), name_bytes=256) == {}


def test_more_new_series_than_are_taken() -> None:
    told = found(plan(), series=(("storage.maxHourlySeries", 8), ("storage.maxDailySeries", 3)))["series"]
    assert (told.loses, told.samples) == (True, 7 * 288)
    assert "-storage.maxDailySeries" in told.text
    assert found(plan(), series=(("storage.maxHourlySeries", 10),)) == {}


def test_rules_and_what_is_not_understood_are_notes() -> None:
    told = found(plan(), rules=("-relabelConfig may drop or rename series",), odd=('-retentionPeriod="5q"',))
    assert {kind: finding.loses for kind, finding in told.items()} == {"rules": False, "unread": False}
    assert "5q" in told["unread"].text
    assert found(plan(), read_only=True)["read-only"].loses


def test_a_retention_that_is_not_understood_is_never_silence() -> None:
    store = replace(VM, retention=None, limits=Limits(odd=('-retentionPeriod="5q"',)))
    told = [finding.text for finding in predict(plan(60), store, NOW)]
    assert any("5q" in text for text in told)


@pytest.mark.parametrize(
    "labels", ["a={1..12}", "a={001..1000}", "a={7..1003}x{a,bbb,ää}", "a={0..9}{a,},b={x,yy}z", "a=é,b={95..105}"]
)
def test_lengths_without_expanding(labels: str) -> None:
    patterns = parse_labels([labels]).patterns
    fleet = build_fleet("m", patterns)
    values = [
        [len(value.encode()) for name, value in fleet.label_set(row) if name != "__name__"] for row in range(len(fleet))
    ]
    for longest in range(8):
        assert series_within(patterns, longest) == sum(max(row) <= longest for row in values)


def test_ten_million_series_cost_nothing() -> None:
    patterns = parse_labels(["a={1..1000000},b={a,b,c,d,e,f,g,h,i,jj}"]).patterns
    assert series_within(patterns, 6) == 999_999 * 10
    assert series_within(patterns, 1) == 9 * 9
    assert sum(itertools.chain(value_lengths(patterns[0]).values())) == 1_000_000
