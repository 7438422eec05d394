"""Read chunk records of a segment file, many at a time; `segment` shows their layout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from promfill.codecs.bits.checksum import crc32c_many
from promfill.codecs.block.segment import MAGIC, SEGMENT_HEADER, VERSION
from promfill.codecs.block.series_reader import be32_at
from promfill.errors import FormatError
from promfill.model.types import BoolArray, I64Array, U8Array

XOR, XOR2 = 1, 4
ENCODINGS = {
    XOR: "XOR",
    2: "histogram",
    3: "float histogram",
    XOR2: "XOR2",
    5: "histogram with start timestamps",
    6: "float histogram with start timestamps",
}
"""tsdb/chunkenc/chunk.go."""
FLOATS = (XOR, XOR2)
"""Encodings of floats; the others hold histograms."""

_LENGTH_BYTES = 5
_ENCODING = 1
_SUM = 4


@dataclass(frozen=True, slots=True, eq=False)
class ChunkRecords:
    """n chunk records: the data (count … stream) is ``buffer[starts[i]:ends[i]]``, int64 (n,); encodings uint8 (n,)."""

    starts: I64Array
    ends: I64Array
    encodings: U8Array


def check_segment_header(buffer: U8Array, name: str) -> None:
    """FormatError: not a segment, or another version. name: what errors call the file."""
    head = buffer[: len(SEGMENT_HEADER)].tobytes()
    if len(head) < len(SEGMENT_HEADER) or int.from_bytes(head[:4]) != MAGIC:
        raise FormatError("not a chunk segment: wrong magic number", section=name, offset=0)
    if head[4] != VERSION:
        raise FormatError(f"version {head[4]}; {VERSION} can be read", section=name, offset=4)


def read_records(buffer: U8Array, at: I64Array, name: str) -> ChunkRecords:
    """The records at these places, int64 (n,) and ascending, of one segment uint8 (N,); each checksum is checked.

    FormatError: a record that runs out of the file or into the next, a wrong checksum, an unknown encoding.
    """
    _refuse((at < len(SEGMENT_HEADER)) | (at >= buffer.size), "a chunk's place is outside the file", name, at)
    sizes, lengths = _lengths(buffer, at, name)
    encodings = at + lengths
    ends = encodings + _ENCODING + sizes
    _refuse(ends + _SUM > buffer.size, "the chunk's length exceeds the file", name, at)
    _refuse((ends + _SUM)[:-1] > at[1:], "the chunk overlaps the next one", name, at)
    sums = be32_at(buffer, ends, buffer.size, name)
    _refuse(crc32c_many(buffer, encodings, ends) != sums, "checksum does not match", name, at)
    kinds = buffer[encodings]
    _refuse((kinds == 0) | (kinds > max(ENCODINGS)), "an unknown encoding", name, at)
    return ChunkRecords(encodings + _ENCODING, ends, kinds)


def _lengths(buffer: U8Array, at: I64Array, name: str) -> tuple[I64Array, I64Array]:
    """The uvarints at the places, none of more than five bytes: values and lengths."""
    sizes, lengths = np.zeros(at.size, np.int64), np.zeros(at.size, np.int64)
    going_on = np.ones(at.size, np.bool_)
    for place in range(_LENGTH_BYTES):
        byte = buffer[np.minimum(at + place, buffer.size - 1)].astype(np.int64)
        sizes |= np.where(going_on, (byte & 127) << 7 * place, 0)
        lengths += going_on
        going_on &= byte >= 128
        if not going_on.any():
            break
    _refuse(going_on, "a length that does not end", name, at)
    return sizes, lengths


def _refuse(bad: BoolArray, what: str, name: str, at: I64Array) -> None:
    if bad.any():
        raise FormatError(what, section=name, offset=int(at[int(np.argmax(bad))]))
