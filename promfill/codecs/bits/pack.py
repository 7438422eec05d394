"""Put 64-bit frames at any bit of a stream of words: each is added to the two words that it touches.

Word i holds bits 64 i … 64 i + 63 of the stream, the first as its highest bit. Frames may overlap as long as no bit
is set twice. Neighbours in an array of frames should belong to different streams: then no addition waits for another.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.model.scratch import Scratch
from promfill.model.types import U64Array


def put_frames(words: U64Array, positions: NDArray[Any], frames: U64Array, work: Scratch) -> None:
    """Add each frame to ``words`` from its position in bits on; positions: unsigned or int64, shaped as frames."""
    word = work.get("bitpack.word", frames.shape, np.int64)
    shift = work.get("bitpack.shift", frames.shape, np.uint64)
    part = work.get("bitpack.part", frames.shape, np.uint64)
    np.right_shift(positions, 6, out=word)
    np.bitwise_and(positions, 63, out=shift, casting="unsafe")
    np.right_shift(frames, shift, out=part)
    np.add.at(words, word.reshape(-1), part.reshape(-1))
    np.subtract(64, shift, out=shift)
    np.left_shift(frames, shift, out=part)  # a shift by 64 leaves zero, in numpy
    np.add.at(words[1:], word.reshape(-1), part.reshape(-1))
