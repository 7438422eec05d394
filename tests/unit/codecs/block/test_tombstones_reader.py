from __future__ import annotations

import pytest

from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from promfill.codecs.block.tombstones_reader import decode_tombstones
from promfill.errors import FormatError
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
