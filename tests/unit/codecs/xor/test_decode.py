from __future__ import annotations

import random
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from promfill.codecs.xor import decode as xor_decode
from promfill.codecs.xor.decode import DecodedChunks, decode_chunks, read_counts
from promfill.errors import FormatError
from promfill.model.scratch import Scratch
from tests.support.golden import golden_json
from tests.support.xor_streams import Sample, read_chunk, write_chunk


def joined(chunks: Sequence[bytes]) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    sizes = np.array([len(chunk) for chunk in chunks], np.int64)
    ends = np.cumsum(sizes)
    return np.frombuffer(b"".join(chunks), np.uint8), ends - sizes, ends


def samples_of(decoded: DecodedChunks) -> list[list[Sample]]:
    columns = zip(decoded.counts.tolist(), decoded.times.T.tolist(), decoded.bits.T.tolist(), strict=True)
    return [list(zip(times[:count], bits[:count], strict=True)) for count, times, bits in columns]


def decode(chunks: Sequence[bytes]) -> list[list[Sample]]:
    return samples_of(decode_chunks(*joined(chunks)))


GOLDEN = [
    pytest.param(bytes.fromhex(case["chunk_hex"]), case["t_ms"], case["v_bits_hex"], id=case["name"])
    for case in golden_json("xor_chunks.json")
]


@pytest.mark.parametrize(("chunk", "times", "values"), GOLDEN)
def test_a_golden_chunk_alone(chunk: bytes, times: list[int], values: list[str]) -> None:
    expected = list(zip(times, (int(value, 16) for value in values), strict=True))
    assert read_chunk(chunk) == expected
    assert decode([chunk]) == [expected]


def test_all_golden_chunks_in_one_call_in_any_order() -> None:
    chunks = [bytes.fromhex(case["chunk_hex"]) for case in golden_json("xor_chunks.json")] * 3
    random.Random(7).shuffle(chunks)
    assert decode(chunks) == [read_chunk(chunk) for chunk in chunks]


def random_samples(rng: random.Random, count: int) -> list[Sample]:
    time, step, value = rng.randint(-(1 << 41), 1 << 41), rng.choice([1, 15_000, 300_000]), rng.getrandbits(64)
    jitter = rng.choice([0, 0, 5, 9_000, 70_000, 600_000, 1 << 40])
    flips = [1 << 63, 1, 0xFFF << 20, (1 << 61) - 1, (1 << 53) - 1, (1 << 64) - 1]
    samples = []
    for _ in range(count):
        samples.append((time, value))
        time += step + (rng.randint(-jitter, jitter) if rng.random() < 0.8 else 0)
        value ^= rng.choice([0, rng.getrandbits(64) & rng.choice(flips), rng.choice(flips)])
    return samples


def test_chunks_of_every_size_and_class_together() -> None:
    rng = random.Random(3)
    expected = [random_samples(rng, rng.choice([0, 1, 2, 3, 48, 120, 121, 300])) for _ in range(150)]
    assert decode([write_chunk(samples, rng) for samples in expected]) == expected


@pytest.mark.parametrize("kind", [14, 17, 20])
def test_the_borders_of_the_delta_of_delta_classes(kind: int) -> None:
    rng = random.Random(kind)
    half = 1 << (kind - 1)
    changes = [0, half, half - 1, half + 1, -half, -half + 1, -half - 1, 1, -1]
    steps = np.cumsum([10_000_000, *changes])
    expected = [(int(time), 5 << 60) for time in np.cumsum([0, *steps])]
    assert decode([write_chunk(expected, rng) for _ in range(20)]) == [expected] * 20


def test_more_chunks_than_one_lockstep_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xor_decode, "LANES", 7)
    rng = random.Random(4)
    expected = [random_samples(rng, rng.choice([1, 2, 30])) for _ in range(40)]
    assert decode([write_chunk(samples, rng) for samples in expected]) == expected


def test_chunks_far_apart_out_of_order_and_twice() -> None:
    rng = random.Random(5)
    expected = [random_samples(rng, 20) for _ in range(4)]
    buffer, starts, ends = joined([b for samples in expected for b in (write_chunk(samples, rng), bytes(50_000))])
    picked = [6, 0, 2, 0]
    decoded = decode_chunks(buffer, starts[picked], ends[picked])
    assert samples_of(decoded) == [expected[index // 2] for index in picked]


def test_a_whole_byte_unused_at_the_end() -> None:
    """Prometheus 2.42 wrote one sample so."""
    one = write_chunk(TWO[:1], random.Random(1))
    assert decode([one, one + b"\0", one]) == [TWO[:1]] * 3


def test_no_chunks() -> None:
    decoded = decode_chunks(*joined([]))
    assert decoded.times.shape == (0, 0)
    assert decoded.counts.size == 0


def test_work_is_reused_and_leaves_nothing_behind() -> None:
    rng = random.Random(6)
    work = Scratch()
    for size in (200, 3, 90):
        expected = [random_samples(rng, rng.randint(1, size)) for _ in range(size)]
        chunks = [write_chunk(samples, rng) for samples in expected]
        assert samples_of(decode_chunks(*joined(chunks), work=work)) == expected


def test_present_tells_where_samples_are() -> None:
    rng = random.Random(8)
    decoded = decode_chunks(*joined([write_chunk(random_samples(rng, count), rng) for count in (2, 0, 3)]))
    assert decoded.present.tolist() == [[True, False, True], [True, False, True], [False, False, True]]


TWO = [(1_700_000_000_000, 1 << 62), (1_700_000_300_000, 3 << 61)]

DAMAGE = [
    pytest.param(b"", "no room for a count", id="nothing"),
    pytest.param(b"\x00", "no room for a count", id="half a count"),
    pytest.param(b"\x00\x01" + bytes(8), "more samples promised", id="no room for one sample"),
    pytest.param(b"\x00\x02" + bytes(9), "more samples promised", id="no room for two"),
    pytest.param(b"\xff\xff" + bytes(40), "more samples promised", id="65535 samples in 42 bytes"),
    pytest.param(write_chunk(TWO, random.Random(1)) + b"\0", "do not end where the chunk ends", id="a byte too many"),
    pytest.param(
        write_chunk(TWO, random.Random(1))[:-1], "do not end where the chunk ends|window of more", id="a byte too few"
    ),
    pytest.param(b"\x00\x01" + b"\xff" * 18 + bytes(8), "more than 64 bits", id="a time without end"),
    pytest.param(b"\x00\x02" + bytes(10) + b"\xf8" + bytes(20), "window of more than 64", id="31 zeros and 64 bits"),
    pytest.param(
        b"\x00\x02" + bytes(10) + b"\x80" + bytes(8),
        "do not end where the chunk ends",
        id="the window before, but none was",
    ),
    pytest.param(b"\x00\x00\x00\x00", "do not end where the chunk ends", id="no samples, but two bytes"),
]


@pytest.mark.parametrize(("chunk", "words"), DAMAGE)
def test_damage_is_named_with_the_place_of_the_chunk(chunk: bytes, words: str) -> None:
    good = write_chunk(TWO, random.Random(1))
    with pytest.raises(FormatError, match=words) as caught:
        decode([good, chunk, good])
    assert (caught.value.section, caught.value.offset) == ("XOR chunk", len(good))


@pytest.mark.parametrize(("start", "end"), [(-1, 20), (0, 1_000), (30, 20), (1 << 40, (1 << 40) + 50)])
def test_bounds_outside_the_buffer(start: int, end: int) -> None:
    with pytest.raises(FormatError, match="bounds outside"):
        read_counts(np.zeros(40, np.uint8), np.array([start]), np.array([end]))
