from __future__ import annotations

import json
import shutil
from pathlib import Path

import crc32c
import numpy as np
import pytest

from promfill.blocks.block import NO_HISTOGRAM, Block, open_block
from promfill.blocks.check import block_is_whole, check_block
from promfill.blocks.matchers import parse_selector
from promfill.errors import FormatError, InputError
from promfill.model.batch import LabelSet
from tests.support.blocks import ULID, Chunks, samples_by_labels, tombstones_file, write_block
from tests.support.golden import FOLDER, golden_json
from tests.support.xor_streams import Sample

FLOATS = next((FOLDER / "block_floats").iterdir())
HISTOGRAMS = next((FOLDER / "block_histograms").iterdir())


def labels(**pairs: str) -> LabelSet:
    return tuple(sorted(pairs.items()))


def series(start: int, count: int, step: int = 10) -> list[Sample]:
    return [(start + step * place, (start + place) << 40) for place in range(count)]


A, B, C = labels(__name__="a", job="x"), labels(__name__="a", job="y", zone="z"), labels(__name__="b", job="x")


@pytest.fixture
def small(tmp_path: Path) -> Block:
    return open_block(write_block(tmp_path, {A: [series(0, 3)], B: [series(5, 2)], C: [series(7, 1)]}))


def test_the_golden_block_holds_what_went_in() -> None:
    expected = {
        labels(**{name: value for name, value in case["labels"].items() if value}): list(
            zip(case["t_ms"], (int(bits, 16) for bits in case["v_bits_hex"]), strict=True)
        )
        for case in golden_json("block_floats.json")
    }
    block = open_block(FLOATS)
    assert samples_by_labels(block) == expected
    assert [block.fleet.label_set(row) for row in range(len(block))] == sorted(expected)
    assert (block.meta.stats.samples, block.index.version) == (2307, 2)


@pytest.mark.parametrize("at_once", [1, 200, 1 << 20])
def test_runs_of_any_size_hold_the_same(at_once: int) -> None:
    block = open_block(FLOATS)
    runs = list(block.samples(at_once=at_once))
    assert np.concatenate([run.rows for run in runs]).tolist() == list(range(19))
    assert np.concatenate([run.times for run in runs]).tolist() == next(block.samples(at_once=1 << 30)).times.tolist()
    assert at_once > 200 or all(len(run) == 1 or run.times.size <= 2 * max(at_once, 120) for run in runs)


def test_histograms_are_named_and_not_read_as_floats() -> None:
    block = open_block(HISTOGRAMS)
    (plain,) = block.select(parse_selector("plain_beside"))
    (run,) = block.samples(np.array([plain]))
    assert run.counts.tolist() == [150]
    with pytest.raises(FormatError, match="chunks/000001 at byte 11: a chunk of kind histogram; only floats"):
        list(block.samples())


@pytest.mark.parametrize(
    ("encoding", "name"), [(2, "histogram"), (3, "float histogram"), (5, "start timestamps"), (6, "float")]
)
def test_other_kinds_of_chunks_are_named(tmp_path: Path, encoding: int, name: str) -> None:
    block = open_block(write_block(tmp_path, {A: [series(0, 3)]}, encodings={A: encoding}))
    with pytest.raises(FormatError, match=name):
        list(block.samples())


def test_xor2_chunks_are_read_beside_others(tmp_path: Path) -> None:
    chunks: dict[LabelSet, Chunks] = {A: [series(0, 300), series(5000, 2)], B: [series(5, 119), series(5000, 121)]}
    block = open_block(write_block(tmp_path, chunks, encodings={A: 4}))
    assert samples_by_labels(block) == {name: [s for chunk in parts for s in chunk] for name, parts in chunks.items()}
    assert check_block(block, decode=True).samples == {4: 302, 1: 240}


def test_label_names_and_values(small: Block) -> None:
    assert small.label_names() == ["__name__", "job", "zone"]
    assert small.label_values("job") == ["x", "y"]
    assert small.label_values("nope") == small.label_values("x") == []


