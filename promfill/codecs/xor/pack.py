"""From laid-out frames and tokens to bits in the words of the output: one stretch, the rows of a chunk x some columns.

Positions are bits from the first word of the stretch, so that 32 bits hold them. `start` is where the stream begins,
minus the one bit by which the first delta-of-delta overlaps the head.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bits.pack import put_frames
from promfill.codecs.xor.times import TimeTokens
from promfill.codecs.xor.values import NO_CONTROL, ORIGIN, ValueFrames
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U32Array, U64Array

_NEW_WINDOW = 0b11 << 11
_SAME_WINDOW = 0b10
_FAR_PREFIX = 0b1111


@dataclass(frozen=True, slots=True, eq=False)
class Streams:
    """The input: the values uint64 (T, S) and where their frames start; tokens: None if the times need none."""

    bits: U64Array
    frames: ValueFrames
    tokens: TimeTokens | None


@dataclass(frozen=True, slots=True, eq=False)
class ChunkStretch:
    """Views of one chunk's arrays, (k, n): k samples of one chunk, its first among them, of n adjacent columns."""

    bits: U64Array
    offsets: NDArray[Any]
    trailing: U8Array
    control: U8Array
    apart: BoolArray
    tokens: U32Array | None
    token_lengths: U8Array | None


def cut_stretch(streams: Streams, chunk_rows: int, chunk: int, samples: int, columns: slice) -> ChunkStretch:
    """The first ``samples`` samples of a chunk of these columns."""
    frames, tokens = streams.frames, streams.tokens
    rows = slice(chunk * chunk_rows, chunk * chunk_rows + samples)
    return ChunkStretch(
        streams.bits[rows, columns],
        frames.offsets[:samples, chunk, columns],
        frames.windows[:samples, 1, chunk, columns],
        frames.control[:samples, chunk, columns],
        frames.apart[:samples, chunk, columns],
        None if tokens is None else tokens.tokens[rows, columns],
        None if tokens is None else tokens.lengths[rows, columns],
    )


def pack_stretch(words: U64Array, start: I64Array, stretch: ChunkStretch, work: Scratch) -> None:
    """Add a stretch of two samples or more to the words; start: int64 (n,), in bits."""
    positions = work.get("xor.positions", stretch.bits.shape, np.uint32)
    np.add(stretch.offsets, (start - ORIGIN).astype(np.uint32), out=positions)
    control = work.get("xor.stretch control", positions[1:].shape, np.uint8)
    np.copyto(control, stretch.control[1:])
    _put_values(words, positions[1:], stretch, control, work)
    _put_apart(words, positions[1:], stretch, control, work)
    if stretch.tokens is not None and stretch.token_lengths is not None:
        _put_times(words, positions[:-1], stretch.trailing[:-1], stretch.tokens[1:], stretch.token_lengths[1:], work)


def pack_far_times(words: U64Array, starts: I64Array, chunk_rows: int, streams: Streams, work: Scratch) -> None:
    """Add the tokens of 64-bit delta-of-deltas, of all stretches; starts: int64 (C, S), bits from the first word."""
    frames, tokens = streams.frames, streams.tokens
    if tokens is None or not tokens.far_places.size:
        return
    row, column = np.divmod(tokens.far_places, streams.bits.shape[1])
    chunk, row = np.divmod(row, chunk_rows)
    before = frames.offsets[row - 1, chunk, column].astype(np.int64) - frames.windows[row - 1, 1, chunk, column]
    body = starts[chunk, column] + before + _FAR_PREFIX.bit_length()
    put_frames(words, body - 64, np.full(body.size, _FAR_PREFIX, np.uint64), work)
    put_frames(words, body, tokens.far_values.view(np.uint64), work)


def _put_values(words: U64Array, positions: U32Array, stretch: ChunkStretch, control: U8Array, work: Scratch) -> None:
    frame = work.get("xor.xor", positions.shape, np.uint64)
    bit = work.get("bitpack.part", positions.shape, np.uint64)
    np.bitwise_xor(stretch.bits[1:], stretch.bits[:-1], out=frame)
    np.copyto(bit, control)
    np.left_shift(np.uint64(1), bit, out=bit)  # zero, for a shift of 64 or more
    np.bitwise_or(frame, bit, out=frame)
    put_frames(words, positions, frame, work)


def _put_apart(words: U64Array, positions: U32Array, stretch: ChunkStretch, control: U8Array, work: Scratch) -> None:
    """Add control bits that do not fit a frame: right-aligned before the window, in frames of their own."""
    apart = work.get("xor.flag", positions.shape, np.bool_)
    trailing = work.get("xor.small", positions.shape, np.uint8)
    np.copyto(apart, stretch.apart[1:])
    places = np.flatnonzero(apart)
    if not places.size:
        return
    np.copyto(trailing, stretch.trailing[1:])
    control_here = control.reshape(-1)[places]
    leading = 65 - control_here % NO_CONTROL
    length = (np.uint8(64) - leading - trailing.reshape(-1)[places]) & np.uint8(63)
    header = _NEW_WINDOW | leading.astype(np.uint64) << np.uint64(6) | length
    header[control_here < NO_CONTROL] = _SAME_WINDOW
    put_frames(words, positions.reshape(-1)[places] + leading - np.uint32(64), header, work)


def _put_times(
    words: U64Array,
    positions_before: U32Array,
    trailing_before: U8Array,
    tokens: U32Array,
    lengths: U8Array,
    work: Scratch,
) -> None:
    """Tokens right-aligned in frames that end where the tokens end: their length after the window before."""
    small = work.get("xor.small", tokens.shape, np.uint8)
    later = work.get("xor.later", tokens.shape, np.int32)
    frame = work.get("xor.xor", tokens.shape, np.uint64)
    np.subtract(lengths, trailing_before, out=small)  # -64 … 68
    np.copyto(later, small.view(np.int8))
    positions = later.view(np.uint32)
    np.add(positions_before, positions, out=positions)
    np.copyto(frame, tokens)
    put_frames(words, positions, frame, work)
