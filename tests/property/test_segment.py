import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.codecs.block.segment import NO_CHUNK, SEGMENT_HEADER, SegmentCutter, pack_ref


@given(st.lists(st.lists(st.integers(0, 30), max_size=12), max_size=5), st.integers(9, 80))
def test_placing_equals_placing_one_by_one(batches: list[list[int]], limit: int) -> None:
    segment, offset = -1, limit
    files: dict[int, bytearray] = {}
    cutter = SegmentCutter(limit)
    for batch in batches:
        refs, pieces = cutter.place(np.array(batch, np.int64))
        expected = []
        for length in batch:
            if length and offset + length > limit:
                segment, offset = segment + 1, len(SEGMENT_HEADER)
            expected.append(pack_ref(segment, offset) if length else NO_CHUNK)
            offset += length
        assert refs.tolist() == expected
        records = b"".join(bytes([place + 1]) * length for place, length in enumerate(batch))
        for piece in pieces:
            assert piece.opens == (piece.segment not in files)
            file = files.setdefault(piece.segment, bytearray(SEGMENT_HEADER))
            file += records[piece.start : piece.stop]
        for place, (ref, length) in enumerate(zip(expected, batch, strict=True)):
            if length:
                assert files[ref >> 32][ref & 0xFFFFFFFF :][:length] == bytes([place + 1]) * length
