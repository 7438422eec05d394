"""Scenarios: times as Python users give them, samples as arrays that are theirs."""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import pickle
import time
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import promfill as pf
from promfill.model.batch import STALE_NAN_BITS
from promfill.model.grid import Tile
from tests.support.sources import source_of

ANY: Any = pf  # wrong types, too

FLEET = pf.Metric("m", labels={"instance": pf.fan("h-{1..7}"), "job": "j"})
DAY = {"start": "2024-01-01T00:00:00Z", "end": "2024-01-02T00:00:00Z"}
MIDNIGHT = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def fleet(**more: Any) -> pf.Scenario:
    return pf.Scenario([FLEET], **{**DAY, **more})


def test_a_scenario_prints_in_one_line() -> None:
    assert repr(fleet()) == "Scenario: 1 metric, 7 series, 2,016 samples, 2024-01-01 to 2024-01-02"
    assert "2024-01-01 00:30 to" in repr(fleet(start="2024-01-01T00:30:00Z"))


@pytest.mark.parametrize(
    "start",
    [
        "2024-01-01T00:00:00Z",
        "2024-01-01T01:00:00+01:00",
        "1704067200",
        1704067200,
        1704067200.0,
        np.int64(1704067200),
        np.float64(1704067200),
        MIDNIGHT,
        MIDNIGHT.astimezone(ZoneInfo("America/New_York")),
    ],
    ids=repr,
)
def test_a_start_may_be_given_in_many_ways(start: Any) -> None:
    assert fleet(start=start) == fleet()
    assert fleet(start=start).start == MIDNIGHT


@pytest.mark.parametrize(
    "step", ["5m", "300s", 300, 300.0, np.int64(300), Fraction(600, 2), dt.timedelta(minutes=5)], ids=repr
)
def test_a_step_may_be_given_in_many_ways(step: Any) -> None:
    assert fleet(step=step) == fleet()
    assert fleet(step=step).step == dt.timedelta(minutes=5)


def test_fractions_of_a_second_are_kept_to_the_millisecond() -> None:
    for start in (1704067200.25, "1704067200.25", MIDNIGHT.replace(microsecond=250_999)):
        scenario = pf.Scenario([pf.Metric("m")], start=start, end=1704067210, step=0.5)
        (batch,) = scenario.batches()
        assert batch.times[:2].tolist() == [1704067200250, 1704067200750]


def test_relative_times_are_counted_from_now_and_rounded_to_the_step() -> None:
    before = time.time()
    scenario = pf.Scenario([FLEET], start="now-1d", step="5m")
    assert scenario.end - scenario.start == dt.timedelta(days=1)
    assert scenario.end.timestamp() % 300 == 0
    assert before - 300 <= scenario.end.timestamp() <= time.time()


def test_what_fits_between_relative_times_does_not_hang_on_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    for second in (0, 60, 200, 299):
        now = 1704067200_000 + second * 1000
        monkeypatch.setattr("promfill.api.scenario.now_ms", lambda now=now: now)
        with pytest.raises(pf.InputError, match="no step of 5m fits"):
            pf.Scenario([FLEET], start="now-4m", step="5m")
        assert pf.Scenario([FLEET], start="now-5m", step="5m").samples == 7


def test_a_scenario_is_equal_hashed_copied_and_pickled_by_value() -> None:
    scenario = fleet()
    assert scenario == fleet() != fleet(seed=7)
    assert hash(scenario) == hash(fleet())
    assert pickle.loads(pickle.dumps(scenario)) == scenario == copy.deepcopy(scenario)
    assert dataclasses.replace(scenario, seed=7) == fleet(seed=7)
    with pytest.raises(dataclasses.FrozenInstanceError):
        scenario.seed = 7  # type: ignore[misc]


def test_series_are_counted_and_looked_at_without_being_listed() -> None:
    many = pf.Scenario([pf.Metric("m", labels={"i": pf.fan("{1..3000000}")})], start=0, end=600)
    assert len(many.series) == 3_000_000
    assert many.samples == 6_000_000
    series = fleet().series
    assert series[0] == {"__name__": "m", "instance": "h-1", "job": "j"}
    assert series[-1]["instance"] == "h-7"
    assert [labels["instance"] for labels in series[2:4]] == ["h-3", "h-4"]
    with pytest.raises(IndexError):
        series[7]


@pytest.mark.parametrize("samples", [600_000, 600, 300, 288, 287, 100, 1])
def test_batches_hold_the_samples_of_the_source_once_each(samples: int) -> None:
    source = source_of("instance=h-{1..7},job=j", 288, start=1704067200000)
    whole = source.batch(Tile(0, 288, 0, 7)).values.copy()
    got: dict[str, list[tuple[int, float]]] = {}
    for batch in fleet().batches(samples):
        assert batch.times.dtype == np.int64
        assert batch.values.dtype == np.float64
        assert batch.values.shape == (batch.times.size, len(batch.series))
        assert 0 < batch.samples <= samples
        for labels, column in zip(batch.series, batch.values.T, strict=True):
            got.setdefault(labels["instance"], []).extend(zip(batch.times.tolist(), column.tolist(), strict=True))
    times = source.timestamps(0, 288).tolist()
    assert got == {f"h-{n + 1}": list(zip(times, whole[:, n].tolist(), strict=True)) for n in range(7)}


def test_batches_are_yours_to_keep_and_to_change() -> None:
    batches = list(fleet().batches(600))
    kept = [batch.values.copy() for batch in batches]
    again = list(fleet().batches(600))
    for batch, values in zip(batches, kept, strict=True):
        assert np.array_equal(batch.values, values)
        batch.values[:] = 0
        batch.times[:] = 0
    assert all(np.array_equal(batch.values, values) for batch, values in zip(again, kept, strict=True))


