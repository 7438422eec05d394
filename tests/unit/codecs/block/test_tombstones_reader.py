from __future__ import annotations

import random

import numpy as np
import pytest

from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from promfill.codecs.block.tombstones_reader import decode_tombstones
from promfill.errors import FormatError
from promfill.model.ragged_batch import RaggedBatch
from tests.support.blocks import tombstones_file
from tests.support.golden import FOLDER

STONES = [(0, -(1 << 63), (1 << 63) - 1), (1 << 40, -5, 7), (3, 0, 0)]


def test_stones_of_every_size() -> None:
    stones = decode_tombstones(tombstones_file(STONES))
    assert len(stones) == 3
    assert list(zip(stones.ids.tolist(), stones.min_times.tolist(), stones.max_times.tolist(), strict=True)) == STONES


def test_none() -> None:
    golden = next((FOLDER / "block_floats").iterdir()) / "tombstones"
    assert len(decode_tombstones()) == len(decode_tombstones(golden.read_bytes())) == 0


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "magic number"),
        (EMPTY_TOMBSTONES[:-1], "magic number"),
        (b"\0" + EMPTY_TOMBSTONES[1:], "magic number"),
        (EMPTY_TOMBSTONES[:4] + b"\2" + EMPTY_TOMBSTONES[5:], "at byte 4: version 2; 1 can be read"),
        (EMPTY_TOMBSTONES[:-1] + b"\1", "checksum does not match"),
        (tombstones_file(STONES)[:-1] + b"\0", "checksum does not match"),
        (tombstones_file([(1 << 70, 0, 0)]), "at byte 5: a number of more than 64 bits"),
    ],
)
def test_damage(data: bytes, words: str) -> None:
    with pytest.raises(FormatError, match=words):
        decode_tombstones(data)


@pytest.mark.parametrize("body", [b"\x01", b"\x01\x02\x83", b"\x01\x02"])
def test_a_stone_that_is_cut_off(body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promfill.codecs.block.tombstones_reader.crc32c", lambda _: 0)
    with pytest.raises(FormatError, match="last stone is cut off"):
        decode_tombstones(EMPTY_TOMBSTONES[:5] + body + bytes(4))


def batch(*runs: list[int]) -> RaggedBatch:
    """One run of these times for each series; a value is its place among all."""
    times = np.array([time for run in runs for time in run], np.int64)
    bounds = np.cumsum([0, *map(len, runs)])
    return RaggedBatch(np.arange(len(runs)), bounds, times, np.arange(times.size, dtype=np.uint64))


def left(stones: list[tuple[int, int, int]], ids: list[int], *runs: list[int]) -> list[list[int]]:
    """The times that are left of each run, once the stones are applied; their values have stayed beside them."""
    samples = batch(*runs)
    found = decode_tombstones(tombstones_file(stones)).applied(samples, np.array(ids, np.int64))
    assert (samples.times[found.bits.astype(np.int64)] == found.times).all()
    assert found.rows.tolist() == list(range(len(runs)))
    return [found.times[start:stop].tolist() for start, stop in zip(found.bounds[:-1], found.bounds[1:], strict=True)]


@pytest.mark.parametrize(
    ("stone", "kept"),
    [
        ((9, 10, 20), [0, 30]),
        ((9, 11, 19), [0, 10, 20, 30]),
        ((9, 20, 20), [0, 10, 30]),
        ((9, -5, 0), [10, 20, 30]),
        ((9, 30, 99), [0, 10, 20]),
        ((9, -(1 << 63), (1 << 63) - 1), []),
        ((9, 31, 99), [0, 10, 20, 30]),
        ((9, 20, 10), [0, 10, 20, 30]),
        ((8, 0, 99), [0, 10, 20, 30]),
        ((10, 0, 99), [0, 10, 20, 30]),
    ],
)
def test_a_stone_covers_a_closed_range_of_its_series(stone: tuple[int, int, int], kept: list[int]) -> None:
    assert left([stone], [9], [0, 10, 20, 30]) == [kept]
    assert left([stone], [5, 9, 12], [10], [0, 10, 20, 30], [20]) == [[10], kept, [20]]


def test_stones_that_overlap_and_series_in_any_order() -> None:
    stones = [(7, 0, 15), (3, 5, 5), (7, 10, 25), (99, 0, 99), (3, 40, 50)]
    assert left(stones, [7, 5, 3], [0, 10, 20, 30], [5, 40], [0, 5, 40, 60]) == [[30], [5, 40], [0, 60]]
    assert left(stones, []) == []
    assert left(stones, [7, 3], [], []) == [[], []]
    assert left([], [7], [1, 2]) == [[1, 2]]


@pytest.mark.parametrize("seed", range(20))
def test_what_is_left_is_what_no_stone_covers(seed: int) -> None:
    rng = random.Random(seed)
    ids = rng.sample(range(40), 6)
    runs = [sorted(rng.sample(range(60), rng.randint(0, 20))) for _ in ids]
    stones = [(rng.randrange(40), low, low + rng.randint(0, 30)) for low in rng.choices(range(60), k=12)]
    covered = {(series, time) for series, low, high in stones for time in range(low, high + 1)}
    assert left(stones, ids, *runs) == [
        [time for time in run if (series, time) not in covered] for series, run in zip(ids, runs, strict=True)
    ]
