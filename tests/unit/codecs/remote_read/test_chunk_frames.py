from __future__ import annotations

import random
import time

import numpy as np
import pytest

from promfill.codecs.remote_read import chunk_frames
from promfill.codecs.remote_read.chunk_frames import Frame, FrameSplitter, parse_frame
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from promfill.pb.remote_read_pb2 import Chunk, ChunkedReadResponse, ChunkedSeries
from tests.support import chunk_stream
from tests.support.comparison_reference import as_bits

A: LabelSet = (("__name__", "m"), ("host", "a"))
B: LabelSet = (("__name__", "m"), ("host", "é" * 200))
START = 1_700_000_000_000


def samples(first: int, count: int) -> list[tuple[int, int]]:
    random.seed(first)
    return [(START + 300_000 * step, as_bits(random.gauss(20, 3))) for step in range(first, first + count)]


SERIES = [(A, [samples(0, 120), samples(120, 24), samples(144, 1)]), (B, [samples(0, 3)])]


def data_of(frame: Frame) -> list[tuple[LabelSet, list[bytes]]]:
    data = [bytes(frame.buffer[start:end]) for start, end in zip(frame.starts, frame.ends, strict=True)]
    ends = np.cumsum(frame.counts).tolist()
    return [
        (labels, data[end - count : end]) for labels, count, end in zip(frame.labels, frame.counts, ends, strict=True)
    ]


def wanted(message: bytes) -> list[tuple[LabelSet, list[bytes]]]:
    return [
        (tuple((label.name, label.value) for label in series.labels), [chunk.data for chunk in series.chunks])
        for series in ChunkedReadResponse.FromString(message).chunked_series
    ]


def test_chunks_of_the_usual_layout_are_found_by_their_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    message = chunk_stream.message(SERIES)
    monkeypatch.setattr(chunk_frames, "_parse_any", None)
    assert data_of(parse_frame(message)) == wanted(message)


def unusual_times(response: ChunkedReadResponse) -> None:
    response.chunked_series[0].chunks[1].min_time_ms = -5


def query_index(response: ChunkedReadResponse) -> None:
    response.query_index = 3


def marks_in_data(response: ChunkedReadResponse) -> None:
    inner = response.chunked_series[0].chunks[1].SerializeToString()
    response.chunked_series[0].chunks[0].data = b"\x00\x01" + inner * 2 + b"\x00" * 30


def chunk_in_data(response: ChunkedReadResponse) -> None:
    inner = ChunkedSeries(chunks=response.chunked_series[0].chunks[1:2]).SerializeToString()
    response.chunked_series[0].chunks[0].data = b"\x00\x01" + inner + b"\x00" * 30


def chunk_at_the_end(response: ChunkedReadResponse) -> None:
    inner = ChunkedSeries(chunks=response.chunked_series[0].chunks[1:2]).SerializeToString()
    response.chunked_series[1].chunks[0].data = b"\x00\x01" + inner


def chunk_before_the_end(response: ChunkedReadResponse) -> None:
    inner = ChunkedSeries(chunks=response.chunked_series[0].chunks[1:2]).SerializeToString()
    response.chunked_series[1].chunks[0].data = b"\x00\x01" + inner + b"\x00" * 30


def no_labels(response: ChunkedReadResponse) -> None:
    del response.chunked_series[1].labels[:]


@pytest.mark.parametrize(
    "change",
    [unusual_times, query_index, marks_in_data, chunk_in_data, chunk_at_the_end, chunk_before_the_end, no_labels],
)
def test_whatever_the_layout_the_chunks_are_those_that_protobuf_reads(change: object) -> None:
    response = ChunkedReadResponse.FromString(chunk_stream.message(SERIES))
    assert callable(change)
    change(response)
    message = response.SerializeToString()
    assert data_of(parse_frame(message)) == wanted(message)


def test_a_series_without_chunks_is_no_series() -> None:
    assert parse_frame(chunk_stream.message([(A, []), (B, [samples(0, 2)])])).labels == [B]
    assert parse_frame(b"").counts == []


def test_histograms_are_named() -> None:
    response = ChunkedReadResponse.FromString(chunk_stream.message(SERIES))
    response.chunked_series[0].chunks[0].type = Chunk.FLOAT_HISTOGRAM
    with pytest.raises(FormatError, match="FLOAT_HISTOGRAM"):
        parse_frame(response.SerializeToString())


def test_a_series_of_another_length_than_it_says_is_damage() -> None:
    message = bytearray(chunk_stream.message([(A, [samples(0, 4)])]))
    assert message[1] < 0x80  # its length, in one byte
    message[1] -= 1
    with pytest.raises(FormatError):
        parse_frame(bytes(message))


def test_what_stands_behind_the_last_series_is_damage() -> None:
    with pytest.raises(FormatError):
        parse_frame(chunk_stream.message(SERIES) + b"\x0a")


