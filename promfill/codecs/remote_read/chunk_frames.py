"""Split remote read's stream of chunks: bytes in, places of chunks out. No I/O.

    stream       frame frame …
    frame        uvarint length | CRC32-C, big-endian | ChunkedReadResponse (proto/remote_read.proto)
    response     0a length series …
    series       0a length label …  12 length chunk …
    chunk        08 min  10 max  18 encoding  22 length data

A head's chunks hold two hours each, so there may be one for every few samples, and they must cost little. Between 1971
and 2109 a time takes six bytes, and a chunk's fields have fixed places: so all chunks of a frame are found at once by
their marks. A mark is believed only if everything about it fits: lengths, order, and that the bytes between the chunks
are only series headers. A frame that does not fit is read by google's protobuf instead. Servers send at least one frame
a series; to protobuf, messages that follow one another are one message, so many frames can be parsed at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from google.protobuf.message import DecodeError

from promfill.codecs.bits.checksum import crc32c
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from promfill.model.types import BoolArray, I64Array, U8Array
from promfill.pb.remote_read_pb2 import Chunk, ChunkedReadResponse

_CHUNK_TAG, _SERIES_TAG, _LABEL_TAG = 0x12, 0x0A, 0x0A
_MARKS = ((0, 0x08), (7, 0x10), (14, 0x18), (16, 0x22))
"""Places and tags from a chunk's first field on, where both times take six bytes."""
_ENCODING, _DATA_LENGTH = 15, 17
FLOATS = (Chunk.XOR, Chunk.XOR2)
"""Encodings of floats: a Prometheus streams its chunks as it stores them (XOR2 by default from 4.0 on)."""
_LONGEST_NUMBER = 10
LARGEST_FRAME = 64 << 20
"""Bytes; Prometheus ends a frame at about 1 MiB (--storage.remote.read-max-bytes-in-frame), give or take a chunk."""


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The chunks of a frame: chunk i is ``buffer[starts[i]:ends[i]]``; series j has ``counts[j]`` of them.

    encodings: uint8, of each chunk, one of FLOATS.
    """

    buffer: U8Array
    starts: I64Array
    ends: I64Array
    encodings: U8Array
    labels: list[LabelSet]
    counts: list[int]


class FrameSplitter:
    """Cuts a stream, in whatever pieces it comes, into frames; checksums are compared."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, piece: bytes) -> list[bytes]:
        """The messages that are complete now."""
        self._rest += piece
        messages, at = [], 0
        while (header := self._header(at)) and (start := header[0] + 4) + header[1] <= len(self._rest):
            end = start + header[1]
            message = bytes(memoryview(self._rest)[start:end])
            if crc32c(message) != int.from_bytes(self._rest[start - 4 : start], "big"):
                raise FormatError("a frame's checksum does not match", section="remote read")
            messages.append(message)
            at = end
        del self._rest[:at]
        return messages

    def finish(self) -> None:
        """FormatError if the stream ended within a frame."""
        if self._rest:
            raise FormatError("the stream ends within a frame", section="remote read")

    def _header(self, at: int) -> tuple[int, int] | None:
        """(end of the length, the length), None if it is not complete."""
        start = bytes(self._rest[at : at + _LONGEST_NUMBER])
        try:
            length, size = _uvarint(start, 0)
        except IndexError:
            if len(start) < _LONGEST_NUMBER:
                return None
            raise FormatError("a frame's length is not a valid number", section="remote read") from None
        if length > LARGEST_FRAME:
            most = LARGEST_FRAME >> 20
            raise FormatError(
                f"a frame of {length:,} bytes, over the limit of {most} MiB: lower the server's "
                "--storage.remote.read-max-bytes-in-frame",
                section="remote read",
            )
        return at + size, length


def parse_frame(message: bytes) -> Frame:
    """The chunks of a ChunkedReadResponse. FormatError: damaged, or of histograms."""
    return _parse_fixed(message) or _parse_any(message)


def _parse_fixed(message: bytes) -> Frame | None:
    """The frame if every byte of it fits the fixed layout."""
    buffer = np.frombuffer(message, np.uint8)
    at = _find_marks(buffer)
    if not at.size:
        return None
    length, wide = _short_uvarints(buffer, at + _DATA_LENGTH)
    starts = at + _DATA_LENGTH + 1 + wide
    ends = starts + length
    heads = at - 2 - (ends - at >= 0x80)
    bodies, _ = _short_uvarints(buffer, heads + 1)
    if not ((bodies == ends - at) & (buffer[heads] == _CHUNK_TAG)).all():
        return None
    if ends[-1] != buffer.size:
        return None
    firsts = np.concatenate([[0], np.flatnonzero(heads[1:] != ends[:-1]) + 1])
    return _with_headers(message, Frame(buffer, starts, ends, buffer[at + _ENCODING], [], []), heads, firsts)


