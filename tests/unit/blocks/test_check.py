from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promfill.blocks.block import open_block
from promfill.blocks.check import check_block
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from tests.support.blocks import record, samples_by_labels, write_block
from tests.support.golden import FOLDER
from tests.support.index_reference import reference_index
from tests.support.xor_streams import Sample

A: LabelSet = (("__name__", "a"), ("job", "x"))
B: LabelSet = (("__name__", "a"), ("job", "x"), ("zone", "z"))


def series(start: int, count: int) -> list[Sample]:
    return [(start + 10 * place, place << 50) for place in range(count)]


@pytest.fixture
def block(tmp_path: Path) -> Path:
    return write_block(tmp_path, {A: [series(0, 120), series(1200, 50)], B: [series(3, 2)]}, chunks_per_segment=2)


@pytest.mark.parametrize("decode", [False, True])
def test_what_a_good_block_holds(decode: bool) -> None:
    floats = check_block(next((FOLDER / "block_floats").iterdir()), decode=decode)
    assert (floats.series, floats.chunks, floats.samples) == (19, {1: 30}, {1: 2307})
    assert (floats.min_time, floats.max_time) == (1700006317800, 1700092500000)
    mixed = check_block(next((FOLDER / "block_histograms").iterdir()), decode=decode)
    assert (mixed.chunks, mixed.samples) == ({1: 2, 2: 6, 3: 5}, {1: 150, 2: 450, 3: 150})


def test_several_segments(block: Path) -> None:
    assert check_block(block, decode=True).samples == {1: 172}


@pytest.mark.parametrize(("encoding", "count"), [(4, 0xC003), (5, 3), (6, 3)])
def test_counts_beside_the_counter_resets_of_histograms(tmp_path: Path, encoding: int, count: int) -> None:
    path = write_block(tmp_path, {A: [series(0, 3)]}, encodings={A: encoding})
    (path / "chunks" / "000001").write_bytes(
        bytes.fromhex("85bd40dd01000000") + record(b"\xc0\x03" + bytes(9), encoding)
    )
    kind = "numHistogramSamples" if encoding > 4 else "numFloatSamples"
    meta(path, lambda document: document["stats"].update({"numSamples": count, kind: count}))
    assert check_block(path).samples == {encoding: count}


def meta(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((path / "meta.json").read_bytes())
    change(document)
    (path / "meta.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m["stats"].update(numSeries=3), "numSeries is 3, but the block holds 2"),
        (lambda m: m["stats"].update(numChunks=4), "numChunks is 4, but the block holds 3"),
        (lambda m: m["stats"].update(numSamples=1), "numSamples is 1, but the block holds 172"),
        (lambda m: m["stats"].update(numFloatSamples=1), "numFloatSamples is 1"),
        (lambda m: m["stats"].update(numHistogramSamples=1), "numHistogramSamples is 1"),
        (lambda m: m.update(minTime=1), "outside minTime … maxTime"),
        (lambda m: m.update(maxTime=1690), "outside minTime … maxTime"),
    ],
)
def test_meta_that_lies(block: Path, change: Callable[[dict[str, Any]], None], words: str) -> None:
    meta(block, change)
    with pytest.raises(FormatError, match=words):
        check_block(block)


def test_bytes_between_and_behind_the_chunks(block: Path) -> None:
    segment = block / "chunks" / "000002"
    good = segment.read_bytes()
    segment.write_bytes(good + b"\0")
    with pytest.raises(FormatError, match=f"chunks/000002 at byte {len(good)}: bytes that belong to no chunk"):
        check_block(block)


def test_a_segment_that_nothing_refers_to(block: Path) -> None:
    (block / "chunks" / "000003").write_bytes(bytes.fromhex("85bd40dd01000000") + record(bytes(11)))
    with pytest.raises(FormatError, match="chunks/000003 at byte 8: bytes that belong to no chunk"):
        check_block(block)


def test_times_of_the_index_and_of_the_samples(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [series(0, 5)]})
    (path / "index").write_bytes(reference_index([(A, [(0, 39, 8)])]))
    assert check_block(path).samples == {1: 5}
    with pytest.raises(FormatError, match="first or last time differs from the index"):
        check_block(path, decode=True)


def test_samples_that_stand_still(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [[(0, 1), (5, 2), (5, 3), (9, 4)]]})
    with pytest.raises(FormatError, match="times do not ascend"):
        check_block(path, decode=True)


def test_chunks_that_share_a_millisecond_are_damage_and_read_as_one_sample(tmp_path: Path) -> None:
    """Prometheus answers such a series with both samples of the time; Mimir refuses the block."""
    for number, (second, right) in enumerate([(1200, True), (1190, False), (1180, False)]):
        path = write_block(tmp_path / str(number), {A: [series(0, 120), series(second, 3)], B: [series(0, 2)]})
        if right:
            check_block(path, decode=True)
        else:
            with pytest.raises(FormatError, match="chunks overlap or are not in order"):
                check_block(path)
        found = samples_by_labels(open_block(path))[A]
        assert [time for time, _ in found] == sorted({*range(0, 1200, 10), *range(second, second + 30, 10)})
        assert dict(found)[1190] == 119 << 50
