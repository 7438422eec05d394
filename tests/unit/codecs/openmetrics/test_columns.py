"""Columns of numbers: what is usual is read, correctly rounded, and only what is odd is left to the exact parser."""

from __future__ import annotations

import random

import numpy as np
import pytest

from promfill.codecs.openmetrics import columns
from promfill.codecs.openmetrics.columns import read_seconds, read_values
from promfill.model.types import BoolArray, F64Array, I64Array, U8Array

USUAL = ["0", "-0", "1", "-1", "5.25", "-0.1", "1e3", "1.5E-7", "123456789012345678", "0.30000000000000004", "1e-400"]
ODD = [
    "NaN",
    "+Inf",
    "-Inf",
    "+5",
    ".5",
    "5.",
    "01",
    "-",
    "-.5",
    "1_0",
    "0x1",
    "1e",
    "1e309",
    "-1e400",
    "true",
    "1,2",
    '"',
]


def tokens(texts: list[str], between: str = "#") -> tuple[U8Array, I64Array, I64Array]:
    """A buffer of the texts, no blank between them that would be taken for padding; their starts and ends."""
    data, starts = between, []
    for text in texts:
        starts.append(len(data))
        data += text + between
    ends = np.array([start + len(text) for start, text in zip(starts, texts, strict=True)], np.int64)
    return np.frombuffer(data.encode() + b"7" * 64, np.uint8).copy(), np.array(starts, np.int64), ends


def bits(values: F64Array) -> list[int]:
    return [int(number) for number in values.view(np.uint64)]


def expected(texts: list[str]) -> list[int]:
    return bits(np.array([float(text) for text in texts]))


@pytest.mark.parametrize("between", ["#", "7", ".", " ", "e"])
def test_usual_numbers_of_any_width_are_read_and_none_is_odd(between: str) -> None:
    rng = random.Random(between)
    for count in (1, 2, 20):
        texts = [rng.choice([*USUAL, repr(rng.gauss(0, 1e6)), str(rng.randint(-9, 10**6))]) for _ in range(count)]
        values, odd = read_values(*tokens(texts, between))
        assert not odd.any(), texts
        assert bits(values) == expected(texts)


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("place", [0, 3, 6])
def test_an_odd_one_is_marked_and_spoils_no_other(text: str, place: int) -> None:
    texts = ["5.25", "-1", "0.5", "1e3", "17", "-0"]
    texts.insert(place, text)
    values, odd = read_values(*tokens(texts))
    assert odd.tolist() == [at == place for at in range(7)]
    others = [at for at in range(7) if at != place]
    assert bits(values[others]) == expected([texts[at] for at in others])


def no_other_way(*_: object) -> tuple[F64Array, BoolArray]:
    raise AssertionError("the digits are not read as such")


@pytest.mark.parametrize(
    "texts",
    [
        ["0"],
        ["1700000000", "1700000060", "9999999999"],
        ["1700000000.123", "1700000000.999", "0000000000.001"],
        ["12.345", "99.999"],
        ["0.001", "9.999"],
        ["999999999999999", "100000000000000"],
        ["99999999999.999"],
    ],
)
def test_times_of_one_width_are_read_digit_by_digit(texts: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "read_values", no_other_way)
    seconds, odd = read_seconds(*tokens(texts))
    assert (bits(seconds), odd.tolist()) == (expected(texts), [False] * len(texts))


@pytest.mark.parametrize("seed", range(10))
def test_every_millisecond_is_rounded_as_float_rounds_it(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "read_values", no_other_way)
    rng = random.Random(seed)
    width = rng.randint(1, 11)
    texts = [f"{rng.randrange(10**width):0{width}d}.{rng.randrange(1000):03d}" for _ in range(300)]
    assert bits(read_seconds(*tokens(texts))[0]) == expected(texts)


@pytest.mark.parametrize(
    "texts",
    [
        ["1700000000", "170000006"],
        ["1700000000.5", "1700000000.6"],
        ["12.345", "123456"],
        ["123456", "12.345"],
        ["1e9", "2e9"],
        ["-1", "-2"],
        ["1234567890123456", "9999999999999999"],
        ["1.2345", "2.3456"],
        ["1:345", "2/345"],
    ],
)
def test_other_times_are_read_as_values(texts: list[str]) -> None:
    found, wanted = read_seconds(*tokens(texts)), read_values(*tokens(texts))
    assert found[1].tolist() == wanted[1].tolist()
    assert bits(found[0]) == bits(wanted[0])
    usual = [text for text, odd in zip(texts, found[1].tolist(), strict=True) if not odd]
    assert bits(found[0][~found[1]]) == expected(usual)
    assert bool(usual) is (":" not in texts[0])
