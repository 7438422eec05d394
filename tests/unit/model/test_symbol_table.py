from __future__ import annotations

import pytest

from promfill.model.batch import RaggedBytes
from promfill.model.symbol_table import symbol_table

LONG = b"p" * 500
TABLES = [
    [],
    [b""],
    [b"b", b"a", b"b", b""],
    [b"a", b"a\0", b"a\0\0", b"a\0b", b"a\0", b"", b"\0"],
    [b"\xff", b"\x80a", b"\x7f", "é".encode()],
    [*(b"%d" % i for i in range(100)), LONG + b"2", LONG, LONG + b"1", LONG + b"2", b"p", b"p" * 30],
    [*(b"%d" % i for i in range(100)), b"x" + bytes(400), b"x", b"x" + bytes(400) + b"y", b"x" + bytes(20), b"x\1"],
]


@pytest.mark.parametrize("strings", TABLES)
def test_symbols_are_the_distinct_strings_in_byte_order(strings: list[bytes]) -> None:
    symbols, ranks = symbol_table(RaggedBytes.from_list(strings))
    assert list(symbols) == sorted(set(strings))
    assert [symbols[rank] for rank in ranks.tolist()] == strings


def test_many_strings_span_several_blocks() -> None:
    strings = [b"%x" % (i * 7919 % 100_003) for i in range(70_000)] + [LONG + b"b", LONG + b"a"]
    symbols, ranks = symbol_table(RaggedBytes.from_list(strings))
    assert list(symbols) == sorted(set(strings))
    assert [symbols[rank] for rank in ranks[::997].tolist()] == strings[::997]
