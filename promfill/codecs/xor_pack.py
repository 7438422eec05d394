"""From laid-out frames and tokens to bits in the words of the output: one tile, the rows of a chunk x some columns.

Positions are bits from the first word of the tile, so that 32 bits hold them. `start` is where the stream begins, less
the one bit by which the first delta-of-delta overlaps the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bitpack import put_frames
from promfill.codecs.work import Work
from promfill.codecs.xor_times import TimeTokens
from promfill.codecs.xor_values import ORIGIN, ValueFrames

_NEW_WINDOW = 0b11 << 11
_SAME_WINDOW = 0b10
_FAR_PREFIX = 0b1111

U8Array = NDArray[np.uint8]
U32Array = NDArray[np.uint32]
U64Array = NDArray[np.uint64]
I64Array = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """What is packed: the values uint64 (T, S) and where their frames start; tokens: None if the times need none."""

    bits: U64Array
    frames: ValueFrames
    tokens: TimeTokens | None


def pack_tile(words: U64Array, start: I64Array, streams: Streams, rows: slice, columns: slice, work: Work) -> None:
    """Add one chunk's ``rows``, from its first sample on, to the words; start: int64 (columns,), in bits."""
    frames = streams.frames
    shape = (rows.stop - rows.start, columns.stop - columns.start)
    positions = work.get("xor.positions", shape, np.uint32)
    np.add(frames.offsets[rows, columns], (start - ORIGIN).astype(np.uint32), out=positions)
    later = slice(rows.start + 1, rows.stop)
    control = work.get("xor.tile control", (shape[0] - 1, shape[1]), np.uint8)
    np.copyto(control, frames.control[later, columns])
    _put_values(words, positions[1:], streams.bits[rows, columns], control, work)
    _put_apart(words, positions[1:], frames, control, later, columns, work)
    if streams.tokens is not None:
        before = frames.windows[rows.start : rows.stop - 1, 1, columns]
        _put_times(words, positions[:-1], before, streams.tokens, later, columns, work)


def pack_far_times(
    words: U64Array, starts: I64Array, chunk_rows: int, frames: ValueFrames, tokens: TimeTokens, work: Work
) -> None:
    """Add the tokens of 64-bit delta-of-deltas, of all tiles; starts: int64 (chunks, S), bits from the first word."""
    row, column = np.divmod(tokens.far_places, frames.offsets.shape[1])
    before = frames.offsets[row - 1, column].astype(np.int64) - frames.windows[row - 1, 1, column]
    body = starts[row // chunk_rows, column] + before + _FAR_PREFIX.bit_length()
    put_frames(words, body - 64, np.full(body.size, _FAR_PREFIX, np.uint64), work)
    put_frames(words, body, tokens.far_values.view(np.uint64), work)


def _put_values(words: U64Array, positions: U32Array, bits: U64Array, control: U8Array, work: Work) -> None:
    frame = work.get("xor.xor", positions.shape, np.uint64)
    bit = work.get("bitpack.part", positions.shape, np.uint64)
    np.bitwise_xor(bits[1:], bits[:-1], out=frame)
    np.copyto(bit, control)
    np.left_shift(np.uint64(1), bit, out=bit)  # nothing, from a shift of 64 on
    np.bitwise_or(frame, bit, out=frame)
    put_frames(words, positions, frame, work)


def _put_apart(
    words: U64Array,
    positions: U32Array,
    frames: ValueFrames,
    control: U8Array,
    rows: slice,
    columns: slice,
    work: Work,
) -> None:
    """Control bits that do not fit a frame: right-aligned before the window, in frames of their own."""
    apart = work.get("xor.flag", positions.shape, np.bool_)
    trailing = work.get("xor.small", positions.shape, np.uint8)
    np.copyto(apart, frames.apart[rows, columns])
    places = np.flatnonzero(apart)
    if not places.size:
        return
    np.copyto(trailing, frames.windows[rows, 1, columns])
    control_here = control.reshape(-1)[places]
    leading = (np.uint8(65) - control_here) & np.uint8(0x7F)
    length = (np.uint8(64) - leading - trailing.reshape(-1)[places]) & np.uint8(63)
    header = _NEW_WINDOW | leading.astype(np.uint64) << np.uint64(6) | length
    header[control_here < 128] = _SAME_WINDOW
    put_frames(words, positions.reshape(-1)[places] + leading - np.uint32(64), header, work)


def _put_times(
    words: U64Array,
    positions_before: U32Array,
    trailing_before: U8Array,
    tokens: TimeTokens,
    rows: slice,
    columns: slice,
    work: Work,
) -> None:
    """Tokens right-aligned in frames that end where they end: their length after the window of the sample before."""
    shape = positions_before.shape
    small = work.get("xor.small", shape, np.uint8)
    later = work.get("xor.later", shape, np.int32)
    frame = work.get("xor.xor", shape, np.uint64)
    np.subtract(tokens.lengths[rows, columns], trailing_before, out=small)  # -64 … 68
    np.copyto(later, small.view(np.int8))
    positions = later.view(np.uint32)
    np.add(positions_before, positions, out=positions)
    np.copyto(frame, tokens.tokens[rows, columns])
    put_frames(words, positions, frame, work)
