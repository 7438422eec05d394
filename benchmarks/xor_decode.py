"""XOR chunks back to arrays, by the encoders' yardstick: two days of 120 + 120 + 48 samples, 4,000 series a day."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Case, Ratio, main
from benchmarks.xor_encode import START_MS, STEP_MS, STEPS, gaussian, jitter
from benchmarks.yardstick import make_yardstick
from promfill.codecs.xor.decode import DecodedChunks, decode_chunks
from promfill.codecs.xor.encode import EncodedChunks, encode_chunks
from promfill.model.scratch import Scratch

SERIES = 4_000


def cases(quick: bool) -> Iterator[Case]:
    """Regular times and jittered ones."""
    bits = gaussian(SERIES)
    grid = START_MS + STEP_MS * np.arange(STEPS)[:, None]
    yardstick = make_yardstick(bits)
    for name, times in (("xor_decode", grid), ("xor_decode_jitter", grid + jitter(SERIES))):
        encoded = encode_chunks(bits, times, Scratch())
        decode = partial(decode_chunks, encoded.records.copy(), *chunk_bounds(encoded), work=Scratch())
        if not same_values(decode(), bits):
            raise RuntimeError(f"{name}: other values came back")
        yield Ratio(name, decode, yardstick, samples=bits.size, seconds=1.0 if quick else 3.0)


def chunk_bounds(encoded: EncodedChunks) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Where the data of each chunk lies in the records: after its length and encoding, before its checksum."""
    lengths = encoded.lengths.ravel()
    ends = np.cumsum(lengths)
    varint = np.where(lengths < 1 + 1 + 128 + 4, 1, 2)
    return ends - lengths + varint + 1, ends - 4


def same_values(decoded: DecodedChunks, bits: NDArray[np.uint64]) -> bool:
    """Whether the chunks of 120 + 120 + 48, series by series, hold `bits`."""
    rows = decoded.bits[:, : decoded.counts.size].T.reshape(bits.shape[1], -1, decoded.bits.shape[0])
    columns = rows.reshape(bits.shape[1], -1)[:, :STEPS]
    return bool(np.array_equal(columns.T, bits))


if __name__ == "__main__":
    main(cases)
