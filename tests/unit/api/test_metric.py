"""Metrics, fans and values: what is built prints well, does not change, and names the field that is wrong."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import Any

import numpy as np
import pytest

import promfill as pf

ANY: Any = pf  # wrong types, too


def test_a_metric_prints_in_one_line() -> None:
    metric = pf.Metric("vpn", labels={"instance": pf.fan("host-{1..40}"), "job": "vpn"})
    assert repr(metric) == "Metric: vpn, 40 series, labels instance, job"
    assert repr(pf.Metric("up")) == "Metric: up, 1 series"


def test_a_plain_text_does_not_fan_out() -> None:
    metric = pf.Metric("m", labels={"path": "/a/{1..3},{x}\\{", "zone": pf.fan("{eu,us}")})
    scenario = pf.Scenario([metric], start=0, end=600)
    assert [labels["path"] for labels in scenario.series] == ["/a/{1..3},{x}\\{"] * 2


@pytest.mark.parametrize(
    ("pattern", "values"),
    [
        ("host-{1..3}", ["host-1", "host-2", "host-3"]),
        ("{01..03}", ["01", "02", "03"]),
        ("{a,b}{1..2}", ["a1", "a2", "b1", "b2"]),
        (r"\{{1..2}\}", ["{1}", "{2}"]),
        ("a,b", ["a,b"]),
        ("x,{1..2},y", ["x,1,y", "x,2,y"]),
        (r"\{a,b}", ["{a,b}"]),
        ("plain", ["plain"]),
        ('"{1..2}"', ['"1"', '"2"']),
    ],
)
def test_a_fan_makes_the_values_of_its_pattern(pattern: str, values: list[str]) -> None:
    fan = pf.fan(pattern)
    scenario = pf.Scenario([pf.Metric("m", labels={"x": fan})], start=0, end=600)
    assert [labels["x"] for labels in scenario.series] == values
    assert len(fan) == len(values)
    assert repr(fan) == f"fan({pattern!r})"


def test_metrics_are_equal_hashed_copied_and_pickled_by_value() -> None:
    def build(**more: Any) -> pf.Metric:
        return pf.Metric("m", labels={"a": "b", "c": pf.fan("{1..2}")}, **more)

    metric = build()
    assert metric == build()
    assert hash(metric) == hash(build())
    assert metric != build(round=2)
    assert pickle.loads(pickle.dumps(metric)) == metric == copy.deepcopy(metric)
    assert dataclasses.replace(metric, round=3) == build(round=3)


def test_a_metric_does_not_change() -> None:
    labels = {"a": "b"}
    metric = pf.Metric("m", labels=labels)
    labels["a"] = "c"
    assert dict(metric.labels) == {"a": "b"}
    with pytest.raises(dataclasses.FrozenInstanceError):
        metric.name = "n"  # type: ignore[misc]
    with pytest.raises(TypeError):
        metric.labels["a"] = "c"  # type: ignore[index]


def test_a_resolution_may_be_a_number_or_a_text() -> None:
    assert pf.Metric("m", resolution="2^-7") == pf.Metric("m", resolution=0.0078125)


def test_numbers_of_numpy_are_numbers() -> None:
    assert ANY.original(trend=np.float64(0.5), base=np.int64(7)) == pf.original(trend=0.5, base=7)
    assert ANY.Metric("m", round=np.int64(3)) == pf.Metric("m", round=3)


@pytest.mark.parametrize(
    ("build", "field", "words"),
    [
        (lambda: ANY.Metric("a-b"), "name", "a_b"),
        (lambda: ANY.Metric(""), "name", "empty"),
        (lambda: ANY.Metric(3), "name", "text"),
        (lambda: ANY.Metric("m", help=None), "help", "text"),
        (lambda: ANY.Metric("m", unit=1), "unit", "text"),
        (lambda: ANY.Metric("m", labels={"a-b": "x"}), "labels", "a_b"),
        (lambda: ANY.Metric("m", labels={"": "x"}), "labels", "empty name"),
        (lambda: ANY.Metric("m", labels={"a": ""}), "labels", "empty value"),
        (lambda: ANY.Metric("m", labels={"a": 1}), "labels", "'1'"),
        (lambda: ANY.Metric("m", labels={"a": ["x", "y"]}), "labels", "pf.fan"),
        (lambda: ANY.Metric("m", labels={"a": "\ud800"}), "labels", "UTF-8"),
        (lambda: ANY.Metric("m", labels={"\ud800": "x"}), "labels", "UTF-8"),
        (lambda: ANY.Metric("m", labels={1: "x"}), "labels", "1"),
        (lambda: ANY.Metric("m", help="\ud800"), "help", "UTF-8"),
        (lambda: ANY.fan("\ud800{1..3}"), "pattern", "UTF-8"),
        (lambda: ANY.Metric("m", labels=[("a", "b")]), "labels", "mapping"),
        (lambda: ANY.Metric("m", labels={"__name__": "x"}), "labels", "name"),
        (
            lambda: ANY.Metric("m", labels={"a": ANY.fan("{1..9999}"), "b": ANY.fan("{1..9999}")}),
            "labels",
            "99,980,001 series",
        ),
        (lambda: ANY.Metric("m", value=3), "value", "pf.original"),
        (lambda: ANY.Metric("m", round=16), "round", "16"),
        (lambda: ANY.Metric("m", round=1.5), "round", "1.5"),
        (lambda: ANY.Metric("m", round=True), "round", "True"),
        (lambda: ANY.Metric("m", resolution=0.3), "resolution", "power of two"),
        (lambda: ANY.Metric("m", resolution="a"), "resolution", "power of two"),
        (lambda: ANY.Metric("m", resolution=0.5, round=1), "resolution", "exclude"),
        (lambda: ANY.fan("{x}"), "pattern", r"\{"),
        (lambda: ANY.fan("{3..1}"), "pattern", "{1..3}"),
        (lambda: ANY.fan(3), "pattern", "text"),
        (lambda: ANY.original(trend="x"), "trend", "'x'"),
        (lambda: ANY.original(trend=float("nan")), "trend", "nan"),
        (lambda: ANY.original(base=float("inf")), "base", "inf"),
        (lambda: ANY.original(noise=-1), "noise", "negative"),
        (lambda: ANY.original(mean=None), "mean", "None"),
        (lambda: ANY.original(season="weekly"), "season", "'weekly'"),
    ],
)
def test_a_wrong_value_is_an_input_error_with_its_field(build: Any, field: str, words: str) -> None:
    with pytest.raises(pf.InputError) as caught:
        build()
    assert caught.value.field == field
    assert words in str(caught.value)
    assert "--" not in str(caught.value)
