"""Remote read's stream of chunks, made by google's protobuf: what a server would answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from promfill.codecs.checksum import crc32c
from promfill.model import LabelSet
from promfill.pb.remote_read_pb2 import Chunk, ChunkedReadResponse
from tests.support import xor_reference

Samples = Sequence[tuple[int, int]]
"""(time in ms, value bits)."""


def chunk(samples: Samples) -> Chunk:
    """An XOR chunk with its times."""
    times = [time for time, _ in samples]
    data = xor_reference.encode(times, [bits for _, bits in samples])
    return Chunk(min_time_ms=times[0], max_time_ms=times[-1], type=Chunk.XOR, data=data)


def message(series: Iterable[tuple[LabelSet, Sequence[Samples]]]) -> bytes:
    """A ChunkedReadResponse: series with the samples of each of their chunks."""
    response = ChunkedReadResponse()
    for labels, chunks in series:
        one = response.chunked_series.add()
        for name, value in labels:
            one.labels.add(name=name, value=value)
        one.chunks.extend(chunk(samples) for samples in chunks)
    return response.SerializeToString()


def frame(body: bytes) -> bytes:
    """The message as it stands in the stream."""
    return xor_reference.encode_uvarint(len(body)) + crc32c(body).to_bytes(4, "big") + body
