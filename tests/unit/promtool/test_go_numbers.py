from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.promtool.go_numbers import format_floats, format_integers, quote
from tests.support.go_reference import go_g


def check(values: NDArray[np.float64]) -> None:
    assert format_floats(values) == [go_g(value).encode() for value in values.tolist()]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "-0"),
        (1.0, "1"),
        (999999.0, "999999"),
        (1e6, "1e+06"),
        (1234567.0, "1.234567e+06"),
        (123456789.125, "1.23456789125e+08"),
        (0.0001, "0.0001"),
        (0.00001, "1e-05"),
        (-0.000012345, "-1.2345e-05"),
        (1e21, "1e+21"),
        (5e-324, "5e-324"),
        (-1.7976931348623157e308, "-1.7976931348623157e+308"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_forms(value: float, text: str) -> None:
    assert format_floats(np.array([value])) == [text.encode()]
    assert go_g(value) == text


def test_random_bits_powers_of_ten_and_their_neighbours() -> None:
    rng = np.random.default_rng(1)
    check(rng.integers(0, 1 << 64, 20_000, dtype=np.uint64).view(np.float64))
    powers = np.array([float(f"1e{power}") for power in range(-323, 309)])
    for values in (powers, -powers, np.nextafter(powers, 0), np.nextafter(powers, np.inf)):
        check(values)


def test_usual_values_counters_and_decimals() -> None:
    rng = np.random.default_rng(2)
    check(rng.normal(20, 3, 5000))
    check(np.cumsum(rng.random(5000)) * 1000 + 999_000)
    check(rng.integers(-(10**17), 10**17, 5000).astype(np.float64))
    check(np.round(10 ** rng.uniform(-7, 9, 5000), 3) * rng.choice([-1, 1], 5000))
    check(np.arange(999_900, 1_000_100, dtype=np.float64))


def test_nothing_and_parts_of_arrays() -> None:
    assert format_floats(np.zeros(0)) == format_integers(np.zeros(0, np.int64)) == []
    check(np.arange(10_000, dtype=np.float64)[::7] * 1e5)


def test_integers_with_what_follows() -> None:
    numbers = np.array([0, -5, (1 << 63) - 1, -(1 << 63)], np.int64)
    assert format_integers(numbers, b"\n") == [f"{number}\n".encode() for number in numbers.tolist()]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("plain text", '"plain text"'),
        ('"\\', '"\\"\\\\"'),
        ("\a\b\f\n\r\t\v", '"\\a\\b\\f\\n\\r\\t\\v"'),
        ("\x00\x1b\x7f", '"\\x00\\x1b\\x7f"'),
        ("é日😀", '"é日😀"'),
        ("\u200b\u00a0\U000e0001", '"\\u200b\\u00a0\\U000e0001"'),
    ],
)
def test_quote(text: str, quoted: str) -> None:
    assert quote(text) == quoted
