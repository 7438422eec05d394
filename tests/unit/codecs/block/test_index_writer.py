"""The index: golden bytes of Prometheus, and what the property test against the scalar writer does not reach."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest

from promfill.codecs.block import index_writer
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex, encode_indices
from promfill.errors import InputError
from promfill.model.batch import LabelSet
from tests.support.fleets import fleet_of, label_order
from tests.support.golden import FOLDER, golden_json
from tests.support.index_reference import read_reference, reference_index
from tests.support.indices import chunk_metas, index_files

(GOLDEN,) = (FOLDER / "block_floats").iterdir()


def test_the_golden_index_byte_for_byte() -> None:
    index = (GOLDEN / "index").read_bytes()
    label_sets, chunks = zip(*read_reference(index), strict=True)
    fleet = fleet_of(label_sets)
    assert [fleet.label_set(row) for row in range(len(fleet))] == list(label_sets)
    assert index_files(FleetIndex(fleet), chunks) == [index]


def test_the_golden_index_holds_what_went_in() -> None:
    series = read_reference((GOLDEN / "index").read_bytes())
    sources = {
        tuple(sorted((name, value) for name, value in source["labels"].items() if value)): source["t_ms"]
        for source in golden_json("block_floats.json")
    }
    assert sorted(sources, key=label_order) == [labels for labels, _ in series]
    for labels, chunks in series:
        assert (chunks[0][0], chunks[-1][1]) == (sources[labels][0], sources[labels][-1])


def test_the_reference_writer_equals_the_golden_index() -> None:
    index = (GOLDEN / "index").read_bytes()
    assert reference_index(read_reference(index)) == index


def label_set(number: int) -> LabelSet:
    return (("__name__", "m"), ("instance", f"host-{number:04d}"), ("rack", f"{number // 40}"))


@pytest.mark.parametrize("rows", [1, 3, 1024, 8192])
@pytest.mark.parametrize("ragged", [False, True])
def test_a_larger_fleet_in_batches_equals_the_scalar_index(
    rows: int, ragged: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offsets here take three and four bytes, and postings lists are cut into several pieces."""
    monkeypatch.setattr(index_writer, "_BATCH_ROWS", rows)
    labels = [label_set(number) for number in range(3000)]
    refs = np.arange(8, 8 + 6000 * 700, 700).reshape(3000, 2).tolist()
    chunks = [[(0, 35_700_000, first), (36_000_000, 50_000_000, second)] for first, second in refs]
    if ragged:
        chunks[500:600] = [chunks[:1] for chunks in chunks[500:600]]
    expected = reference_index(zip(labels, chunks, strict=True))
    assert index_files(FleetIndex(fleet_of(labels)), chunks) == [expected]


def test_shared_times_need_no_table() -> None:
    refs = np.array([[8, 90], [120, 200], [300, 10_000]])
    labels = [label_set(number) for number in range(3)]
    chunks = ChunkMetas.with_shared_times(np.array([-5, 70]), np.array([60, 90]), refs)
    expected = [[(-5, 60, first), (70, 90, second)] for first, second in refs.tolist()]
    (index,) = (b"".join(pieces) for pieces in zip(*encode_indices(FleetIndex(fleet_of(labels)), chunks), strict=True))
    assert index == reference_index(zip(labels, expected, strict=True))


def test_pieces_are_bytes_of_the_file_in_order() -> None:
    pieces = [one for (one,) in encode_indices(FleetIndex(fleet_of([label_set(0)])), chunk_metas([[(0, 0, 8)]]))]
    assert all(len(piece) == len(bytes(piece)) for piece in pieces)
    assert bytes(pieces[0]) == bytes.fromhex("baaad70002")
    assert len(pieces[-1]) == 52


def test_times_before_the_epoch_and_references_in_later_segments() -> None:
    refs = [[8, 3 << 32 | 8], [4 << 32 | 100, 5 << 32 | 8]]
    labels = [label_set(0), label_set(1)]
    chunks = [[(-900, -200, first), (-100, 50, second)] for first, second in refs]
    (index,) = index_files(FleetIndex(fleet_of(labels)), chunks)
    assert read_reference(index) == list(zip(labels, chunks, strict=True))


