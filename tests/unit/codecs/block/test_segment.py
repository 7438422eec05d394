import numpy as np

from promfill.codecs.block.segment import (
    NO_CHUNK,
    SEGMENT_HEADER,
    SEGMENT_MAX,
    SegmentCutter,
    SegmentPiece,
    pack_ref,
    segment_name,
    unpack_ref,
)
from tests.support.golden import FOLDER

(GOLDEN,) = (FOLDER / "block_floats").iterdir()


def lengths(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def test_the_header_is_that_of_the_golden_segment() -> None:
    assert (GOLDEN / "chunks" / segment_name(0)).read_bytes()[: len(SEGMENT_HEADER)] == SEGMENT_HEADER


def test_references_both_ways() -> None:
    for segment, offset, ref in [(0, 8, 8), (1, 0, 1 << 32), (7, 2**32 - 1, (8 << 32) - 1)]:
        assert pack_ref(segment, offset) == ref
        assert unpack_ref(ref) == (segment, offset)


def test_names_count_from_one() -> None:
    assert [segment_name(number) for number in (0, 9, 999_999)] == ["000001", "000010", "1000000"]


def test_records_in_one_segment() -> None:
    refs, pieces = SegmentCutter().place(lengths(100, 50, 7))
    assert refs.tolist() == [8, 108, 158]
    assert pieces == [SegmentPiece(0, 0, 157, opens=True)]


def test_a_segment_may_be_full_to_the_last_byte() -> None:
    cutter = SegmentCutter(limit=108)
    refs, pieces = cutter.place(lengths(60, 40, 1))
    assert refs.tolist() == [8, 68, pack_ref(1, 8)]
    assert pieces == [SegmentPiece(0, 0, 100, opens=True), SegmentPiece(1, 100, 101, opens=True)]


def test_the_next_records_go_on_where_the_last_ended() -> None:
    cutter = SegmentCutter(limit=108)
    cutter.place(lengths(60))
    refs, pieces = cutter.place(lengths(30, 30))
    assert refs.tolist() == [68, pack_ref(1, 8)]
    assert pieces == [SegmentPiece(0, 0, 30, opens=False), SegmentPiece(1, 30, 60, opens=True)]
    refs, pieces = cutter.place(lengths(71, 70))
    assert refs.tolist() == [pack_ref(2, 8), pack_ref(3, 8)]
    assert pieces == [SegmentPiece(2, 0, 71, opens=True), SegmentPiece(3, 71, 141, opens=True)]


def test_missing_records() -> None:
    cutter = SegmentCutter(limit=48)
    refs, pieces = cutter.place(np.array([[0, 0], [40, 0], [0, 5], [0, 0]]))
    assert refs.tolist() == [[NO_CHUNK, NO_CHUNK], [8, NO_CHUNK], [NO_CHUNK, pack_ref(1, 8)], [NO_CHUNK, NO_CHUNK]]
    assert [(piece.start, piece.stop) for piece in pieces] == [(0, 40), (40, 45)]


def test_no_records_take_no_segment() -> None:
    cutter = SegmentCutter()
    for nothing in (lengths(), lengths(0, 0)):
        refs, pieces = cutter.place(nothing)
        assert (refs.tolist(), pieces) == ([NO_CHUNK] * nothing.size, [])
    assert cutter.place(lengths(5))[1] == [SegmentPiece(0, 0, 5, opens=True)]


def test_a_record_above_the_limit_stands_alone() -> None:
    cutter = SegmentCutter(limit=20)
    refs, pieces = cutter.place(lengths(3, 500, 3))
    assert refs.tolist() == [8, pack_ref(1, 8), pack_ref(2, 8)]
    assert [piece.opens for piece in pieces] == [True, True, True]
    assert cutter.place(lengths(500))[0].tolist() == [pack_ref(3, 8)]


def test_the_limit_of_prometheus() -> None:
    room = SEGMENT_MAX - len(SEGMENT_HEADER)
    refs, _ = SegmentCutter().place(lengths(room, 1, room - 1, 1))
    assert refs.tolist() == [8, pack_ref(1, 8), pack_ref(1, 9), pack_ref(2, 8)]
