from __future__ import annotations

import struct

import pytest

from promfill.errors import FormatError
from promfill.model.batch import STALE_NAN_BITS
from promfill.stores.victoriametrics import parse_line
from tests.support.comparison_reference import as_bits


def line(values: str, times: str = "1000,2000,3000") -> bytes:
    return b'{"metric":{"__name__":"m","host":"a],\\"b"},"values":[%b],"timestamps":[%b]}' % (
        values.encode(),
        times.encode(),
    )


@pytest.mark.parametrize(
    ("values", "bits"),
    [
        ("1,2.5,-3e-7", [as_bits(1.0), as_bits(2.5), as_bits(-3e-7)]),
        ("19.567729011266,0,1e300", [as_bits(19.567729011266), 0, as_bits(1e300)]),
        ("+Inf,-Inf,1", [as_bits(float("inf")), as_bits(float("-inf")), as_bits(1.0)]),
        ('"Infinity",null,1', [as_bits(float("inf")), STALE_NAN_BITS, as_bits(1.0)]),
    ],
)
def test_a_line_is_a_series(values: str, bits: list[int]) -> None:
    labels, times, held = parse_line(line(values))
    assert labels == (("__name__", "m"), ("host", 'a],"b'))
    assert times.tolist() == [1000, 2000, 3000]
    assert held.tolist() == bits


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"[1]",
        b"<html>",
        b'{"metric":{}}',
        line("1,2"),
        line("+Inf,2"),
        line("1,x,2"),
        line("1,2,3", "1,2,+Inf"),
        b'{"metric":7,"values":[1],"timestamps":[1]}',
    ],
)
def test_what_is_no_series_is_damage(text: bytes) -> None:
    with pytest.raises(FormatError):
        parse_line(text)


def test_many_values_come_at_once() -> None:
    values = struct.unpack("<1000d", struct.pack("<1000d", *(k / 7 for k in range(1000))))
    _, _, held = parse_line(line(",".join(map(repr, values)), ",".join(map(str, range(1000)))))
    assert held.tolist() == [as_bits(value) for value in values]
