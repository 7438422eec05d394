from __future__ import annotations

import random
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from promfill.codecs.xor.decode import decode_chunks
from promfill.errors import FormatError
from tests.support.golden import golden_json
from tests.support.xor_streams import Sample, read_chunk, write_chunk

TIMES = st.integers(-(1 << 62), 1 << 62)
VALUES = st.integers(0, (1 << 64) - 1) | st.floats(width=64).map(lambda value: int(np.float64(value).view(np.uint64)))
CHUNKS = st.lists(st.lists(st.tuples(TIMES, VALUES), max_size=40).map(sorted), min_size=1, max_size=6)


def decode(chunks: list[bytes]) -> list[list[Sample]]:
    sizes = np.array([len(chunk) for chunk in chunks], np.int64)
    ends = np.cumsum(sizes)
    decoded = decode_chunks(np.frombuffer(b"".join(chunks), np.uint8), ends - sizes, ends)
    columns: Any = zip(decoded.counts.tolist(), decoded.times.T.tolist(), decoded.bits.T.tolist(), strict=True)
    return [list(zip(times[:count], bits[:count], strict=True)) for count, times, bits in columns]


@given(CHUNKS, st.integers(0, 1 << 32))
def test_whatever_was_written_is_read(samples: list[list[Sample]], seed: int) -> None:
    rng = random.Random(seed)
    assert decode([write_chunk(chunk, rng) for chunk in samples]) == samples


@given(st.lists(st.binary(min_size=2, max_size=60), min_size=1, max_size=5))
def test_arbitrary_bytes_raise_format_errors_or_are_read_as_the_scalar_reader_reads_them(chunks: list[bytes]) -> None:
    try:
        decoded = decode(chunks)
    except FormatError:
        return
    assert decoded == [read_chunk(chunk) for chunk in chunks]


GOLDEN = [bytes.fromhex(case["chunk_hex"]) for case in golden_json("xor_chunks.json")]


@settings(max_examples=200)
@given(st.sampled_from(GOLDEN), st.data())
def test_a_damaged_chunk_raises_a_format_error_or_reads_as_the_scalar_reader_reads_it(chunk: bytes, data: Any) -> None:
    at = data.draw(st.integers(0, len(chunk)))
    cut = data.draw(st.integers(0, 3))
    chunk = chunk[:at] + data.draw(st.binary(max_size=3)) + chunk[at + cut :]
    neighbour = GOLDEN[3]
    try:
        decoded = decode([neighbour, chunk, neighbour])
    except FormatError:
        return
    assert decoded == [read_chunk(neighbour), read_chunk(chunk), read_chunk(neighbour)]
