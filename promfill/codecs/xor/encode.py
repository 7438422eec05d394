"""Arrays to Prometheus XOR chunks, with the bytes around them in a segment file, all chunks of a batch at once.

    length <uvarint> | encoding <1 byte> | data | CRC32-C <4 bytes>        data = head | bit stream

(tsdb/docs/format/chunks.md; tsdb/chunkenc/xor.go). The stages, each in a module of its own:

1. `values`: the frame of each sample, and how far it starts after the one before it;
2. `times`: the tokens of the delta-of-deltas, where any is not zero; they push the frames apart;
3. sums down the rows of a chunk: where each frame starts in its stream, and where the stream ends;
4. `heads`: the heads and lengths, hence the place of every record;
5. `bits.pack`: all frames into the words of one buffer; then checksums.

**Ragged ends need no masks.** A column that ends early continues with its last value at a steady pace: from there on
all its tokens are zero bits, and zero bits add nothing wherever they fall. Only the place where its stream ends is
read at its own last row.

**Few series are placed side by side.** A numpy call costs half a microsecond, whatever it does; so if the rows are
short, every chunk becomes a column, and the last chunks are columns that end early.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bits.checksum import crc32c_many
from promfill.codecs.bits.pack import put_frames
from promfill.codecs.xor.heads import CHECKSUM_BYTES, Records, chunk_times, head_frames, lay_records
from promfill.codecs.xor.pack import Streams, cut_stretch, pack_far_times, pack_stretch
from promfill.codecs.xor.times import FAR_BITS, is_regular, time_tokens
from promfill.codecs.xor.values import ORIGIN, ValueFrames, accumulate, frame_values
from promfill.errors import InputError
from promfill.model.scratch import BLOCK, Scratch
from promfill.model.types import I64Array, U8Array, U64Array

MAX_SAMPLES = 0xFFFF
"""The most samples that the 2-byte count of a chunk can hold."""

NARROW = 30_720
"""If the chunks of one time hold fewer samples (120 of each of 256 series), all chunks are placed side by side."""

_VALUE_BITS = 78
_TILE_BYTES = 1 << 28
"""The most bytes of output in a stretch: positions in bits must fit 32."""
_PAD_WORDS = 8
"""Room after the last record for frames that are all zero there: besides, two bits for each row that is missing."""

_Number = TypeVar("_Number", np.int64, np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedChunks:
    """The chunks of S series, at most C each.

    records: uint8 (N,), the bytes of a segment file: all chunks of series 0, then of series 1 … A view of scratch,
    valid until the next call with the same scratch. lengths: int64 (S, C), bytes of each record; 0: no such chunk.
    """

    records: U8Array
    lengths: I64Array


@dataclass(frozen=True, slots=True, eq=False)
class _Lanes:
    """The input: L columns of R rows, cut into chunks of ``chunk_rows`` rows.

    bits: uint64 (R, L). counts: int64 (chunks, L), samples of each chunk. timestamps: int64 (R, G), None if regular.
    ends: int64 (L,), rows of each column, None if all end with the last row.
    """

    bits: U64Array
    counts: I64Array
    chunk_rows: int
    timestamps: I64Array | None
    ends: I64Array | None

    def of_lanes(self, series_major: I64Array) -> I64Array:
        """From (S, C), series-major, to (chunks, L)."""
        by_chunk: I64Array = series_major.reshape(self.counts.shape[::-1]).T
        return by_chunk


def encode_chunks(
    bits: U64Array,
    timestamps: I64Array,
    work: Scratch,
    *,
    counts: I64Array | None = None,
    samples_per_chunk: int = 120,
) -> EncodedChunks:
    """Encode S columns of T samples as XOR chunks of ``samples_per_chunk`` samples; the last chunk gets the rest.

    bits: uint64 (T, S), the float64 values by bits. timestamps: int64 (T, G), ms; column g serves the S // G adjacent
    columns from g * S // G on. counts: int64 (S,), column s holds only its first ``counts[s]`` rows.
    InputError: shapes that do not fit together, or a chunk size that does not fit two bytes.
    """
    _check(bits, timestamps, counts, samples_per_chunk)
    chunk_counts = _chunk_counts(bits.shape, counts, samples_per_chunk)
    if not chunk_counts.size:
        return EncodedChunks(np.zeros(0, np.uint8), chunk_counts)
    lanes = _lanes(bits, timestamps, counts, chunk_counts, samples_per_chunk, work)
    streams = _lay_streams(lanes, work)
    times = chunk_times(timestamps, chunk_counts, samples_per_chunk)
    stream_bits = _stream_ends(lanes, streams.frames).T.reshape(chunk_counts.shape)
    records, length = lay_records(times, chunk_counts, stream_bits)
    words = work.get("xor.words", (records.size // 8 + _PAD_WORDS + samples_per_chunk // 16,), np.uint64)
    _pack_streams(words, lanes, streams, records, work)
    first_values = bits[::samples_per_chunk].T.reshape(-1)
    put_frames(words, *head_frames(records, length, times, chunk_counts, first_values, work), work)
    return EncodedChunks(_seal(words, records, chunk_counts), records.ends - records.starts)


def _check(bits: U64Array, timestamps: I64Array, counts: I64Array | None, samples_per_chunk: int) -> None:
    if not 1 <= samples_per_chunk <= MAX_SAMPLES:
        raise InputError(f"samples per chunk must be 1 to {MAX_SAMPLES}, not {samples_per_chunk}")
    steps, series = bits.shape
    grids = timestamps.shape[1]
    if timestamps.shape[0] != steps or (series and (not grids or series % grids)):
        raise InputError(f"timestamps {timestamps.shape} do not fit values {bits.shape}")
    if counts is not None and (counts.shape != (series,) or ((counts < 0) | (counts > steps)).any()):
        raise InputError(f"counts must be {series} numbers from 0 to {steps}")


def _chunk_counts(shape: tuple[int, ...], counts: I64Array | None, samples_per_chunk: int) -> I64Array:
    """Samples of each chunk, (S, C)."""
    steps, series = shape
    starts = np.arange(0, steps, samples_per_chunk)
    rows = np.full(series, steps, np.int64) if counts is None else counts
    chunk_counts: I64Array = np.clip(rows[:, None] - starts, 0, samples_per_chunk)
    return chunk_counts


def _lanes(
    bits: U64Array,
    timestamps: I64Array,
    counts: I64Array | None,
    chunk_counts: I64Array,
    samples_per_chunk: int,
    work: Scratch,
) -> _Lanes:
    irregular = None if is_regular(timestamps, samples_per_chunk, work) else timestamps
    series, chunks = chunk_counts.shape
    if chunks == 1 or samples_per_chunk * series >= NARROW:
        held = bits if counts is None else _hold(bits, counts, len(bits), work)
        return _Lanes(held, chunk_counts.T, samples_per_chunk, irregular, counts)
    rows = chunks * samples_per_chunk
    held = _hold(bits, np.full(series, len(bits)) if counts is None else counts, rows, work)
    if irregular is not None:
        own = np.repeat(irregular, series // irregular.shape[1], axis=1)
        irregular = _side_by_side(own[np.minimum(np.arange(rows), len(own) - 1)], samples_per_chunk)
    ends = chunk_counts.reshape(-1)
    return _Lanes(_side_by_side(held, samples_per_chunk), ends[None], samples_per_chunk, irregular, ends)


def _hold(bits: U64Array, counts: I64Array, rows: int, work: Scratch) -> U64Array:
    """A copy with this many rows, in which each column continues with its last value after its end."""
    held: U64Array = work.get("xor.held", (rows, bits.shape[1]), np.uint64)
    held[: len(bits)] = bits
    first = int(counts.min())
    last = bits[counts - 1, np.arange(counts.size)]  # any value does for a column without samples
    np.copyto(held[first:], last, where=np.arange(first, rows)[:, None] >= counts)
    return held


def _side_by_side(plane: NDArray[_Number], chunk_rows: int) -> NDArray[_Number]:
    """From (C * K, S) to (K, S * C): every chunk a column, series-major."""
    return plane.reshape(-1, chunk_rows, plane.shape[1]).transpose(1, 2, 0).reshape(chunk_rows, -1)


def _lay_streams(lanes: _Lanes, work: Scratch) -> Streams:
    """Stages 1 to 3: the frames, the tokens of the times if any is not ``0``, and where all of them start."""
    steps, series = lanes.bits.shape
    regular = lanes.timestamps is None
    widest = ORIGIN + lanes.chunk_rows * (_VALUE_BITS if regular else _VALUE_BITS + FAR_BITS)
    frames = frame_values(lanes.bits, lanes.chunk_rows, widest, work)
    tokens = None
    if lanes.timestamps is not None:
        tokens = time_tokens(lanes.timestamps, lanes.ends, series, lanes.chunk_rows, work)
        for chunk, first in enumerate(range(0, steps, lanes.chunk_rows)):
            more = tokens.lengths[first : first + lanes.chunk_rows]
            offsets = frames.offsets[: len(more), chunk]
            np.add(offsets, more, out=offsets)
            np.subtract(offsets, 1, out=offsets)
    accumulate(frames.offsets, steps, work)
    return Streams(lanes.bits, frames, tokens)


def _stream_ends(lanes: _Lanes, frames: ValueFrames) -> I64Array:
    """Bits of each stream (chunks, L), counted from a bit before it: the end of the window of its last frame."""
    chunks, columns = lanes.counts.shape
    place = np.maximum(lanes.counts - 1, 0), np.arange(chunks)[:, None], np.arange(columns)
    ends: I64Array = frames.offsets[place].astype(np.int64) - frames.windows[:, 1][place]
    return ends


def _pack_streams(words: U64Array, lanes: _Lanes, streams: Streams, records: Records, work: Scratch) -> None:
    """Stage 5, by stretches: some hundred columns, chunk by chunk.

    Each stretch of words is zeroed just before its use: if all were zeroed at once, they would leave the cache, and
    every addition would wait for them to come back.
    """
    starts = lanes.of_lanes(records.streams) * 8 - 1
    record_starts = lanes.of_lanes(records.starts)[0]
    for columns in _stretch_columns(lanes, records):
        following = record_starts[columns.stop :]
        words[(record_starts[columns.start] + 7) // 8 : (following[0] + 7) // 8 if following.size else None] = 0
        first_word = int(record_starts[columns.start]) // 8
        for chunk, longest in enumerate(lanes.counts[:, columns].max(axis=1).tolist()):
            if longest > 1:
                stretch = cut_stretch(streams, lanes.chunk_rows, chunk, longest, columns)
                pack_stretch(words[first_word:], starts[chunk, columns] - 64 * first_word, stretch, work)
    pack_far_times(words, starts, lanes.chunk_rows, streams, work)


def _stretch_columns(lanes: _Lanes, records: Records) -> Iterator[slice]:
    steps, columns = lanes.bits.shape
    largest = int((lanes.of_lanes(records.ends)[-1] - lanes.of_lanes(records.starts)[0]).max())
    width = max(1, min(BLOCK // min(lanes.chunk_rows, steps), _TILE_BYTES // max(largest, 1)))
    return (slice(left, min(left + width, columns)) for left in range(0, columns, width))


def _seal(words: U64Array, records: Records, counts: I64Array) -> U8Array:
    """Words to bytes, and the checksum at the end of each record."""
    if sys.byteorder == "little":
        words.byteswap(inplace=True)
    buffer = words.view(np.uint8)[: records.size]
    there = counts.reshape(-1) > 0
    ends = records.ends.reshape(-1)[there] - CHECKSUM_BYTES
    sums = crc32c_many(buffer, records.data.reshape(-1)[there] - 1, ends)
    buffer[ends[:, None] + np.arange(CHECKSUM_BYTES)] = sums.astype(">u4").view(np.uint8).reshape(-1, CHECKSUM_BYTES)
    return buffer
