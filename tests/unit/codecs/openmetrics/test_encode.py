from __future__ import annotations

import math
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from promfill.codecs.openmetrics.encode import (
    EOF,
    encode_batch,
    encode_metadata,
    encode_series,
    encode_times,
    encode_values,
    validate_openmetrics,
)
from promfill.errors import InputError
from promfill.model.batch import STALE_NAN_BITS, SeriesBatch
from promfill.scenario.label_patterns import parse_labels
from promfill.sources.expand_labels import build_fleet, fleet_from_label_sets
from tests.support.openmetrics import bits, dump_with_promtool, read_openmetrics

VALUES = [
    (0.0, b"0.0"),
    (-0.0, b"-0.0"),
    (5.0, b"5.0"),
    (0.1, b"0.1"),
    (20.28415, b"20.28415"),
    (1e-4, b"0.0001"),
    (9.9e-5, b"9.9e-05"),
    (1e-7, b"1e-07"),
    (1e15, b"1000000000000000.0"),
    (1e16, b"1e+16"),
    (-1.5e300, b"-1.5e+300"),
    (5e-324, b"5e-324"),
    (1.7976931348623157e308, b"1.7976931348623157e+308"),
    (math.inf, b"+Inf"),
    (-math.inf, b"-Inf"),
    (math.nan, b"NaN"),
    (-math.nan, b"NaN"),
    (struct.unpack(">d", STALE_NAN_BITS.to_bytes(8))[0], b"NaN"),
]