def test_reused_batches_are_the_same_samples_in_the_same_memory() -> None:
    kept = list(fleet().batches(600))
    seen = set()
    for batch, other in zip(fleet().batches(600, reuse=True), kept, strict=True):
        assert np.array_equal(batch.values, other.values)
        seen.add(batch.values.__array_interface__["data"][0])
    assert len(seen) < len(kept)  # it grows to the largest batch


def test_a_staleness_marker_is_the_last_row_and_no_sample() -> None:
    scenario = fleet(stale_at_end=True)
    assert scenario.samples == fleet().samples
    (batch,) = scenario.batches()
    assert batch.times.size == 289
    assert set(batch.values[-1].view(np.uint64).tolist()) == {STALE_NAN_BITS}
    assert np.isfinite(batch.values[:-1]).all()


def test_settings_reach_the_values() -> None:
    def values(metric: pf.Metric, **more: Any) -> Any:
        (batch,) = pf.Scenario([metric], **{**DAY, **more}).batches()
        return batch.values[:, 0]

    flat = pf.Metric("m", value=pf.original(trend=0, base=2, season=None, noise=0, mean=0.5))
    assert (values(flat) == 2.5).all()
    rising = pf.Metric("m", value=pf.original(trend=12, base=0, season=None, noise=0))
    assert values(rising)[1] == 1.0
    daily = pf.Metric("m", value=pf.original(trend=0, base=0, noise=0))
    assert values(daily)[0] == 1.0
    assert values(daily, timezone="Etc/GMT-12")[144] == 1.0
    assert (values(pf.Metric("m"), seed=1) != values(pf.Metric("m"), seed=2)).any()
    assert np.array_equal(values(pf.Metric("m", round=1)), np.round(values(pf.Metric("m")), 1))
    assert (values(pf.Metric("m", resolution=0.25)) % 0.25 == 0).all()


@pytest.mark.parametrize(
    ("build", "field", "words"),
    [
        (lambda: ANY.Scenario([], **DAY), "metrics", "0 metrics"),
        (lambda: ANY.Scenario([FLEET, FLEET], **DAY), "metrics", "2 metrics"),
        (lambda: ANY.Scenario(FLEET, **DAY), "metrics", "[metric]"),
        (lambda: ANY.Scenario(["m"], **DAY), "metrics", "'m'"),
        (lambda: ANY.Scenario(None, **DAY), "metrics", "None"),
        (lambda: fleet(start="yesterday"), "start", "'yesterday'"),
        (lambda: fleet(start=dt.datetime(2024, 1, 1)), "start", "time zone"),
        (lambda: fleet(start=dt.date(2024, 1, 1)), "start", "datetime"),
        (lambda: fleet(start=None), "start", "None"),
        (lambda: fleet(start=float("nan")), "start", "nan"),
        (lambda: fleet(start=True), "start", "True"),
        (lambda: fleet(start=-1), "start", "1970"),
        (lambda: fleet(start=1704067200000), "start", "millisecond"),
        (lambda: fleet(end=dt.datetime(9999, 1, 1, tzinfo=dt.UTC)), "end", "9998"),
        (lambda: fleet(end="now+1h"), "end", "allow_future"),
        (lambda: fleet(end=DAY["start"]), "start", "before"),
        (lambda: fleet(step="5"), "step", '"5m"'),
        (lambda: fleet(step="five"), "step", "'five'"),
        (lambda: fleet(step=0), "step", "above 0"),
        (lambda: fleet(step=-5), "step", "above 0"),
        (lambda: fleet(step=0.0001), "step", "millisecond"),
        (lambda: fleet(step=dt.timedelta(microseconds=1)), "step", "millisecond"),
        (lambda: fleet(step=float("inf")), "step", "inf"),
        (lambda: fleet(step=1e300), "step", "8,000 years"),
        (lambda: fleet(step="2d"), "step", "2d"),
        (lambda: fleet(step=np.timedelta64(5, "m")), "step", "not a valid duration"),
        (lambda: fleet(step=10**400), "step", "not a valid duration"),
        (lambda: fleet(start=np.datetime64("2024-01-01")), "start", "not a valid time"),
        (lambda: fleet(seed=np.timedelta64(5, "m")), "seed", "whole number"),
        (lambda: fleet(seed=-1), "seed", "-1"),
        (lambda: fleet(seed=2**32), "seed", str(2**32)),
        (lambda: fleet(seed="1"), "seed", "'1'"),
        (lambda: fleet(timezone="Mars"), "timezone", "Mars"),
        (lambda: fleet(timezone=ZoneInfo("UTC")), "timezone", "text"),
        (lambda: fleet(allow_future="no"), "allow_future", "'no'"),
        (lambda: fleet(stale_at_end=1), "stale_at_end", "1"),
        (lambda: fleet().batches(0), "samples", "0"),
        (lambda: ANY.Scenario([FLEET], **DAY).batches(reuse=1), "reuse", "1"),
        (lambda: ANY.Scenario([ANY.Metric("m", value=ANY.original(trend=1e308))], **DAY), "trend", "float64"),
    ],
)
def test_a_wrong_value_is_an_input_error_with_its_field(build: Any, field: str, words: str) -> None:
    with pytest.raises(pf.InputError) as caught:
        build()
    assert caught.value.field == field
    assert words in str(caught.value)
    assert "--" not in str(caught.value)


def test_a_future_end_is_taken_where_it_is_allowed() -> None:
    assert fleet(end="now+1h", allow_future=True).end.timestamp() > time.time()
