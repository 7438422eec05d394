"""Entries of series, at the edges of their sections; whole indices are read in test_index_reader.py."""

from __future__ import annotations

import struct

import crc32c
import numpy as np
import pytest

from promfill.codecs.block.series_reader import be32_at, read_series
from promfill.errors import FormatError
from tests.support.varint import uvarint, varint


@pytest.mark.parametrize("at", [[0], [4], [0, 1, 4], [4, 0]])
def test_numbers_up_to_the_end_of_their_section(at: list[int]) -> None:
    buffer = np.arange(1, 13, dtype=np.uint8)
    wanted = [int.from_bytes(bytes(range(place + 1, place + 5))) for place in at]
    assert be32_at(buffer, np.array(at), 8, "here").tolist() == wanted
    large = np.full(4, 255, np.uint8)
    assert be32_at(large, np.array([0]), 4, "here").tolist() == [0xFFFF_FFFF]


@pytest.mark.parametrize(("at", "first"), [([5], 5), ([0, 5, 6], 5), ([-1], -1), ([4, -3], -3), ([100], 100)])
def test_numbers_beyond_it(at: list[int], first: int) -> None:
    with pytest.raises(FormatError, match=f"here at byte {first}: the number lies outside its section"):
        be32_at(np.arange(12, dtype=np.uint8), np.array(at), 8, "here")


def section(*bodies: bytes) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint8]], list[int]]:
    """Entries of these bodies from byte 16 on, whatever they hold, each with its checksum; and their ids."""
    data, ids = bytearray(16), []
    for body in bodies:
        data += bytes(-len(data) % 16)
        ids.append(len(data) // 16)
        data += uvarint(len(body)) + body + struct.pack(">I", crc32c.crc32c(body))
    return np.frombuffer(bytes(data), np.uint8), ids


LABEL = uvarint(1) + uvarint(1) + uvarint(2)
GOOD = LABEL + uvarint(1) + varint(-5) + uvarint(7) + uvarint(8)


def test_a_series_of_one_chunk() -> None:
    buffer, ids = section(GOOD, LABEL + uvarint(0), b"\0\0")
    entries = read_series(buffer, 16, buffer.size, np.array(ids), 3)
    assert entries.label_bounds.tolist() == [0, 1, 2, 2]
    assert (entries.names.tolist(), entries.values.tolist()) == ([1, 1], [2, 2])
    assert entries.chunk_bounds.tolist() == [0, 1, 1, 1]
    assert (entries.min_times.tolist(), entries.max_times.tolist(), entries.refs.tolist()) == ([-5], [2], [8])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "too short for its counts"),
        (b"\0", "too short for its counts"),
        (b"\1", "too short for its counts"),
        (GOOD[:-1], "chunks promised"),
        (GOOD + b"\0", "continues after its last chunk"),
        (GOOD[:-1] + b"\x88", "last number does not end"),
        (uvarint(2) + GOOD[1:], "promised"),
        (LABEL[:2] + uvarint(3) + GOOD[3:], "a label refers to a symbol that does not exist"),
        (uvarint(1) + uvarint(3) + GOOD[2:], "a label refers to a symbol that does not exist"),
        (LABEL + uvarint(1) + varint((1 << 63) - 1) + uvarint(1) + uvarint(8), "ends before it begins"),
        (GOOD[:-1] + b"\xff" * 9 + b"\2", "more than 64 bits"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_damage_behind_a_right_checksum(body: bytes, words: str, place: int) -> None:
    bodies = [GOOD, GOOD]
    bodies.insert(place, body)
    buffer, ids = section(*bodies)
    with pytest.raises(FormatError, match=f"at byte {16 * ids[place]}: .*{words}"):
        read_series(buffer, 16, buffer.size, np.array(ids), 3)


def test_the_last_entry_ends_with_its_section() -> None:
    buffer, ids = section(GOOD, GOOD)
    for stop, right in [(buffer.size, True), (buffer.size - 1, False), (buffer.size - 4, False)]:
        if right:
            assert len(read_series(buffer, 16, stop, np.array(ids), 3)) == 2
        else:
            with pytest.raises(FormatError, match=f"at byte {16 * ids[1]}: the entry.s length exceeds the section"):
                read_series(buffer, 16, stop, np.array(ids), 3)


@pytest.mark.parametrize(("start", "bad"), [(17, 1), (32, 1)])
def test_an_entry_outside_its_section(start: int, bad: int) -> None:
    buffer, ids = section(GOOD, GOOD)
    with pytest.raises(FormatError, match=f"at byte {16 * bad}: the entry lies outside the section"):
        read_series(buffer, start, buffer.size, np.array(ids), 3)
    outside = np.array([*ids, buffer.size // 16 + 1])
    with pytest.raises(FormatError, match="outside the section"):
        read_series(buffer, 16, buffer.size, outside, 3)


def test_entries_that_overlap() -> None:
    """One that lies inside of another, behind a length of its own."""
    inner = uvarint(len(GOOD)) + GOOD + struct.pack(">I", crc32c.crc32c(GOOD))
    buffer, (first, _) = section(bytes(15) + inner + bytes(9), GOOD)
    with pytest.raises(FormatError, match="entries overlap"):
        read_series(buffer, 16, buffer.size, np.array([first, first + 1]), 3)