TIMES = [
    (0, b" 0\n"),
    (1_700_000_000_000, b" 1700000000\n"),
    (1_700_000_000_500, b" 1700000000.5\n"),
    (1_700_000_000_123, b" 1700000000.123\n"),
    (1, b" 0.001\n"),
    (-1, b" -0.001\n"),
    (-1_500, b" -1.5\n"),
    (10_000, b" 10\n"),
    (253_402_300_799_999, b" 253402300799.999\n"),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_value(value: float, text: bytes) -> None:
    assert encode_values(np.array([value])) == [text]


def test_values_of_all_kinds_side_by_side() -> None:
    assert encode_values(np.array([value for value, _ in VALUES])) == [text for _, text in VALUES]


@pytest.mark.parametrize(("ms", "text"), TIMES)
def test_time(ms: int, text: bytes) -> None:
    assert encode_times(np.array([ms])) == [text]


def test_whole_and_broken_seconds_side_by_side() -> None:
    assert encode_times(np.array([ms for ms, _ in TIMES])) == [text for _, text in TIMES]


@pytest.mark.parametrize("year_start", [1_073_741_824_000, 2_147_483_648_000])
def test_times_whose_thousandth_promtool_would_cut_off(year_start: int) -> None:
    times = year_start + np.arange(20_000)
    texts = encode_times(times)
    assert [int(float(text) * 1000) for text in texts] == times.tolist()
    plain = [b" %d.%03d\n" % divmod(ms, 1000) for ms in times.tolist()]
    assert any(int(float(text) * 1000) != ms for text, ms in zip(plain, times.tolist(), strict=True))


def test_nothing_to_encode() -> None:
    assert encode_values(np.empty(0)) == []
    assert encode_times(np.empty(0, np.int64)) == []


def test_metadata() -> None:
    assert encode_metadata("up", 'a "b" \\ c\nd', "") == b'# HELP up a \\"b\\" \\\\ c\\nd\n# TYPE up gauge\n'
    assert encode_metadata("t_seconds", "é", "seconds") == (
        "# HELP t_seconds é\n# TYPE t_seconds gauge\n# UNIT t_seconds seconds\n".encode()
    )


def test_series_have_their_labels_escaped() -> None:
    fleet = build_fleet("m", parse_labels(['a="say \\"é\\"",b="x\\\\y",c={"",\n}']).patterns)
    assert encode_series(fleet, range(2)) == [
        'm{a="say \\"é\\"",b="x\\\\y",c="\\n"} '.encode(),
        'm{a="say \\"é\\"",b="x\\\\y",c="\\"\\""} '.encode(),
    ]


def test_absent_labels_are_left_out() -> None:
    fleet, _ = fleet_from_label_sets([(("__name__", "m"),), (("__name__", "m"), ("b", "1")), (("A", "1"), ("b", "2"))])
    assert encode_series(fleet, range(1, 3)) == [b"m ", b'm{b="1"} ']


def test_a_batch_is_series_by_series() -> None:
    fleet = build_fleet("m", parse_labels(["a={x,y,z}"]).patterns)
    batch = SeriesBatch(fleet, 1, np.array([1000, 2500]), np.array([[1.0, 3.0], [2.0, 4.0]]))
    assert encode_batch(batch) == b'm{a="y"} 1.0 1\nm{a="y"} 2.0 2.5\nm{a="z"} 3.0 1\nm{a="z"} 4.0 2.5\n'


def test_a_batch_with_own_times_and_gaps() -> None:
    fleet = build_fleet("m", parse_labels(["a={x,y}"]).patterns)
    times, present = np.array([[1000, 2000], [3000, 4000]]), np.array([[True, False], [True, True]])
    batch = SeriesBatch(fleet, 0, times, np.array([[1.0, 3.0], [2.0, 4.0]]), present)
    assert encode_batch(batch) == b'm{a="x"} 1.0 1\nm{a="x"} 2.0 3\nm{a="y"} 4.0 4\n'


def test_a_batch_without_labels_or_samples() -> None:
    fleet = build_fleet("m", [])
    assert encode_batch(SeriesBatch(fleet, 0, np.array([1000]), np.array([[1.0]]))) == b"m 1.0 1\n"
    assert encode_batch(SeriesBatch(fleet, 0, np.empty(0, np.int64), np.empty((0, 1)))) == b""


@pytest.mark.parametrize(
    ("metric", "unit", "named"),
    [("cpu", "seconds", "cpu_seconds"), ("seconds", "seconds", "seconds_seconds"), ("cpu_", "s", "cpu_s")],
)
def test_a_unit_that_does_not_end_the_name(metric: str, unit: str, named: str) -> None:
    with pytest.raises(InputError) as caught:
        validate_openmetrics(metric, "x", unit)
    assert str(caught.value) == (
        f"unit '{unit}' must end the metric's name in OpenMetrics: write metric_name='{named}', or leave it out"
    )


def test_a_description_that_is_no_utf8() -> None:
    with pytest.raises(InputError) as caught:
        validate_openmetrics("m", "a\udcff", "")
    assert str(caught.value) == (r"description 'a\udcff' holds bytes that are not UTF-8: write it in UTF-8")


UNITS = [
    ("t_seconds", "seconds"),
    ("x_total", "total"),
    ("seconds", "seconds"),
    ("_s", "s"),
    ("x", "s"),
    ("xs", "s"),
    ("x_s_", "s"),
]
UNITS += [("a_b_c", "b_c"), ("a:s", "s"), ("a_s", "_s"), ("__s", "s"), ("__s", "_s")]


def refusal(kind: type[Exception], call: Callable[[], object]) -> str:
    try:
        call()
    except kind as error:
        return str(error)
    return ""


@pytest.mark.server
@pytest.mark.parametrize(("metric", "unit"), UNITS)
def test_promtool_refuses_the_units_that_we_refuse(metric: str, unit: str, tmp_path: Path) -> None:
    text = encode_metadata(metric, "x", unit) + b"%b 1 1\n" % metric.encode() + EOF
    ours = refusal(InputError, lambda: validate_openmetrics(metric, "x", unit))
    promtool = refusal(ValueError, lambda: dump_with_promtool(text, tmp_path))
    assert bool(ours) == ("unit not a suffix" in promtool) == bool(promtool)


@pytest.mark.server
@pytest.mark.parametrize("metric", ["x_total", "x_count", "x_bucket", "x_info", "x_created", "x_sum", "a:b", ":", "_"])
@pytest.mark.parametrize("description", ['a \\ "b"\n\tc', "", " ", "\0\r\x7f"])
def test_promtool_takes_every_metric_name_and_description(metric: str, description: str, tmp_path: Path) -> None:
    validate_openmetrics(metric, description, "")
    text = encode_metadata(metric, description, "") + b"%b 1 1\n" % metric.encode() + EOF
    assert dump_with_promtool(text, tmp_path) == [((("__name__", metric),), 1000, bits(1.0))]


@pytest.mark.server
def test_promtool_reads_back_every_bit(tmp_path: Path) -> None:
    labels = [
        'quote"',
        "back\\slash",
        "new\nline",
        "käse 🧀",
        "\t\r\0\x7f",
        "x} 1 2\\n",
        "# EOF",
        "\u2028",
        "\ufeff",
        "a,b",
    ]
    sets = [(("__name__", "m"), ("l", value)) for value in labels]
    fleet, _ = fleet_from_label_sets(sets)
    special = [value for value, _ in VALUES]
    draws = np.random.default_rng(8).integers(0, 2**64, (400, len(labels)), np.uint64).view(np.float64)
    values = np.vstack([np.repeat(np.array(special)[:, None], len(labels), 1), draws])
    times = 1_073_741_824_000 + 77 * np.arange(len(values))
    text = encode_metadata("m", "x", "") + encode_batch(SeriesBatch(fleet, 0, times, values)) + EOF
    expected = [
        (fleet.label_set(s), int(t), bits(float(values[k, s]))) for s in range(len(fleet)) for k, t in enumerate(times)
    ]
    assert read_openmetrics(text)[1] == expected
    assert sorted(dump_with_promtool(text, tmp_path)) == sorted(expected)
