"""XOR chunks, by the yardstick: how near the encoder is to what numpy allows."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import Case, Figure, Ratio, main
from benchmarks.yardstick import make_yardstick
from promfill.codecs.xor.encode import EncodedChunks, encode_chunks
from promfill.model.scratch import Scratch

SERIES = 2_000
STEPS = 288
STEP_MS = 300_000
START_MS = 1_767_225_600_000


def gaussian(series: int) -> NDArray[np.uint64]:
    """A day at 5m of 20 + N(0, 3), by bits: mantissas full of noise."""
    values = np.random.Generator(np.random.SFC64(1)).standard_normal((STEPS, series)) * 3 + 20
    return values.view(np.uint64)


def jitter(series: int) -> NDArray[np.int64]:
    """Up to 4 s early or late, each series its own."""
    return np.random.Generator(np.random.SFC64(2)).integers(-4_000, 4_001, (STEPS, series))


def cases(quick: bool) -> Iterator[Case]:
    """Regular and jittered times, one series alone, and the size."""
    grid = START_MS + STEP_MS * np.arange(STEPS)[:, None]
    bits = gaussian(SERIES)
    inputs = {
        "xor_encode": (bits, grid),
        "xor_encode_jitter": (bits, grid + jitter(SERIES)),
        "xor_encode_integers": (np.rint(bits.view(np.float64) * 10).view(np.uint64), grid),
    }
    for name, (values, times) in inputs.items():
        run = partial(encode_chunks, values, times, Scratch())
        yield Ratio(name, run, make_yardstick(values), samples=values.size, seconds=1.0 if quick else 3.0)
    # One series: against the yardstick of a whole batch, since a call costs the same whether it is short or not.
    alone = partial(encode_chunks, np.ascontiguousarray(bits[:, :1]), grid, Scratch())
    yield Ratio("xor_encode_one_series", alone, make_yardstick(gaussian(500)), samples=STEPS, of="time", seconds=1.0)
    yield Figure(
        "xor_encode_size", "bytes/sample", lambda: _bytes_per_sample(encode_chunks(bits, grid, Scratch()), bits)
    )


def _bytes_per_sample(encoded: EncodedChunks, bits: NDArray[np.uint64]) -> float:
    return encoded.records.size / bits.size


if __name__ == "__main__":
    main(cases)
