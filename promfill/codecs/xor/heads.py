"""The bytes before the bit stream of an XOR chunk in its file, for all chunks of a batch at once.

    length <uvarint> | encoding <1 byte> | sample count <2 bytes> | first time <varint> | first value <8 bytes>
    | delta to the second time <uvarint>, if there is a second sample

(tsdb/docs/format/chunks.md, tsdb/chunkenc/xor.go). Every part begins at a byte, so a part is a frame of 64 bits with
zeros on its right, placed like other bits; a part of up to ten bytes is two frames. Mixed lengths cost nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from promfill.codecs.bits.varint import MAX_VARINT, encode_uvarints, zigzag
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U64Array

XOR_ENCODING = 1
COUNT_BYTES = 2
VALUE_BYTES = 8
CHECKSUM_BYTES = 4


@dataclass(frozen=True, slots=True, eq=False)
class Varints:
    """n varints as left-aligned frames uint64 (1 or 2, n): eight bytes, and two more if any has them.

    lengths: int64 (n,), in bytes.
    """

    frames: U64Array
    lengths: I64Array


@dataclass(frozen=True, slots=True, eq=False)
class ChunkTimes:
    """First time and delta to the second of S x C chunks, series-major."""

    first: Varints
    delta: Varints


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Where S x C records lie in their buffer, in bytes from its start; all int64 (S, C), series-major.

    starts, ends: of the records, equal if there is none. data: of the chunk's data. streams: of its bit stream.
    """

    starts: I64Array
    ends: I64Array
    data: I64Array
    streams: I64Array

    @property
    def size(self) -> int:
        """Bytes of all records."""
        return int(self.ends[-1, -1])


def chunk_times(timestamps: I64Array, counts: I64Array, chunk_rows: int) -> ChunkTimes:
    """Encode the parts of the heads that hold times int64 (T, G), each column serving S // G adjacent series.

    counts: int64 (S, C), samples of each chunk; without a second sample there is no delta.
    """
    first = timestamps[0::chunk_rows]
    delta = np.zeros(first.shape, np.int64)
    second = timestamps[1::chunk_rows]
    np.subtract(second, first[: len(second)], out=delta[: len(second)])
    repeats = counts.shape[0] // timestamps.shape[1]
    second_sample = counts.reshape(-1) > 1
    deltas = _varints(np.ascontiguousarray(delta.T).view(np.uint64), repeats)
    return ChunkTimes(
        _varints(zigzag(np.ascontiguousarray(first.T)), repeats),
        Varints(deltas.frames * second_sample, deltas.lengths * second_sample),
    )


def lay_records(times: ChunkTimes, counts: I64Array, stream_bits: I64Array) -> tuple[Records, Varints]:
    """Place the records of S x C chunks one after the other; and encode their lengths as uvarints.

    counts: int64 (S, C) samples, 0: no record. stream_bits: int64 (S, C), counted from a bit before the stream.
    """
    heads = COUNT_BYTES + VALUE_BYTES + (times.first.lengths + times.delta.lengths).reshape(counts.shape)
    data_lengths = heads + ((stream_bits + 6) >> 3)
    length = _varints(data_lengths.view(np.uint64), 1)
    before = length.lengths.reshape(counts.shape) + 1
    sizes = before + data_lengths + CHECKSUM_BYTES
    sizes[counts == 0] = 0
    ends = np.cumsum(sizes.reshape(-1)).reshape(sizes.shape)
    starts = ends - sizes
    data = starts + before
    return Records(starts, ends, data, data + heads), length


def head_frames(
    records: Records, length: Varints, times: ChunkTimes, counts: I64Array, first_values: U64Array, work: Scratch
) -> tuple[I64Array, U64Array]:
    """Positions in bits and frames of all heads, int64 and uint64 (parts, n), scratch; first_values: uint64 (n,)."""
    samples = counts.reshape(-1)
    data = records.data.reshape(-1)
    first_at = data + COUNT_BYTES
    value_at = first_at + times.first.lengths
    delta_at = value_at + VALUE_BYTES
    parts = [(records.starts.reshape(-1), _prefix(length, samples)), (value_at, first_values)]
    parts += [(first_at + 8 * k, frame) for k, frame in enumerate(times.first.frames)]
    parts += [(delta_at + 8 * k, frame) for k, frame in enumerate(times.delta.frames)]
    positions = work.get("xor.head positions", (len(parts), samples.size), np.int64)
    frames = work.get("xor.head frames", positions.shape, np.uint64)
    there = samples > 0  # a chunk that does not exist adds nothing
    for row, (at, frame) in enumerate(parts):
        np.multiply(at, 8, out=positions[row])
        np.multiply(frame, there, out=frames[row])
    return positions, frames


def _prefix(length: Varints, samples: I64Array) -> U64Array:
    """Length, encoding and sample count in one frame: six bytes at most."""
    after = (56 - 8 * length.lengths).astype(np.uint64)
    encoding_and_count = samples.astype(np.uint64) | np.uint64(XOR_ENCODING << 16)
    prefix: U64Array = length.frames[0] | encoding_and_count << (after - np.uint64(16))
    return prefix


def _varints(values: U64Array, repeats: int) -> Varints:
    """Encode the integers (G, C), each row as many times as there are series that share it."""
    encoded, lengths = encode_uvarints(values.reshape(-1))
    frames = 1 if lengths.max() <= 8 else 2
    padded = np.zeros((lengths.size, 8 * frames), np.uint8)
    padded[:, :MAX_VARINT] = encoded[:, : 8 * frames]
    rows = np.ascontiguousarray(padded.view(">u8").astype(np.uint64).T)
    if repeats > 1:
        chunks = values.shape[1]
        rows = np.repeat(rows.reshape(frames, -1, chunks), repeats, axis=1).reshape(frames, -1)
        lengths = np.repeat(lengths.reshape(-1, chunks), repeats, axis=0).reshape(-1)
    return Varints(rows, lengths)
