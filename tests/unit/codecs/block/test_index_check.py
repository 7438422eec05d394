"""What an index must keep beyond its checksums, each rule broken alone, and at its edge."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from typing import Any

import crc32c
import numpy as np
import pytest

from promfill.codecs.block.index_check import check_index, check_series
from promfill.codecs.block.index_reader import IndexReader
from promfill.codecs.block.series_reader import SeriesEntries
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from tests.support.index_reference import Chunk, reference_index

A: LabelSet = (("__name__", "a"), ("job", "x"))
B: LabelSet = (("__name__", "a"), ("job", "x"), ("zone", "z"))
C: LabelSet = (("__name__", "b"), ("job", "x"))
Series = list[tuple[LabelSet, list[Chunk]]]


def reader(data: bytes | bytearray) -> IndexReader:
    return IndexReader(np.frombuffer(bytes(data), np.uint8))


def index_of(series: Series) -> IndexReader:
    return reader(reference_index(series))


def chunks(*times: tuple[int, int], ref: int = 8) -> list[Chunk]:
    """Of these first and last times, their references rising."""
    return [(low, high, ref + 30 * place) for place, (low, high) in enumerate(times)]


GOOD = [(A, chunks((0, 9), (10, 19))), (B, chunks((0, 9), ref=100)), (C, chunks((5, 5), (6, 6), ref=200))]


@pytest.mark.parametrize(
    ("times", "right"),
    [
        ([(0, 10), (11, 20)], True),
        ([(0, 10), (10, 20)], False),  # a millisecond that both hold
        ([(0, 10), (10, 10)], False),
        ([(7, 7), (7, 7)], False),
        ([(7, 7), (8, 8)], True),
        ([(-1, -1), (0, 0)], True),
        ([(-5, 0), (0, 3)], False),
        ([(0, 1), (2, 3), (3, 4)], False),
        ([(0, 1), (2, 3), (4, 4)], True),
    ],
)
@pytest.mark.parametrize("before", [[], [(A, chunks((0, 50), ref=8))]])
def test_chunks_of_a_series_share_no_millisecond(before: Series, times: list[tuple[int, int]], right: bool) -> None:
    """Mimir: pkg/storage/tsdb/block/index.go, GatherBlockHealthStats. Other series may hold the same times."""
    entries = index_of([*before, (B, chunks(*times, ref=100))]).series
    if right:
        check_series(entries, empty=0)
        return
    first_bad = int(entries.ids[-1]) * 16
    with pytest.raises(FormatError, match=f"index series at byte {first_bad}: chunks overlap or are not in order"):
        check_series(entries, empty=0)


@pytest.mark.parametrize(
    ("refs", "right"), [([8, 9], True), ([8, 8], False), ([9, 8], False), ([1 << 32, 1 << 33], True)]
)
@pytest.mark.parametrize("apart", [False, True])
def test_references_rise_through_all_series(refs: list[int], right: bool, apart: bool) -> None:
    first, second = (0, 1, refs[0]), (2, 3, refs[1])
    entries = index_of([(A, [first]), (B, [second])] if apart else [(A, [first, second])]).series
    if right:
        check_series(entries, empty=0)
    else:
        with pytest.raises(FormatError, match="chunk references do not rise"):
            check_series(entries, empty=0)


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("names", lambda names: names[::-1], "labels are not in order"),
        ("names", lambda names: names[:1].repeat(names.size), "labels are not in order"),
        ("names", lambda names: np.where(np.arange(names.size) == 2, 0, names), "an empty label"),
        ("values", lambda values: np.where(np.arange(values.size) == 4, 0, values), "an empty label"),
        ("label_bounds", lambda bounds: np.array([0, 5, 5, 7]), "without labels"),
        ("label_bounds", lambda bounds: np.array([0, 3, 5, 7]), "labels are not in order"),
        ("chunk_bounds", lambda bounds: np.array([0, 3, 3, 5]), "without chunks"),
        ("chunk_bounds", lambda bounds: np.array([0, 1, 3, 5]), "chunks overlap"),
        ("min_times", lambda times: times * 0, "chunks overlap"),
        ("max_times", lambda times: times + 1, "chunks overlap"),
        ("refs", lambda refs: refs * 0, "references do not rise"),
    ],
)
def test_series_that_break_a_rule(field: str, value: Callable[[Any], Any], words: str) -> None:
    good = index_of(GOOD).series
    check_series(good, empty=0)
    bad = dataclasses.replace(good, **{field: value(getattr(good, field))})
    with pytest.raises(FormatError, match=words):
        check_series(bad, empty=0)


def test_where_the_table_of_symbols_holds_no_empty_string_zero_is_a_label() -> None:
    good = index_of(GOOD).series
    shifted = dataclasses.replace(good, names=good.names - np.uint32(1), values=good.values - np.uint32(1))
    check_series(shifted, empty=-1)
    with pytest.raises(FormatError, match="an empty label"):
        check_series(shifted, empty=0)


@pytest.mark.parametrize(
    ("first", "second", "right"),
    [
        (A, B, True),
        (B, A, False),
        (A, A, False),
        (B, C, True),
        (C, B, False),
        ((("__name__", "b"),), B, False),
        ((("__name__", "a"), ("job", "x"), ("z", "y")), (("__name__", "a"), ("job", "y"), ("z", "a")), True),
        ((("__name__", "a"), ("job", "y"), ("z", "a")), (("__name__", "a"), ("job", "x"), ("z", "y")), False),
        ((("a", "9"),), (("b", "0"),), True),
        ((("b", "0"),), (("a", "9"),), False),
    ],
)
def test_series_rise(first: LabelSet, second: LabelSet, right: bool) -> None:
    entries = index_of([(first, [(0, 1, 8)]), (second, [(0, 1, 40)])]).series
    if right:
        check_series(entries, empty=0)
        return
    with pytest.raises(FormatError, match=f"at byte {int(entries.ids[1]) * 16}: series are not in order"):
        check_series(entries, empty=0)


def sections(data: bytes) -> tuple[int, ...]:
    """Where symbols, series, label indices, their table, postings and their table begin: from the end of the file."""
    return struct.unpack(">6Q", data[-52:-4])


def summed_again(data: bytearray, start: int) -> bytes:
    """The file with the checksum of the section that begins there made right."""
    (length,) = struct.unpack_from(">I", data, start)
    body = bytes(data[start + 4 : start + 4 + length])
    struct.pack_into(">I", data, start + 4 + length, crc32c.crc32c(body))
    return bytes(data)


def test_a_good_index_and_one_of_nothing() -> None:
    check_index(index_of(GOOD))
    check_index(index_of([]))


@pytest.mark.parametrize(("old", "new"), [(b"\x01x\x01z", b"\x01z\x01x"), (b"\x01x\x01z", b"\x01z\x01z")])
def test_symbols_rise(old: bytes, new: bytes) -> None:
    data = reference_index(GOOD)
    start = sections(data)[0]
    at = data.index(old, start)
    bad = bytearray(data[:at] + new + data[at + len(new) :])
    with pytest.raises(FormatError, match="index symbols: strings are not in order"):
        check_index(reader(summed_again(bad, start)))


def lists(data: bytes) -> list[int]:
    """Where each list of postings begins."""
    at, stop, found = sections(data)[4], sections(data)[5], []
    at += -at % 4
    while at < stop:
        found.append(at)
        at += 8 + struct.unpack_from(">I", data, at)[0]
    return found


def test_no_label_is_empty() -> None:
    """The symbols of most indices begin with the empty string, which no label's name or value is."""
    for labels in ((("__name__", "a"), ("job", "")), (("", "a"),)):
        with pytest.raises(FormatError, match="an empty label name or value"):
            check_index(index_of([(labels, chunks((0, 9)))]))


