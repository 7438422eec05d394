"""Blocks written directly: two decoders read them to the plain message, whatever the values, labels and shapes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import snappy
from numpy.typing import NDArray

from promfill.codecs.remote_write.snappy_rows import SnappyTemplate, copy, fits, literal, shared_bytes
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.scratch import Scratch
from tests.support.fleets import fleet_of
from tests.support.remote_write import batch_of
from tests.support.snappy_reference import decompress

START, STEP = 1_700_006_400_000, 300_000
NAMES = ("short", "of all lengths", "long and alike", "two lengths", "utf-8")


def fleet(kind: str, series: int) -> Fleet:
    texts: dict[str, Callable[[int], str]] = {
        "short": lambda row: f"{row:04}",
        "of all lengths": lambda row: "x" * (row + 1),
        "long and alike": lambda row: "y" * 200 + f"{row:04}" + "z" * 90,
        "two lengths": lambda row: str(row) if row % 3 else f"{row:09}",
        "utf-8": lambda row: f"ä→{row:05}✓",
    }
    return fleet_of((("__name__", "m"), ("a", "same"), ("host", texts[kind](row))) for row in range(series))


def values(kind: str, steps: int, series: int) -> NDArray[np.uint64]:
    rng = np.random.default_rng(steps * 1000 + series)
    made = {
        "normal": rng.normal(20, 3, (steps, series)),
        "snapped": np.round(rng.normal(20, 3, (steps, series)) * 128) / 128,
        "integers": np.round(rng.normal(20, 3, (steps, series))),
        "one": np.full((steps, series), 1.5),
        "signs": rng.normal(0, 1, (steps, series)),
        "zero": np.zeros((steps, series)),
    }
    if kind == "bits":
        return rng.integers(0, 1 << 64, (steps, series), np.uint64)
    if kind == "stale":
        return np.full((steps, series), 0x7FF0000000000002, np.uint64)
    return made[kind].view(np.uint64)


KINDS = ("normal", "snapped", "integers", "one", "signs", "zero", "bits", "stale")


def compress(batch: SeriesBatch, encoder: WriteRequestEncoder | RequestEncoder) -> bytes:
    bits = batch.values.view(np.uint64)
    template = SnappyTemplate(encoder.frame(batch.series), len(bits), shared_bytes(bits))
    return template.fill(bits, batch.timestamps, Scratch())


@pytest.mark.parametrize("version", [WriteRequestEncoder, RequestEncoder])
@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_the_block_is_the_message(
    kind: str, names: str, version: type[WriteRequestEncoder] | type[RequestEncoder]
) -> None:
    for steps, series in ((2, 2), (2, 3), (12, 40), (60, 7), (100, 2)):
        one = fleet(names, series)
        batch = batch_of(one, [START + STEP * step for step in range(steps)], values(kind, steps, series))
        encoder = version(one)
        block = compress(batch, encoder)
        message = encoder.encode(batch).tobytes()
        assert snappy.decompress(block) == message
        assert decompress(block) == message


def test_a_template_is_filled_again_and_again() -> None:
    one = fleet("two lengths", 50)
    encoder, work = WriteRequestEncoder(one), Scratch()
    template = SnappyTemplate(encoder.frame(range(50)), 12, (0, 0))
    for turn in range(3):
        times = [START + STEP * (12 * turn + step) for step in range(12)]
        batch = batch_of(one, times, np.random.default_rng(turn).integers(0, 1 << 64, (12, 50), np.uint64))
        block = template.fill(batch.values.view(np.uint64), batch.timestamps, work)
        assert snappy.decompress(block) == encoder.encode(batch).tobytes()


@pytest.mark.parametrize("high", range(8))
def test_bytes_that_all_values_share(high: int) -> None:
    low = 7 - high
    bits = np.array([[0x0102030405060708, 0x0102030405060708 ^ (0x80 << 8 * low)]], np.uint64)
    assert shared_bytes(bits) == (high, low)


def test_values_that_are_one_share_all_but_a_byte() -> None:
    assert shared_bytes(np.full((3, 3), 7, np.uint64)) == (0, 7)


@pytest.mark.parametrize("distance", [300, 2047, 2048, 65_535])
def test_copies(distance: int) -> None:
    plain = np.random.default_rng(1).bytes(distance)
    for length in range(4, 300):
        block = varint(distance + length) + literal(distance) + plain + copy(distance, length)
        assert decompress(block) == snappy.decompress(block) == plain + plain[:length]


@pytest.mark.parametrize("length", [1, 59, 60, 61, 255, 256, 257, 65_535, 65_536])
def test_literals(length: int) -> None:
    plain = bytes(length)
    block = varint(length) + literal(length) + plain
    assert decompress(block) == snappy.decompress(block) == plain


def varint(number: int) -> bytes:
    packed: bytes = snappy.compress(bytes(number))
    return packed[: 1 + (number > 127) + (number > 16_383)]


def test_what_cannot_be_written_directly() -> None:
    frame = WriteRequestEncoder(fleet("short", 2)).frame(range(2))
    assert fits(frame, 2)
    assert not fits(frame, 1)
    assert not fits(frame, 3700)
    assert not fits(WriteRequestEncoder(fleet("short", 1)).frame(range(1)), 5)


def test_the_default_signal_is_no_larger_than_by_a_search() -> None:
    one = fleet("short", 833)
    batch = batch_of(one, [START + STEP * step for step in range(12)], values("normal", 12, 833))
    for encoder in (WriteRequestEncoder(one), RequestEncoder(one, "Backfilled metric data")):
        assert len(compress(batch, encoder)) <= len(snappy.compress(encoder.encode(batch)))
