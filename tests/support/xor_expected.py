"""What the XOR encoder must give, made sample by sample."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.xor.encode import encode_chunks
from promfill.model.scratch import Scratch
from tests.support.xor_reference import encode, record


def expected_records(
    bits: NDArray[np.uint64], timestamps: NDArray[np.int64], counts: NDArray[np.int64], samples_per_chunk: int
) -> list[list[bytes]]:
    """The records of each column, b"" where there is no such chunk."""
    steps, series = bits.shape
    records = []
    for column in range(series):
        times = timestamps[:, column * timestamps.shape[1] // series].tolist()
        values = bits[:, column].tolist()
        chunks = []
        for first in range(0, steps, samples_per_chunk):
            rows = slice(first, min(first + samples_per_chunk, int(counts[column])))
            chunks.append(record(encode(times[rows], values[rows])) if rows.start < rows.stop else b"")
        records.append(chunks)
    return records


def assert_encoded(
    bits: NDArray[np.uint64],
    timestamps: NDArray[np.int64],
    work: Scratch,
    *,
    counts: NDArray[np.int64] | None = None,
    samples_per_chunk: int = 120,
) -> None:
    """Encode, and compare every byte and every length with the scalar reference's."""
    encoded = encode_chunks(bits, timestamps, work, counts=counts, samples_per_chunk=samples_per_chunk)
    rows = np.full(bits.shape[1], bits.shape[0]) if counts is None else counts
    expected = expected_records(bits, timestamps, rows, samples_per_chunk)
    assert encoded.lengths.tolist() == [[len(chunk) for chunk in chunks] for chunks in expected]
    assert encoded.records.tobytes() == b"".join(chunk for chunks in expected for chunk in chunks)
