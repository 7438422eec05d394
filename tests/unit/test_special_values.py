"""Every reduction and comparison of float64 values that a NaN, a marker, a -0 or an infinity can meet.

docs/decisions/0007-special-values.md is the table of them. A staleness marker is a signalling NaN, which vectorised
reductions let pass at some places of an array and not at others, so every place of every length is tried.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
import pytest
import snappy
from numpy.typing import NDArray

from promfill.codecs.openmetrics.encode import encode_values
from promfill.codecs.openmetrics.reader import OpenMetricsReader
from promfill.errors import InputError, ReceiverError
from promfill.model.batch import STALE_NAN_BITS
from promfill.model.grid import Grid, Tile
from promfill.model.ragged_batch import RaggedBatch
from promfill.operations.comparison import Comparison, PushedSamples, compare
from promfill.pb.remote_read_pb2 import ReadResponse
from promfill.promtool.go_numbers import format_floats
from promfill.scenario.scenario import Signal, check_signal, parse_resolution
from promfill.sinks.upload import wait
from promfill.stores import query, remote_read, victoriametrics
from tests.support.comparison_reference import as_bits
from tests.support.sources import source_of

NAN, PLAIN_NAN = 0x7FF8000000000000, 0x7FF8000000000001
SPECIAL = {
    "NaN": NAN,
    "Prometheus's NaN": PLAIN_NAN,
    "marker": STALE_NAN_BITS,
    "-NaN": NAN | 1 << 63,
    "-0": 1 << 63,
    "+Inf": as_bits(float("inf")),
    "-Inf": as_bits(float("-inf")),
}
ENDLESS = ("NaN", "Prometheus's NaN", "marker", "-NaN", "+Inf", "-Inf")
INF = as_bits(float("inf"))
MOST = 40


@pytest.fixture(autouse=True)
def _loud() -> Iterator[None]:
    """A user would see numpy's warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def places() -> Iterator[tuple[int, int]]:
    """Every place of every length."""
    return ((length, place) for length in range(1, MOST + 1) for place in range(length))


def compared(
    wanted: NDArray[np.uint64], held: NDArray[np.uint64], *, doubled: bool = False, by_bits: bool = False
) -> Comparison:
    """Of one series; doubled: its first sample once more, so that it is compared sample by sample."""
    grid = Grid(1_000, 10, wanted.size)
    times = 1_000 + 10 * np.arange(wanted.size)
    if doubled:
        held, times = np.append(held, held[:1]), np.append(times, times[:1])
    tally = Comparison(10)
    found = RaggedBatch(np.array([0]), np.array([0, held.size]), times.astype(np.int64), held)
    compare(PushedSamples(grid, wanted[None, :]), found, tally, by_bits=by_bits)
    return tally


def series(length: int, place: int, special: int) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """A series with a special value, as it was pushed, and as VictoriaMetrics may hold it."""
    values = 20.0 + np.arange(length) / 7
    wanted, held = values.view(np.uint64), (values * (1 + 1e-12)).view(np.uint64)
    wanted[place] = held[place] = special
    return wanted, held


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("name", SPECIAL)
def test_one_special_value_lets_the_others_be_rounded(name: str, doubled: bool) -> None:
    for length, place in places():
        tally = compared(*series(length, place, SPECIAL[name]), doubled=doubled)
        assert (tally.found, tally.rounded) == (length, length - 1), (length, place)
        assert not tally.different.samples


@pytest.mark.parametrize("doubled", [False, True])
@pytest.mark.parametrize("name", SPECIAL)
def test_one_special_value_hides_no_wrong_one(name: str, doubled: bool) -> None:
    for length, place in places():
        wanted, held = series(length, place, SPECIAL[name])
        wrong = (place + 1) % length
        if wrong != place:
            held[wrong] = np.array(99.0).view(np.uint64)
            assert compared(wanted, held, doubled=doubled).different.samples == 1, (length, place)


@pytest.mark.parametrize("name", ENDLESS)
@pytest.mark.parametrize("other", [0.0, 20.0, 1.7e308, float("inf"), float("-inf"), float("nan")])
def test_nothing_is_near_what_is_not_finite(name: str, other: float) -> None:
    for length, place in places():
        wanted, held = series(length, place, SPECIAL[name])
        held[place] = as_bits(other)
        expected = int(as_bits(other) != SPECIAL[name])
        assert compared(wanted, held).different.samples == expected, (length, place)
        turned = compared(held, wanted)
        assert turned.different.samples == expected, (length, place)


def test_series_of_special_values_alone() -> None:
    for name, special in SPECIAL.items():
        for length in range(1, MOST + 1):
            bits = np.full(length, special, np.uint64)
            assert compared(bits, bits.copy()).found == length, name


def test_the_zeros_are_near_and_not_the_same() -> None:
    zeros = np.array([0, 1 << 63], np.uint64)
    assert compared(zeros, zeros[::-1].copy()).rounded == 2
    assert compared(zeros, zeros[::-1].copy(), by_bits=True).different.samples == 2


@pytest.mark.parametrize("rounding", [{"decimals": 0}, {"decimals": 1}, {"decimals": 3}, {"resolution": 2.0**-3}])
@pytest.mark.parametrize("labels", ["i=1", "i={1..3}"])
def test_no_rounding_makes_a_negative_zero(rounding: dict[str, float], labels: str) -> None:
    plain = {"flat_base": 0.0, "trend_coefficient": 0.0, "seasonality": "none", "noise_std": 0.01}
    source = source_of(labels, 2_000, signal={**plain, **rounding})
    tile = Tile(0, 2_000, 0, len(source.fleet))
    before, after = source_of(labels, 2_000, signal=plain).batch(tile).values, source.batch(tile).values
    resolution = rounding.get("resolution")
    wanted = np.rint(before / resolution) * resolution if resolution else np.round(before, int(rounding["decimals"]))
    zero = wanted == 0
    assert np.signbit(wanted[zero]).any()
    assert not after.view(np.uint64)[zero].any()
    assert (after.view(np.uint64) == wanted.view(np.uint64))[~zero].all()