def test_what_is_no_message_is_damage() -> None:
    with pytest.raises(FormatError, match="ChunkedReadResponse"):
        parse_frame(b"\xff" * 40)


@pytest.mark.parametrize("size", [1, 2, 7, 100, 10_000])
def test_frames_come_in_pieces_of_any_size(size: int) -> None:
    messages = [chunk_stream.message(SERIES), b"", chunk_stream.message(SERIES[1:])]
    stream = b"".join(map(chunk_stream.frame, messages))
    splitter = FrameSplitter()
    out = [message for at in range(0, len(stream), size) for message in splitter.feed(stream[at : at + size])]
    splitter.finish()
    assert out == messages


def test_a_damaged_frame_is_seen() -> None:
    stream = bytearray(chunk_stream.frame(chunk_stream.message(SERIES)))
    stream[-1] ^= 1
    with pytest.raises(FormatError, match="checksum"):
        FrameSplitter().feed(bytes(stream))


def test_a_stream_that_ends_early_is_seen() -> None:
    splitter = FrameSplitter()
    assert splitter.feed(chunk_stream.frame(b"abc")[:-1]) == []
    with pytest.raises(FormatError, match="ends within"):
        splitter.finish()


def test_a_length_that_is_no_number_is_seen() -> None:
    with pytest.raises(FormatError, match="length"):
        FrameSplitter().feed(b"\xff" * 12)


def test_a_frame_larger_than_any_is_not_waited_for() -> None:
    """A server decides what it sends, and not how much of it is taken into memory."""
    announced = bytes([0x81, 0x80, 0x80, 0x20])  # 64 MiB and a byte
    with pytest.raises(FormatError, match=r"67,108,865 bytes, over the limit of 64 MiB.*read-max-bytes-in-frame"):
        FrameSplitter().feed(announced)
    splitter = FrameSplitter()
    assert splitter.feed(bytes([0x80, 0x80, 0x80, 0x20])) == []  # 64 MiB: may come


def test_a_length_without_end_costs_no_time() -> None:
    begin = time.process_time()
    with pytest.raises(FormatError, match="length is not a valid number"):
        FrameSplitter().feed(b"\xff" * (1 << 20))
    assert time.process_time() - begin < 1


@pytest.mark.parametrize("kinds", [(Chunk.XOR2,) * 4, (Chunk.XOR, Chunk.XOR2, Chunk.XOR2, Chunk.XOR)])
def test_xor2_chunks_are_found_by_their_marks_and_by_protobuf(
    monkeypatch: pytest.MonkeyPatch, kinds: tuple[Chunk.Encoding, ...]
) -> None:
    message = chunk_stream.message(SERIES, kinds)
    slow = chunk_frames._parse_any(message)
    assert (data_of(slow), slow.encodings.tolist()) == (wanted(message), list(kinds))
    monkeypatch.setattr(chunk_frames, "_parse_any", None)
    fast = parse_frame(message)
    assert (data_of(fast), fast.encodings.tolist()) == (wanted(message), list(kinds))


@pytest.mark.parametrize("kind", [Chunk.HISTOGRAM, Chunk.FLOAT_HISTOGRAM, Chunk.HISTOGRAM_ST, Chunk.FLOAT_HISTOGRAM_ST])
def test_every_kind_of_histogram_is_named(kind: Chunk.Encoding) -> None:
    response = ChunkedReadResponse.FromString(chunk_stream.message(SERIES))
    response.chunked_series[0].chunks[1].type = kind
    with pytest.raises(FormatError, match=f"encoding {Chunk.Encoding.Name(kind)}, but a push only has floats"):
        parse_frame(response.SerializeToString())


@pytest.mark.parametrize("size", [1, 100, *range(112, 136), 255, 256, 300])
@pytest.mark.parametrize("place", [0, 1])
def test_labels_of_every_length(size: int, place: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers end with their first byte below 128: 127 is one, and so is the end of 16,383."""
    labels: LabelSet = (("__name__", "m"), ("host", "v" * size) if place else ("n" * size, "v"))
    message = chunk_stream.message([(labels, [samples(0, 3)])])
    monkeypatch.setattr(chunk_frames, "_parse_any", None)
    assert data_of(parse_frame(message)) == wanted(message)


@pytest.mark.parametrize("behind", range(5))
def test_marks_at_the_very_end(behind: int) -> None:
    """Data that ends like the beginning of another chunk, with nothing or next to nothing behind it."""
    response = ChunkedReadResponse.FromString(chunk_stream.message([(A, [samples(0, 120)])]))
    marks = b"\x08" + bytes(6) + b"\x10" + bytes(6) + b"\x18\x01\x22"
    response.chunked_series[0].chunks[0].data += marks + bytes(range(5, 5 + behind))
    message = response.SerializeToString()
    assert data_of(parse_frame(message)) == wanted(message)
