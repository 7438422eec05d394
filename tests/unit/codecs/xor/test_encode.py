"""The encoder against Prometheus's own chunks, and against a scalar reference that makes the same ones."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.codecs.xor import encode as xor_encode
from promfill.codecs.xor.encode import encode_chunks
from promfill.errors import InputError
from promfill.model.scratch import Scratch
from tests.support import xor_reference
from tests.support.golden import golden_json
from tests.support.xor_expected import assert_encoded
from tests.support.xor_values import KINDS, STALE_NAN, make_bits, mixed_bits

START = 1_767_225_600_000
STEP = 300_000

GOLDEN = [
    pytest.param(case["t_ms"], [int(value, 16) for value in case["v_bits_hex"]], case["chunk_hex"], id=case["name"])
    for case in golden_json("xor_chunks.json")
]


@pytest.fixture(scope="module")
def work() -> Scratch:
    """One for all tests, so that every call finds the leavings of another."""
    return Scratch()


def grid(steps: int, *, start: int = START, step: int = STEP) -> NDArray[np.int64]:
    return (start + step * np.arange(steps))[:, None]


@pytest.mark.parametrize(("times", "values", "chunk"), GOLDEN)
def test_the_reference_makes_prometheus_chunks_and_reads_them(times: list[int], values: list[int], chunk: str) -> None:
    assert xor_reference.encode(times, values).hex() == chunk
    assert xor_reference.decode(bytes.fromhex(chunk)) == (times, values)


@pytest.mark.parametrize(("times", "values", "chunk"), GOLDEN)
@pytest.mark.parametrize("copies", [1, 300])
def test_golden_chunks(times: list[int], values: list[int], chunk: str, copies: int, work: Scratch) -> None:
    bits = np.repeat(np.array(values, np.uint64)[:, None], copies, axis=1)
    encoded = encode_chunks(bits, np.array(times)[:, None], work)
    record = xor_reference.record(bytes.fromhex(chunk))
    assert encoded.records.tobytes() == record * copies
    assert encoded.lengths.tolist() == [[len(record)]] * copies


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("series", [3, 257])
def test_every_kind_of_value(kind: str, series: int, work: Scratch) -> None:
    assert_encoded(make_bits(kind, 130, series, 1), grid(130), work)


@pytest.mark.parametrize("steps", [1, 2, 3, 119, 120, 121, 122, 240, 288])
@pytest.mark.parametrize("series", [1, 6])
def test_every_end_of_the_last_chunk(steps: int, series: int, work: Scratch) -> None:
    assert_encoded(mixed_bits(steps, series, steps), grid(steps), work)


@pytest.mark.parametrize("samples_per_chunk", [1, 2, 3, 37, 500, 1000])
def test_other_chunk_sizes(samples_per_chunk: int, work: Scratch) -> None:
    assert_encoded(mixed_bits(300, 9, 2), grid(300), work, samples_per_chunk=samples_per_chunk)


def test_a_chunk_too_long_for_16_bit_offsets(work: Scratch) -> None:
    bits = make_bits("random bits", 2000, 2, 3)
    jitter = np.random.default_rng(3).integers(-(2**40), 2**40, (2000, 2))
    assert_encoded(bits, grid(2000), work, samples_per_chunk=2000)
    assert_encoded(bits, grid(2000) + jitter, work, samples_per_chunk=2000)


@pytest.mark.parametrize(
    ("start", "step"),
    [(0, 1), (-1, 1), (-600_000, 300_000), (63, 64), (64, 127), (2**62, 128), (-(2**63), 2**55), (5, -3), (9, 0)],
)
def test_heads_of_every_length(start: int, step: int, work: Scratch) -> None:
    """Negative and huge times, deltas of one to ten bytes."""
    assert_encoded(mixed_bits(5, 4, 4), grid(5, start=start, step=step), work)


def test_columns_with_first_times_of_different_lengths(work: Scratch) -> None:
    starts = np.array([-5, 0, 70, 1 << 20, 1 << 40, 1 << 45, 1 << 62, -(1 << 62)])
    assert_encoded(mixed_bits(288, 8, 5), starts + 1000 * np.arange(288)[:, None], work)


@pytest.mark.parametrize("bits_of_class", [14, 17, 20])
def test_the_borders_of_the_delta_of_delta_classes(bits_of_class: int, work: Scratch) -> None:
    limit = 1 << (bits_of_class - 1)
    changes = [0, 1, -1, limit - 1, limit, limit + 1, 1 - limit, -limit, -limit - 1, 0]
    deltas = 3_000_000 + np.cumsum([0, *changes])
    times = (START + np.cumsum([0, *deltas]))[:, None]
    assert_encoded(mixed_bits(len(times), 3, 6), times, work)


@pytest.mark.parametrize("reach", [1, 8_000, 60_000, 500_000, 2**32, 2**60])
@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("series", [4, 260])
def test_jittered_times(reach: int, shared: bool, series: int, work: Scratch) -> None:
    jitter = np.random.default_rng(reach).integers(-reach, reach + 1, (125, 1 if shared else series))
    assert_encoded(mixed_bits(125, series, 7), grid(125) + jitter, work)


@pytest.mark.parametrize("power", [29, 30, 31, 32, 33])
@pytest.mark.parametrize("off", [-1, 0, 1, 5])
@pytest.mark.parametrize("other", [5, -5, 5 - (1 << 30), (1 << 30) - 5])
@pytest.mark.parametrize("sign", [1, -1])
def test_deltas_about_the_reach_of_32_bits(power: int, off: int, other: int, sign: int, work: Scratch) -> None:
    far = sign * ((1 << power) + off)
    deltas = [other, other, far, other, far, far, other]
    assert_encoded(mixed_bits(8, 3, 17), START + np.cumsum([0, *deltas])[:, None], work)


def test_times_that_wrap_around_64_bits(work: Scratch) -> None:
    times = np.array([[2**63 - 1], [-(2**63)], [2**63 - 1], [0], [-(2**63)]])
    assert_encoded(mixed_bits(5, 2, 8), times, work)


@pytest.mark.parametrize("series", [6, 3 * 90])
@pytest.mark.parametrize("reach", [0, 5_000])
def test_days_side_by_side(series: int, reach: int, work: Scratch) -> None:
    """Three grids, each of a third of the columns; one of them less regular than the others."""
    times = grid(288) + 86_400_000 * np.arange(3)
    times[200, 1] += reach
    assert_encoded(mixed_bits(288, series, 9), times, work)


def test_a_grid_that_changes_between_chunks_is_regular(work: Scratch) -> None:
    times = grid(240)
    times[120:] += 12_345
    assert_encoded(mixed_bits(240, 3, 10), times, work)


@pytest.mark.parametrize("series", [11, 400])
@pytest.mark.parametrize("reach", [0, 100, 2**40])
def test_ragged_ends(series: int, reach: int, work: Scratch) -> None:
    """Every column ends where it likes, some before they began; what stands after their ends does not matter."""
    random = np.random.default_rng(series)
    bits = mixed_bits(130, series, 11)
    times = grid(130) + random.integers(-reach, reach + 1, (130, series))
    counts = random.integers(0, 131, series)
    counts[:6] = [0, 1, 2, 120, 121, 130]
    after = np.arange(130)[:, None] >= counts
    bits[after] = random.integers(0, 2**64, np.count_nonzero(after), dtype=np.uint64)
    times[after] = random.integers(-(2**62), 2**62, np.count_nonzero(after))
    assert_encoded(bits, times, work, counts=counts)


def test_ragged_ends_on_one_grid(work: Scratch) -> None:
    counts = np.random.default_rng(1).integers(0, 289, 20)
    assert_encoded(mixed_bits(288, 20, 12), grid(288), work, counts=counts)


def test_all_columns_empty(work: Scratch) -> None:
    encoded = encode_chunks(mixed_bits(130, 3, 1), grid(130), work, counts=np.zeros(3, np.int64))
    assert encoded.records.size == 0
    assert encoded.lengths.tolist() == [[0, 0]] * 3


@pytest.mark.parametrize("shape", [(0, 3), (0, 0), (5, 0)])
def test_nothing_to_encode(shape: tuple[int, int], work: Scratch) -> None:
    encoded = encode_chunks(np.zeros(shape, np.uint64), np.zeros((shape[0], 1), np.int64), work)
    assert encoded.records.size == 0
    assert encoded.lengths.shape == (shape[1], -(-shape[0] // 120))


def test_the_input_is_read_only_and_stays_as_it_is(work: Scratch) -> None:
    bits, times = mixed_bits(130, 5, 13), grid(130) + np.arange(130)[:, None] ** 2
    bits[3, 2] = STALE_NAN
    before = bits.copy(), times.copy()
    bits.flags.writeable = times.flags.writeable = False
    assert_encoded(bits, times, work, counts=np.array([130, 4, 0, 121, 7]))
    np.testing.assert_array_equal(bits, before[0])
    np.testing.assert_array_equal(times, before[1])


def test_strided_input(work: Scratch) -> None:
    assert_encoded(mixed_bits(130, 600, 14)[:, ::2], np.repeat(grid(130), 2, axis=1)[:, ::2], work)


def test_many_small_tiles(work: Scratch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xor_encode, "BLOCK", 700)
    monkeypatch.setattr(xor_encode, "NARROW", 1)
    jitter = np.random.default_rng(2).integers(-9_000, 9_000, (288, 23))
    for times in (grid(288), grid(288) + jitter):
        assert_encoded(mixed_bits(288, 23, 15), times, work, counts=np.arange(23) * 288 // 22)
    monkeypatch.setattr(xor_encode, "_TILE_BYTES", 5_000)
    assert_encoded(mixed_bits(288, 23, 16), grid(288), work)


@pytest.mark.parametrize("samples_per_chunk", [0, 65_536])
def test_a_chunk_size_that_two_bytes_cannot_tell(samples_per_chunk: int, work: Scratch) -> None:
    with pytest.raises(InputError, match="samples per chunk must be 1 to 65535"):
        encode_chunks(mixed_bits(2, 1, 0), grid(2), work, samples_per_chunk=samples_per_chunk)


@pytest.mark.parametrize("shape", [(3, 1), (4, 4), (4, 0)])
def test_timestamps_that_do_not_fit(shape: tuple[int, int], work: Scratch) -> None:
    with pytest.raises(InputError, match="do not fit"):
        encode_chunks(mixed_bits(4, 6, 0), np.zeros(shape, np.int64), work)


@pytest.mark.parametrize("counts", [[4, 5], [-1, 2], [1], [1, 2, 3]])
def test_counts_that_do_not_fit(counts: list[int], work: Scratch) -> None:
    with pytest.raises(InputError, match="counts must be 2 numbers from 0 to 4"):
        encode_chunks(mixed_bits(4, 2, 0), grid(4), work, counts=np.array(counts))
