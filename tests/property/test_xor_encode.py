"""Any values at any times in any shape: the same bytes as a scalar encoder, and a scalar decoder reads them back."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from promfill.codecs.bits.varint import decode_uvarints
from promfill.codecs.xor.encode import encode_chunks
from promfill.model.scratch import Scratch
from tests.support.xor_expected import assert_encoded
from tests.support.xor_reference import decode
from tests.support.xor_values import KINDS, SPECIAL, make_bits

WORK = Scratch()  # kept, so that every call finds the leavings of another

SEEDS = st.integers(0, 2**32)
CHUNK_SIZES = st.sampled_from([1, 2, 3, 5, 8, 120])
REACHES = st.sampled_from([0, 1, 8_192, 8_193, 65_537, 524_289, 2**31, 2**40, 2**62])


@st.composite
def values(draw: st.DrawFn, steps: int, series: int) -> NDArray[np.uint64]:
    """Columns of their own kinds, with special values strewn in and stretches that stay the same."""
    columns = [make_bits(draw(st.sampled_from(KINDS)), steps, 1, draw(SEEDS)) for _ in range(series)]
    bits = np.concatenate(columns, axis=1)
    random = np.random.default_rng(draw(SEEDS))
    special = random.random(bits.shape) < draw(st.sampled_from([0, 0.1]))
    bits[special] = random.choice(SPECIAL, np.count_nonzero(special))
    same = random.random(bits[1:].shape) < draw(st.sampled_from([0, 0.3]))
    bits[1:][same] = bits[:-1][same]
    return bits


@st.composite
def times(draw: st.DrawFn, steps: int, grids: int) -> NDArray[np.int64]:
    """Grids with starts of any length and sign, each with its jitter or none."""
    start = draw(st.lists(st.integers(-(2**62), 2**62) | st.integers(-200, 200), min_size=grids, max_size=grids))
    step = draw(st.integers(0, 2**40) | st.sampled_from([1, 15_000, 300_000]))
    random = np.random.default_rng(draw(SEEDS))
    reach = np.array(draw(st.lists(REACHES, min_size=grids, max_size=grids)))
    jitter = random.integers(-reach, reach + 1, (steps, grids))
    with np.errstate(over="ignore"):
        return np.array(start) + step * np.arange(steps)[:, None] + jitter


@st.composite
def batches(
    draw: st.DrawFn,
) -> tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64] | None, int]:
    """Values, times, counts and samples per chunk."""
    steps, grids = draw(st.integers(1, 130)), draw(st.integers(1, 3))
    series = grids * draw(st.integers(1, 3))
    counts = draw(st.none() | st.lists(st.integers(0, steps), min_size=series, max_size=series))
    ragged = None if counts is None else np.array(counts, np.int64)
    return draw(values(steps, series)), draw(times(steps, grids)), ragged, draw(CHUNK_SIZES)


@settings(deadline=None, max_examples=150)
@given(batches())
def test_the_same_bytes_as_a_scalar_encoder(
    batch: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64] | None, int],
) -> None:
    bits, timestamps, counts, samples_per_chunk = batch
    assert_encoded(bits, timestamps, WORK, counts=counts, samples_per_chunk=samples_per_chunk)


@settings(deadline=None, max_examples=40)
@given(batches())
def test_a_scalar_decoder_reads_them_back(
    batch: tuple[NDArray[np.uint64], NDArray[np.int64], NDArray[np.int64] | None, int],
) -> None:
    bits, timestamps, counts, samples_per_chunk = batch
    encoded = encode_chunks(bits, timestamps, WORK, counts=counts, samples_per_chunk=samples_per_chunk)
    ends = np.cumsum(encoded.lengths).reshape(encoded.lengths.shape)
    for column in range(bits.shape[1]):
        decoded_times: list[int] = []
        decoded_bits: list[int] = []
        for start, end in zip(ends[column] - encoded.lengths[column], ends[column], strict=True):
            if start < end:
                (length,), (prefix,) = decode_uvarints(encoded.records, np.array([start]))
                data = encoded.records[start + prefix + 1 : end - 4].tobytes()
                assert len(data) == length
                chunk = decode(data)
                decoded_times += chunk[0]
                decoded_bits += chunk[1]
        rows = len(bits) if counts is None else counts[column]
        assert decoded_bits == bits[:rows, column].tolist()
        assert decoded_times == timestamps[:rows, column * timestamps.shape[1] // bits.shape[1]].tolist()
