"""Numbers and times of OpenMetrics text, at the edges of what promtool takes."""

from __future__ import annotations

import math
import struct

import pytest

from promfill.codecs.openmetrics.numbers import (
    LAST_MS,
    NORMAL_NAN,
    GrammarError,
    check_exemplar_time,
    parse_number,
    parse_time,
    show,
)


def bits(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        *[(text, math.inf) for text in ("+Inf", "Inf", "inf", "+INFINITY", "Infinity", "iNf")],
        *[(text, -math.inf) for text in ("-Inf", "-inf", "-Infinity")],
        ("0", 0.0),
        ("-0", -0.0),
        ("1", 1.0),
        ("+1", 1.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("1e-3", 0.001),
        ("1.7976931348623157e308", 1.7976931348623157e308),
        ("5e-324", 5e-324),
        ("1e-400", 0.0),
    ],
)
def test_numbers(text: str, value: float) -> None:
    assert bits(parse_number(text.encode())) == bits(value)


@pytest.mark.parametrize("text", ["NaN", "nan", "NAN"])
def test_a_nan_is_no_staleness_marker(text: str) -> None:
    assert bits(parse_number(text.encode())) == bits(NORMAL_NAN) == 0x7FF8000000000001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "+",
        ".",
        "e5",
        "1e",
        "1e+",
        "0x10",
        "1_000",
        "1 ",
        " 1",
        "+nan",
        "-NaN",
        "infin",
        "--inf",
        "1.2.3",
        "\u0661",
    ],
)
def test_what_is_not_a_number(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_number(text.encode())


@pytest.mark.parametrize("text", ["1e309", "-1e309", "1.8e308", "9" * 400])
def test_what_is_beyond_float64(text: str) -> None:
    with pytest.raises(GrammarError, match="beyond float64"):
        parse_number(text.encode())


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("1", 1000),
        ("1.5", 1500),
        ("0.0009", 0),
        ("0.001", 1),
        ("1.9999", 1999),
        ("1700000000.123", 1700000000123),
        ("1.7e9", 1_700_000_000_000),
        ("-0.0001", 0),
        ("253402300799", LAST_MS - 999),
        ("253402300799.999", LAST_MS),
    ],
)
def test_times_are_cut_towards_zero(text: str, ms: int) -> None:
    assert parse_time(text.encode()) == ms


@pytest.mark.parametrize("text", ["-1", "-0.001", "253402300800", "1700000000000", "NaN", "+Inf", "-Inf", "1e400", "x"])
def test_times_that_no_store_holds(text: str) -> None:
    with pytest.raises(GrammarError):
        parse_time(text.encode())


def test_an_exemplar_may_have_any_time() -> None:
    for text in ("-5", "1e15", "0.5"):
        check_exemplar_time(text.encode())
    with pytest.raises(GrammarError):
        check_exemplar_time(b"yesterday")


def test_a_long_token_is_shown_in_part() -> None:
    assert show(b"x" * 40) == repr("x" * 40)
    assert show(b"x" * 41) == repr("x" * 40 + "\u2026")
    assert show(b"\xff") == repr("\\xff")