def test_an_index_without_the_empty_string() -> None:
    """Then the first symbol is that of a label: Prometheus lists what is used, and its block writer adds nothing."""
    data = bytearray(reference_index(GOOD))
    start = sections(bytes(data))[0]
    assert data[start + 8] == 0
    length, count = struct.unpack_from(">2I", data, start)
    assert length % 4
    body = struct.pack(">I", count - 1) + bytes(data[start + 9 : start + 4 + length])
    at = sections(bytes(data))[1]
    at += -at % 16
    for labels, _ in GOOD:
        size, entry = data[at], bytearray(data[at + 1 : at + 1 + data[at]])
        for place in range(1, 1 + 2 * len(labels)):
            entry[place] -= 1
        data[at + 1 : at + 5 + size] = bytes(entry) + struct.pack(">I", crc32c.crc32c(bytes(entry)))
        at += -(-(size + 5) // 16) * 16
    put = struct.pack(">I", len(body)) + body + struct.pack(">I", crc32c.crc32c(body)) + b"\0"
    data[start : start + len(put)] = put
    check_index(reader(data))


@pytest.mark.parametrize("number", range(5))
def test_each_list_names_its_series(number: int) -> None:
    """The first list, of all series, is that of no label pair."""
    data = bytearray(reference_index(GOOD))
    place = lists(bytes(data))[number]
    (first,) = struct.unpack_from(">I", data, place + 8)
    struct.pack_into(">I", data, place + 8, first + 1)
    with pytest.raises(FormatError):
        check_index(reader(summed_again(data, place)))


def test_a_list_of_fewer_series() -> None:
    """`job=x` as long as `zone=z`: its entry in the table leads to the other's list."""
    data = bytearray(reference_index(GOOD))
    table = sections(bytes(data))[5]
    offsets = [place for place in range(table, len(data)) if data[place : place + 5] == b"\x03job\x01"]
    assert len(offsets) == 1
    entry = data.index(b"\x01x", offsets[0]) + 2
    other = data.index(b"\x01z", entry) + 2
    data[entry : entry + 2] = data[other : other + 2]
    with pytest.raises(FormatError, match="index postings"):
        check_index(reader(summed_again(data, table)))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\x04zone\x01z", b"\x04zonf\x01z"),
        (b"\x04zone\x01z", b"\x04zone\x01y"),
        (b"\x03job\x01x", b"\x03joc\x01x"),
        (b"\x03job\x01x", b"\x01j\x03xxx"),
    ],
)
def test_the_table_names_the_pairs_of_the_series(old: bytes, new: bytes) -> None:
    data = reference_index(GOOD)
    table = sections(data)[5]
    at = data.index(old, table)
    bad = bytearray(data[:at] + new + data[at + len(new) :])
    with pytest.raises(FormatError, match="postings offset table"):
        check_index(reader(summed_again(bad, table)))


def test_the_table_lists_nothing_else() -> None:
    """Three series beside the postings of four, whose last one has a label pair of its own."""
    index = index_of([*GOOD, ((("zzz", "x"),), chunks((0, 1), ref=400))])
    entries = index.series
    pairs, metas = int(entries.label_bounds[3]), int(entries.chunk_bounds[3])
    index.__dict__["series"] = SeriesEntries(
        entries.ids[:3],
        entries.label_bounds[:4],
        entries.names[:pairs],
        entries.values[:pairs],
        entries.chunk_bounds[:4],
        entries.min_times[:metas],
        entries.max_times[:metas],
        entries.refs[:metas],
    )
    with pytest.raises(FormatError, match="label pairs that no series has"):
        check_index(index)