@pytest.mark.parametrize(
    ("times", "refs", "message"),
    [
        ([(0, -1), (10, 15)], [[8, 9], [10, 11]], "ends before it begins"),
        ([(0, 10), (10, 15)], [[8, 9], [10, 11]], "begins before the chunk before it ends"),
        ([(0, 5), (10, 15)], [[8, 8], [10, 11]], "do not rise"),
        ([(0, 5), (10, 15)], [[8, 9], [9, 11]], "do not rise"),
        ([(0, 5), (10, 15)], [[8, 9], [7, 11]], "do not rise"),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_disorder_is_refused_in_every_block(
    times: list[tuple[int, int]], refs: list[list[int]], message: str, place: int
) -> None:
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    blocks = [[[(0, 5, 8), (10, 15, 9)], [(0, 5, 10), (10, 15, 11)]]] * 3
    blocks[place] = [[(*time, ref) for time, ref in zip(times, series, strict=True)] for series in refs]
    with pytest.raises(ValueError, match=message):
        index_files(index, *blocks)


def test_disorder_between_batches_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_writer, "_BATCH_ROWS", 1)
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    with pytest.raises(ValueError, match="do not rise"):
        index_files(index, [[(0, 5, 9)], [(0, 5, 8)]])


def test_a_fleet_in_batches_has_its_blocks_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_writer, "_BATCH_ROWS", 1)
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    assert index.blocks_at_once == 1
    with pytest.raises(ValueError, match="one at a time"):
        index_files(index, *[[[(0, 5, 8)], [(0, 5, 9)]]] * 2)


def test_more_series_than_ids_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_writer, "MAX_SERIES_END", 64)
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    with pytest.raises(InputError, match="64 GiB"):
        index_files(index, [[(0, 5, 8)], [(0, 5, 9)]])


def test_the_table_of_contents_points_at_the_sections() -> None:
    (file,) = index_files(FleetIndex(fleet_of([label_set(0)])), [[(0, 5, 8)]])
    symbols, series, label_indices, label_table, postings, table = struct.unpack(">6Q", file[-52:-4])
    assert (symbols, label_indices, label_table) == (5, postings, table)
    assert series == symbols + 8 + struct.unpack_from(">I", file, symbols)[0]
    assert struct.unpack_from(">I", file, table + 4) == (4,)
    assert file[table + 8 : table + 11] == b"\x02\0\0"


def test_blocks_encoded_at_once_do_not_touch_each_other() -> None:
    fleet = fleet_of([label_set(number) for number in range(5)])
    refs = [1000 * number + 8 for number in range(10)]
    short = [[(0, 5, refs[2 * k]), (9, 2**40, refs[2 * k + 1])] for k in range(5)]
    long = [
        [(2**48 * k, 2**48 * k + 5, refs[2 * k]), (2**48 * k + 2**32, 2**49 * k + 2**40, refs[2 * k + 1])]
        for k in range(5)
    ]
    ragged = [chunks[: 1 + k % 2] for k, chunks in enumerate(short)]
    many = [[(k, k, 10_000 * number + 8 + 9 * k) for k in range(40)] for number in range(5)]
    blocks = [short, long, ragged, many, short]
    assert index_files(FleetIndex(fleet), *blocks) == [index_files(FleetIndex(fleet), block)[0] for block in blocks]


def test_one_very_long_series_among_many_short_ones_takes_no_table_of_them_all() -> None:
    """A table of all chunks of all series would hold 9 million references: 72 MB, and twice as much of times."""
    index = FleetIndex(fleet_of([label_set(number) for number in range(3000)]))
    counts = np.ones(3000, np.int64)
    counts[1234] = 3000
    times = 10 * np.arange(counts.sum())
    chunks = ChunkMetas(counts, times, times + 5, 8 + times)
    tracemalloc.start()
    size = sum(len(piece) for (piece,) in encode_indices(index, chunks))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 100_000
    assert peak < 20e6