def _find_marks(buffer: U8Array) -> I64Array:
    """The places int64 (n,) with all marks of a chunk, away from the frame's ends."""
    span = buffer.size - _DATA_LENGTH - 2
    if span <= 3:
        return np.empty(0, np.int64)
    found = buffer[_MARKS[-1][0] :][:span] == _MARKS[-1][1]
    places = np.flatnonzero(found)
    for offset, tag in _MARKS[:-1]:
        places = places[buffer[places + offset] == tag]
    places = places[np.isin(buffer[places + _ENCODING], FLOATS)]
    return places[places >= 3]


def _short_uvarints(buffer: U8Array, at: I64Array) -> tuple[I64Array, BoolArray]:
    """The numbers of at most two bytes at these places, and whether they take two; longer ones are not recognized."""
    low = buffer[at].astype(np.int64)
    wide = low >= 0x80
    high = buffer[at + 1].astype(np.int64)
    return np.where(wide, (low & 0x7F) | high << 7, low), wide


def _with_headers(message: bytes, frame: Frame, heads: I64Array, firsts: I64Array) -> Frame | None:
    """The frame with the labels that come before the first chunk of each series."""
    bounds = np.append(firsts, heads.size)
    begins = [0, *frame.ends[firsts[1:] - 1].tolist()]
    finishes = frame.ends[bounds[1:] - 1].tolist()
    for begin, head, finish in zip(begins, heads[firsts].tolist(), finishes, strict=True):
        labels = _read_header(message, begin, head, finish)
        if labels is None:
            return None
        frame.labels.append(labels)
    frame.counts.extend(np.diff(bounds).tolist())
    return frame


def _read_header(message: bytes, begin: int, head: int, finish: int) -> LabelSet | None:
    """The labels between a series' beginning and its first chunk; None if there is anything else."""
    try:
        if message[begin] != _SERIES_TAG:
            return None
        size, at = _uvarint(message, begin + 1)
        if at + size != finish:
            return None
        labels = []
        while at < head:
            if message[at] != _LABEL_TAG:
                return None
            size, at = _uvarint(message, at + 1)
            label = _read_label(message[at : at + size])
            if label is None:
                return None
            labels.append(label)
            at += size
    except (IndexError, UnicodeDecodeError):
        return None
    return tuple(labels) if at == head else None


def _read_label(label: bytes) -> tuple[str, str] | None:
    """Name and value if the message holds both, in order, and nothing else."""
    if label[0] != 0x0A:
        return None
    size, at = _uvarint(label, 1)
    name, at = label[at : at + size], at + size
    if label[at] != 0x12:
        return None
    size, at = _uvarint(label, at + 1)
    return (name.decode(), label[at:].decode()) if at + size == len(label) else None


def _uvarint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A number and its end; IndexError past the data's end."""
    number = shift = 0
    while True:
        byte = data[at]
        number |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return number, at


def _parse_any(message: bytes) -> Frame:
    """Read the frame with google's protobuf, whatever the layout."""
    try:
        response = ChunkedReadResponse.FromString(message)
    except DecodeError as error:
        raise FormatError("a frame that is not a ChunkedReadResponse", section="remote read") from error
    all_series = [series for series in response.chunked_series if series.chunks]
    chunks = [chunk for series in all_series for chunk in series.chunks]
    for chunk in chunks:
        if chunk.type not in FLOATS:
            kind = Chunk.Encoding.Name(chunk.type) if chunk.type in Chunk.Encoding.values() else str(chunk.type)
            raise FormatError(f"a chunk of encoding {kind}, but a push only has floats", section="remote read")
    data = [chunk.data for chunk in chunks]
    ends = np.cumsum(np.fromiter(map(len, data), np.int64, len(data)))
    return Frame(
        buffer=np.frombuffer(b"".join(data), np.uint8),
        starts=np.concatenate([[0], ends[:-1]]).astype(np.int64)[: ends.size],
        ends=ends,
        encodings=np.fromiter((chunk.type for chunk in chunks), np.uint8, len(chunks)),
        labels=[tuple((label.name, label.value) for label in series.labels) for series in all_series],
        counts=[len(series.chunks) for series in all_series],
    )
