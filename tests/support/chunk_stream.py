"""Remote read's stream of chunks, made by google's protobuf: what a server would answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from promfill.codecs.bits.checksum import crc32c
from promfill.model.batch import LabelSet
from promfill.pb.remote_read_pb2 import Chunk, ChunkedReadResponse
from tests.support import xor_reference
from tests.support.xor2_streams import write_xor2_chunk

Samples = Sequence[tuple[int, int]]
"""(time in ms, value bits)."""


def chunk(samples: Samples, encoding: Chunk.Encoding = Chunk.XOR) -> Chunk:
    """A chunk with its times."""
    times = [time for time, _ in samples]
    if encoding == Chunk.XOR2:
        data = write_xor2_chunk(list(samples))
    else:
        data = xor_reference.encode(times, [bits for _, bits in samples])
    return Chunk(min_time_ms=times[0], max_time_ms=times[-1], type=encoding, data=data)


def message(
    series: Iterable[tuple[LabelSet, Sequence[Samples]]],
    encodings: Iterable[Chunk.Encoding] = itertools.repeat(Chunk.XOR),
) -> bytes:
    """A ChunkedReadResponse: series with the samples of each of their chunks, and how these are encoded in turn."""
    kinds = iter(encodings)
    response = ChunkedReadResponse()
    for labels, chunks in series:
        one = response.chunked_series.add()
        for name, value in labels:
            one.labels.add(name=name, value=value)
        one.chunks.extend(chunk(samples, next(kinds)) for samples in chunks)
    return response.SerializeToString()


def frame(body: bytes) -> bytes:
    """The message as it stands in the stream."""
    return xor_reference.encode_uvarint(len(body)) + crc32c(body).to_bytes(4, "big") + body
