from __future__ import annotations

import numpy as np
import pytest

from promfill.codecs.bits.pack import put_frames
from promfill.model.scratch import Scratch


@pytest.mark.parametrize("kind", [np.uint16, np.uint32, np.int64])
def test_a_frame_at_every_bit(kind: type[np.integer]) -> None:
    frame = 0xA5F0_0000_1234_8001
    for position in range(128):
        words = np.zeros(4, np.uint64)
        put_frames(words, np.array([position], kind), np.array([frame], np.uint64), Scratch())
        stream = int.from_bytes(words.astype(">u8").tobytes(), "big")
        assert stream == frame << (256 - 64 - position)


def test_zeros_of_a_frame_may_lie_over_other_frames() -> None:
    words = np.zeros(3, np.uint64)
    positions = np.array([[0, 64], [10, 74]], np.uint32)
    frames = np.array([[0x3FF << 54] * 2, [0x15 << 59] * 2], np.uint64)
    put_frames(words, positions, frames, Scratch())
    word = 0x3FF << 54 | 0x15 << 49
    assert words.tolist() == [word, word, 0]