@pytest.mark.parametrize(
    ("selector", "rows"),
    [
        ("a", [0, 1]),
        ('{job="x"}', [0, 2]),
        ('{job!="x"}', [1]),
        ('{job=~"x|z"}', [0, 2]),
        ('{job=~".+",__name__!~"b.*"}', [0, 1]),
        ('{zone=""}', [0, 2]),
        ('{zone!=""}', [1]),
        ('{zone=~".*"}', [0, 1, 2]),
        ('{nope=~"a?"}', [0, 1, 2]),
        ('{nope="a"}', []),
        ('{job=~"X"}', []),
        ('b{job="x"}', [2]),
    ],
)
def test_select(small: Block, selector: str, rows: list[int]) -> None:
    assert small.select(parse_selector(selector)).tolist() == rows


def test_rows_come_in_the_order_asked_for(small: Block) -> None:
    (run,) = small.samples(np.array([2, 0]))
    assert (run.rows.tolist(), run.bounds.tolist(), run.times.tolist()) == ([2, 0], [0, 1, 4], [7, 0, 10, 20])


def test_a_range_of_time_is_closed(tmp_path: Path) -> None:
    block = open_block(write_block(tmp_path, {A: [series(0, 5), series(50, 5)], B: [series(1000, 5)]}))
    (run,) = block.samples(min_time=20, max_time=60)
    assert (run.times.tolist(), run.bounds.tolist()) == ([20, 30, 40, 50, 60], [0, 5, 5])


def test_chunks_over_120_samples_in_several_segments(tmp_path: Path) -> None:
    chunks: dict[LabelSet, Chunks] = {
        A: [series(0, 1000), series(20_000, 1), series(30_000, 300)],
        B: [series(5, 119), series(5000, 121)],
    }
    block = open_block(write_block(tmp_path, chunks, chunks_per_segment=2))
    assert len(block.segments) == 3
    assert samples_by_labels(block) == {name: [s for chunk in parts for s in chunk] for name, parts in chunks.items()}


def test_overlapping_chunks_are_merged_and_the_first_of_two_samples_stays(tmp_path: Path) -> None:
    first, second = series(0, 5), [(5, 1), (20, 2), (45, 3)]
    block = open_block(write_block(tmp_path, {A: [first, second], B: [series(0, 2)]}))
    found = samples_by_labels(block)
    assert found[A] == sorted([*first, (5, 1), (45, 3)])
    assert found[B] == series(0, 2)


def test_tombstones_cover_closed_ranges_of_their_series(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [series(0, 6)], B: [series(0, 6)]})
    _, b = open_block(path).series.ids.tolist()
    (path / "tombstones").write_bytes(tombstones_file([(b, 10, 20), (b, 20, 35), (b, -5, -1), (b + 7, 0, 99)]))
    block = open_block(path)
    assert [[time for time, _ in samples_by_labels(block)[name]] for name in (A, B)] == [
        [0, 10, 20, 30, 40, 50],
        [0, 40, 50],
    ]


def test_a_missing_tombstones_file_deletes_nothing(tmp_path: Path) -> None:
    block = open_block(write_block(tmp_path, {A: [series(0, 3)]}, tombstones=None))
    assert samples_by_labels(block) == {A: series(0, 3)}


def test_index_version_3_and_unknown_fields_of_meta(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [series(0, 3)]})
    index = bytearray((path / "index").read_bytes())
    index[4] = 3
    (path / "index").write_bytes(index)
    meta = json.loads((path / "meta.json").read_bytes())
    meta |= {"thanos": {"labels": {"a": "b"}}, "new": [1]}
    meta["compaction"]["failed"] = True
    (path / "meta.json").write_text(json.dumps(meta))
    block = open_block(path)
    assert block.index.version == 3
    assert samples_by_labels(block) == {A: series(0, 3)}


