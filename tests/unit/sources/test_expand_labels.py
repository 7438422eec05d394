from __future__ import annotations

import itertools
import re
import tracemalloc

import numpy as np
import pytest

from promfill.errors import InputError
from promfill.model.batch import Fleet
from promfill.scenario.label_patterns import LabelPattern, parse_labels
from promfill.sources.expand_labels import build_fleet, fleet_from_label_sets


def fleet_of(text: str) -> Fleet:
    return build_fleet("m", parse_labels([text]).patterns)


def test_one_series() -> None:
    fleet = fleet_of("b=x,a=y")
    assert list(fleet.symbols) == [b"", b"__name__", b"a", b"b", b"m", b"x", b"y"]
    assert fleet.names.tolist() == [1, 2, 3]
    assert fleet.names.dtype == fleet.values.dtype == np.uint32
    assert fleet.label_set(0) == (("__name__", "m"), ("a", "y"), ("b", "x"))


def test_no_labels() -> None:
    fleet = build_fleet("up", [])
    assert len(fleet) == 1
    assert fleet.label_set(0) == (("__name__", "up"),)


def test_names_stand_in_byte_order_around_the_metric_name() -> None:
    assert [name for name, _ in fleet_of("a=1,Z=2,_=3,__a=4").label_set(0)] == ["Z", "_", "__a", "__name__", "a"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("{8..12}", ["8", "9", "10", "11", "12"]),
        ("{0..1}", ["0", "1"]),
        ("{08..12}", ["08", "09", "10", "11", "12"]),
        ("{99..101}x", ["99x", "100x", "101x"]),
        ("{999999999999999998..999999999999999999}", ["999999999999999998", "999999999999999999"]),
        ("{b,a}", ["b", "a"]),
        ("é{x,}{1..2}", ["éx1", "éx2", "é1", "é2"]),
        ("{1..2}-{a,b}-{01..02}", [f"{i}-{c}-0{j}" for i in (1, 2) for c in "ab" for j in (1, 2)]),
    ],
)
def test_values_fan_out_and_are_sorted(value: str, expected: list[str]) -> None:
    fleet = fleet_of(f"a={value}")
    assert [dict(fleet.label_set(row))["a"] for row in range(len(fleet))] == sorted(expected)


def test_nul_bytes_at_the_end_count() -> None:
    fleet = fleet_of("a={x,x\0,x\0\0}")
    assert [dict(fleet.label_set(row))["a"] for row in range(3)] == ["x", "x\0", "x\0\0"]


def test_rows_are_the_product_in_label_order() -> None:
    fleet = fleet_of("z={b,a},k={1..11},c=x")
    rows = [fleet.label_set(row) for row in range(len(fleet))]
    names = ("__name__", "c", "k", "z")
    product = itertools.product("m", "x", map(str, range(1, 12)), "ab")
    assert rows == sorted(tuple(zip(names, values, strict=True)) for values in product)


def test_more_labels_than_numpy_has_dimensions() -> None:
    fleet = fleet_of(",".join(f"l{i}=v" for i in range(100)) + ",z={1..3}")
    assert len(fleet) == 3
    assert len(fleet.label_set(2)) == 102


def test_the_arrays_are_read_only() -> None:
    fleet = fleet_of("a={1..3}")
    for array in (fleet.symbols.buffer, fleet.symbols.offsets, fleet.names, fleet.values):
        assert not array.flags.writeable


def test_a_million_series_take_little_memory() -> None:
    patterns = parse_labels(["instance=host-{0000001..1000000}:9100,a=1,b=2,c=3,d=4"]).patterns
    tracemalloc.start()
    fleet = build_fleet("m", patterns)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(fleet) == 1_000_000
    assert dict(fleet.label_set(123_455))["instance"] == "host-0123456:9100"
    assert peak < 180e6


def test_a_value_in_two_ways_is_an_error() -> None:
    with pytest.raises(InputError) as caught:
        fleet_of("a={1,11}{1,11}")
    assert str(caught.value) == (
        "label 'a' fans out to '111' in more than one way, which is the same series twice: "
        "put a separator between the parts of its value"
    )


def test_values_of_more_than_a_gibibyte_are_refused_before_they_are_made() -> None:
    with pytest.raises(InputError) as caught:
        fleet_of("a={1..1000000}" + "x" * 2000)
    assert str(caught.value) == (
        "the 1,000,000 values of label 'a' take up to 2,007 bytes each, over 1 GiB in all: "
        "shorten them, or push in parts"
    )


def test_too_many_series_are_refused() -> None:
    patterns = [LabelPattern(name, (tuple(map(str, range(4000))),)) for name in "ab"]
    with pytest.raises(InputError, match="fan out to 16,000,000 series"):
        build_fleet("m", patterns)


def test_label_sets_of_different_names_stand_in_prometheus_order() -> None:
    sets = [
        (("__name__", "m"), ("b", "1")),
        (("__name__", "m"), ("a", "2"), ("b", "1")),
        (("__name__", "m"),),
        (("__name__", "m"), ("a", "2")),
        (("Z", "1"), ("__name__", "m")),
    ]
    fleet, order = fleet_from_label_sets(sets)
    assert order.dtype == np.int64
    assert order.tolist() == [4, 2, 3, 1, 0]
    assert [fleet.label_set(row) for row in range(5)] == [sets[i] for i in order.tolist()]
    assert list(fleet.symbols) == sorted({b"", b"Z", b"__name__", b"a", b"b", b"m", b"1", b"2"})


def test_an_empty_value_is_an_absent_label() -> None:
    fleet, _ = fleet_from_label_sets([(("__name__", "m"), ("a", ""))])
    assert fleet.label_set(0) == (("__name__", "m"),)


def test_no_label_sets() -> None:
    fleet, order = fleet_from_label_sets([])
    assert len(fleet) == order.size == 0
    assert list(fleet.symbols) == [b""]


def test_the_same_set_twice_is_an_error() -> None:
    one = (("__name__", "m"), ("a", "x"))
    with pytest.raises(InputError, match=re.escape("the series {__name__='m', a='x'} appears twice: leave one out")):
        fleet_from_label_sets([one, one])


def test_a_name_twice_in_a_set_is_an_error() -> None:
    with pytest.raises(InputError, match=re.escape("label 'a' appears twice in {a='x', a='y'}: leave one out")):
        fleet_from_label_sets([(("a", "x"), ("a", "y"))])