@pytest.mark.parametrize(
    ("signal", "identity", "kept"),
    [
        ({}, "c8ef47c22299d93f", True),
        ({"decimals": 1}, "1017df168c64566d", False),
        ({"decimals": 1, "flat_base": 1000}, "44589d3935521f86", True),
        ({"decimals": 1, "flat_base": 1000, "trend_coefficient": -0.1}, "d86b467048d07490", False),
        ({"resolution": 8.0, "flat_base": -1000, "trend_coefficient": 0}, "bf1733230d868db9", True),
        ({"resolution": 1024.0, "flat_base": -1000, "trend_coefficient": 0}, "fe1e06b63ef60157", False),
    ],
)
def test_blocks_that_may_have_held_a_negative_zero_have_other_names(
    signal: dict[str, Any], identity: str, kept: bool
) -> None:
    """The identities of promfill 0.1.0: a block that is there under its name is believed to hold what it should."""
    assert (source_of("i={1..3}", 10, signal=signal).identity().hex()[:16] == identity) is kept


def test_texts_of_special_values() -> None:
    texts = {"-0": (b"-0", b"-0.0"), "+Inf": (b"+Inf", b"+Inf"), "-Inf": (b"-Inf", b"-Inf")}
    for name, special in SPECIAL.items():
        for length, place in places():
            values = np.full(length, 1e-5)
            values.view(np.uint64)[place] = special
            go, python = format_floats(values), encode_values(values)
            assert (go[place], python[place]) == texts.get(name, (b"NaN", b"NaN"))
            assert {*go[:place], *go[place + 1 :]} <= {b"1e-05"}
            assert {*python[:place], *python[place + 1 :]} <= {b"1e-05"}


def test_special_values_in_text() -> None:
    texts = {b"NaN": PLAIN_NAN, b"-0": 1 << 63, b"-0.0": 1 << 63, b"+Inf": INF, b"Inf": INF, b"-Inf": INF | 1 << 63}
    for text, special in texts.items():
        for length, place in places():
            lines = [b'm{i="%d"} %b 1\n' % (at, text if at == place else b"1.5") for at in range(length)]
            data = b"# TYPE m gauge\n" + b"".join(lines) + b"# EOF\n"
            buffer = np.frombuffer(data + bytes(256), np.uint8).copy()
            samples = OpenMetricsReader({}).read(buffer, len(data))
            bits = samples.values.view(np.uint64)[np.argsort(samples.series, kind="stable")].tolist()
            assert sorted(bits) == sorted([as_bits(1.5)] * (length - 1) + [special]), (text, length, place)


@pytest.mark.parametrize(("text", "bits"), [("null", STALE_NAN_BITS), ('"NaN"', NAN), ('"Infinity"', INF), ("-0", 0)])
def test_special_values_of_an_export(text: str, bits: int) -> None:
    for length, place in places():
        values = ["1.5"] * length
        values[place] = text
        times = list(range(length))
        line = f'{{"metric":{{"__name__":"m"}},"values":[{",".join(values)}],"timestamps":{times}}}'.replace(" ", "")
        _, _, found = victoriametrics.parse_line(line.encode())
        assert found.tolist() == [bits if at == place else as_bits(1.5) for at in range(length)]


@pytest.mark.parametrize(("text", "bits"), [("NaN", NAN), ("+Inf", INF), ("-Inf", INF | 1 << 63), ("-0", 1 << 63)])
def test_special_values_of_a_query(text: str, bits: int) -> None:
    for length, place in places():
        values = [[at, text if at == place else "1.5"] for at in range(length)]
        data = {"resultType": "matrix", "result": [{"metric": {"__name__": "m"}, "values": values}]}
        ((_, _, found),) = query._series(orjson.dumps({"status": "success", "data": data}))
        assert found.tolist() == [bits if at == place else as_bits(1.5) for at in range(length)]


@pytest.mark.parametrize("name", SPECIAL)
def test_special_values_of_remote_read(name: str) -> None:
    for length, place in places():
        bits, _ = series(length, place, SPECIAL[name])
        response = ReadResponse()
        one = response.results.add().timeseries.add()
        one.labels.add(name="__name__", value="m")
        for at, value in enumerate(bits.view(np.float64).tolist()):
            one.samples.add(timestamp=at, value=value)
        ((_, _, found),) = remote_read._samples(snappy.compress(response.SerializeToString()))
        assert found.tolist() == bits.tolist()


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf"])
def test_a_count_that_is_no_number_is_an_error_of_ours(text: str) -> None:
    result = [{"metric": {"i": "1"}, "value": [1, text]}]
    with pytest.raises(ReceiverError, match="the query API's answer"):
        list(wait._vector(orjson.dumps({"data": {"result": result}})))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", ["trend_coefficient", "flat_base", "noise_mean", "noise_std"])
def test_special_options_are_refused(name: str, value: float) -> None:
    changed: dict[str, Any] = {name: value}
    with pytest.raises(InputError, match=name):
        check_signal(replace(Signal(), **changed), Grid(0, 1_000, 2))


@pytest.mark.parametrize("text", ["nan", "inf", "-inf", "-0", "0", "2^1e9"])
def test_special_resolutions_are_refused(text: str) -> None:
    with pytest.raises(InputError, match="resolution"):
        parse_resolution(text)
