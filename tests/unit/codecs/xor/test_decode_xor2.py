from __future__ import annotations

import random

import numpy as np
import pytest

from promfill.codecs.xor.decode_xor2 import decode_xor2_chunks
from promfill.errors import FormatError
from promfill.model.batch import STALE_NAN_BITS
from tests.support.xor2_streams import write_xor2_chunk
from tests.support.xor_streams import Sample


def random_samples(rng: random.Random) -> list[Sample]:
    time, step, samples = rng.choice([0, 1_700_000_000_000, -5_000]), 15_000, []
    value = rng.getrandbits(64)
    for _ in range(rng.choice([1, 2, 3, 120, 200])):
        time += step + rng.choice([0, 0, 0, rng.randint(-4000, 4000), rng.randint(0, 400_000), rng.randint(0, 1 << 40)])
        value = rng.choice(
            [value, rng.getrandbits(64), value ^ 1 << rng.randint(0, 63), value ^ rng.getrandbits(12) << 40]
        )
        samples.append((time, rng.choice([value] * 8 + [STALE_NAN_BITS])))
    return samples


def start_times(rng: random.Random, samples: list[Sample]) -> list[int] | None:
    kind = rng.choice(["none", "constant", "moving", "late"])
    if kind == "none":
        return None
    if kind == "constant":
        return [samples[0][0] - 77_000] * len(samples)
    late = rng.randint(0, len(samples)) if kind == "late" else 0
    return [
        0 if place < late else time - rng.randint(1, 1 << rng.randint(1, 50)) for place, (time, _) in enumerate(samples)
    ]


def decode(chunks: list[bytes]) -> list[list[Sample]]:
    buffer = np.frombuffer(b"xx" + b"".join(chunks), np.uint8)
    ends = 2 + np.cumsum(np.array([len(chunk) for chunk in chunks], np.int64))
    decoded = decode_xor2_chunks(buffer, np.append(2, ends)[:-1], ends)
    return [
        list(zip(decoded.times[:count, column].tolist(), decoded.bits[:count, column].tolist(), strict=True))
        for column, count in enumerate(decoded.counts.tolist())
    ]


def test_chunks_of_every_kind_together() -> None:
    rng = random.Random(1)
    samples = [random_samples(rng) for _ in range(300)]
    assert decode([write_xor2_chunk(part, start_times(rng, part)) for part in samples]) == samples
    assert decode([]) == []


def test_by_hand() -> None:
    # count 4, no start timestamps, t 1000, 1.0 | delta 10, same value | 0 | 11111
    data = bytes.fromhex("000400") + bytes.fromhex("d00f") + bytes.fromhex("3ff0000000000000") + b"\x0a"
    data += bytes([0b0_0_11111_0])
    one = 0x3FF0_0000_0000_0000
    assert decode([data]) == [[(1000, one), (1010, one), (1020, one), (1030, STALE_NAN_BITS)]]


def test_damage_is_a_format_error_or_other_samples() -> None:
    rng = random.Random(2)
    for _ in range(400):
        chunk = bytearray(write_xor2_chunk(random_samples(rng)))
        for _ in range(rng.randint(1, 3)):
            chunk[rng.randrange(len(chunk))] = rng.randrange(256)
        try:
            decode([bytes(chunk[: rng.choice([len(chunk), rng.randint(0, len(chunk))])])])
        except FormatError:
            continue


@pytest.mark.parametrize(
    ("change", "what"),
    [
        (lambda data: data[:-2], "ends within a sample|more samples"),
        (lambda data: data + b"\0", "continues after"),
        (lambda data: data[:2], "no room"),
        (lambda data: b"\xff\xff" + data[2:], "more samples promised"),
    ],
)
def test_lengths_are_checked(change: object, what: str) -> None:
    data = write_xor2_chunk([(1000 + 15_000 * place, place << 40) for place in range(50)])
    assert callable(change)
    with pytest.raises(FormatError, match=what):
        decode([change(data)])


@pytest.mark.parametrize("count", [1, 2, 127, 128, 255, 256, 257, 300, 511, 512, 1000])
def test_chunks_of_any_size(count: int) -> None:
    samples = [(1_700_000_000_000 + 15_000 * place, place << 44) for place in range(count)]
    assert decode([write_xor2_chunk(samples)]) == [samples]


def test_a_chunk_of_no_samples_is_three_bytes() -> None:
    one = [(5, 7)]
    assert decode([b"\0\0\0"]) == [[]]
    assert decode([write_xor2_chunk(one), b"\0\0\0", write_xor2_chunk(one)]) == [one, [], one]
    with pytest.raises(FormatError, match="no room for a count"):
        decode([b"\0\0"])