def test_a_fleet_where_the_symbols_lack_the_empty_string(small: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    assert [small.fleet.label_set(row) for row in range(3)] == [A, B, C]
    symbols = [text for text in small.index.symbols if text]
    monkeypatch.setattr(small.index, "symbols", type(small.index.symbols).from_list(symbols))
    for references in (small.series.names, small.series.values):
        references -= np.uint32(1)
    del small.fleet
    assert [small.fleet.label_set(row) for row in range(3)] == [A, B, C]
    assert small.fleet.symbols[0] == b""


def test_no_block_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a block directory"):
        open_block(tmp_path / "nope")


@pytest.mark.parametrize("name", ["meta.json", "index"])
def test_a_missing_file_is_damage(tmp_path: Path, name: str) -> None:
    path = write_block(tmp_path, {A: [series(0, 3)]})
    (path / name).unlink()
    with pytest.raises(FormatError, match=f"{name} is missing"):
        open_block(path)


def test_a_missing_segment_is_damage(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [series(0, 3)]})
    shutil.rmtree(path / "chunks")
    with pytest.raises(FormatError, match="a segment that is not there"):
        list(open_block(path).samples())


def test_whole_means_right_and_as_expected(tmp_path: Path) -> None:
    path = write_block(tmp_path, {A: [series(0, 300)]})
    meta = open_block(path).meta
    assert block_is_whole(path, meta)
    assert not block_is_whole(path, open_block(FLOATS).meta)
    assert not block_is_whole(path.with_name(ULID[::-1]), meta)
    segment = path / "chunks" / "000001"
    segment.write_bytes(segment.read_bytes()[:-1])
    assert not block_is_whole(path, meta)


def test_a_fleet_has_columns_for_so_many_cells_and_no_more(small: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = len(small) * len(small.label_names())
    monkeypatch.setattr("promfill.blocks.block._MOST_CELLS", cells)
    assert len(small.fleet) == len(small)
    again = open_block(small.path)
    monkeypatch.setattr("promfill.blocks.block._MOST_CELLS", cells - 1)
    with pytest.raises(InputError, match="too many for columns"):
        _ = again.fleet


@pytest.mark.parametrize("ref", [-1 << 32, -1, 1 << 32, 5 << 32])
def test_a_reference_to_no_segment(small: Block, ref: int) -> None:
    small.series.refs[-1] = ref
    with pytest.raises(FormatError, match="lies in a segment that is not there"):
        list(small.samples())


def test_series_end_before_their_first_chunk_of_histograms(tmp_path: Path) -> None:
    """Of the second of three chunks, of the first, of none; and a range that begins after that."""
    mixed, late = [series(0, 3), series(100, 3), series(200, 3)], [series(0, 3), series(100, 3)]
    path = write_block(tmp_path, {A: mixed, B: late})
    refs = open_block(path).series.refs.tolist()
    segment = path / "chunks" / "000001"
    data = bytearray(segment.read_bytes())
    for number in (1, 3):
        start = refs[number]
        data[start + 1] = 2
        end = start + 2 + data[start]
        data[end : end + 4] = crc32c.crc32c(bytes(data[start + 1 : end])).to_bytes(4)
    segment.write_bytes(data)
    block = open_block(path)
    rows = np.arange(2)
    for low, high, times, stops in [
        (0, 999, [[0, 10, 20], []], [100, 0]),
        (10, 999, [[10, 20], []], [100, 10]),
        (50, 999, [[], [100, 110, 120]], [100, NO_HISTOGRAM]),
        (105, 999, [[], [110, 120]], [105, NO_HISTOGRAM]),
        (0, 50, [[0, 10, 20], []], [NO_HISTOGRAM, 0]),
        (200, 999, [[200, 210, 220], []], [NO_HISTOGRAM] * 2),
    ]:
        ((found, when),) = block.samples_until_histograms(rows, low, high)
        parts = np.split(found.times, found.bounds[1:-1])
        assert ([part.tolist() for part in parts], when.tolist()) == (times, stops), (low, high)
