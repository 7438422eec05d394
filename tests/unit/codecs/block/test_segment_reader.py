from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.codecs.block.segment import SEGMENT_HEADER
from promfill.codecs.block.segment_reader import check_segment_header, read_records
from promfill.errors import FormatError
from tests.support.blocks import record

SHORT, LONG, LONGER = bytes(11), bytes(200), bytes(20_000)


def segment(*records: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    sizes = [len(SEGMENT_HEADER), *map(len, records)]
    return np.frombuffer(SEGMENT_HEADER + b"".join(records), np.uint8), np.cumsum(sizes[:-1], dtype=np.int64)


def test_records_of_every_size_and_kind() -> None:
    buffer, at = segment(record(SHORT), record(LONG, 2), record(LONGER, 6), record(b""))
    records = read_records(buffer, at, "chunks/000001")
    assert (records.ends - records.starts).tolist() == [11, 200, 20_000, 0]
    assert records.encodings.tolist() == [1, 2, 6, 1]
    assert (records.starts - at).tolist() == [2, 3, 4, 2]


def damaged(data: bytes, place: int, value: int) -> bytes:
    return data[:place] + bytes([value]) + data[place + 1 :]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        (damaged(record(SHORT), 5, 1), "checksum does not match"),
        (damaged(record(SHORT), 1, 2), "checksum does not match"),
        (damaged(record(SHORT), 0, 12), "overlaps the next one"),
        (b"\xff" * 20, "a length that does not end"),
        (damaged(record(LONG), 1, 127), "exceeds the file"),
        (record(SHORT, 0), "an unknown encoding"),
        (record(SHORT, 7), "an unknown encoding"),
    ],
)
def test_damage(bad: bytes, words: str) -> None:
    buffer, at = segment(record(LONG), bad, record(SHORT))
    with pytest.raises(FormatError, match=f"chunks/000001 at byte {at[1]}: .*{words}"):
        read_records(buffer, at, "chunks/000001")


@pytest.mark.parametrize("at", [-1, 0, 7, 23, 1 << 40])
def test_a_reference_to_nothing(at: int) -> None:
    buffer, _ = segment(record(b""), record(b""))
    with pytest.raises(FormatError, match=r"outside the file|runs out|checksum|length"):
        read_records(buffer, np.array([at]), "chunks/000001")


@pytest.mark.parametrize("head", [b"", SEGMENT_HEADER[:7], b"\0" + SEGMENT_HEADER[1:]])
def test_no_segment(head: bytes) -> None:
    with pytest.raises(FormatError, match="chunks/000001 at byte 0: not a chunk segment"):
        check_segment_header(np.frombuffer(head, np.uint8), "chunks/000001")


def test_another_version() -> None:
    with pytest.raises(FormatError, match="at byte 4: version 2; 1 can be read"):
        check_segment_header(np.frombuffer(damaged(SEGMENT_HEADER, 4, 2), np.uint8), "chunks/000001")
