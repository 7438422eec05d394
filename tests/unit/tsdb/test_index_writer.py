"""The index: golden bytes of Prometheus, and what the property test against the scalar writer does not reach."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from promfill.errors import InputError
from promfill.model import LabelSet
from promfill.tsdb import index_writer
from promfill.tsdb.index_writer import FleetIndex, encode_index
from tests.support.fleets import fleet_of, label_order
from tests.support.golden import FOLDER, golden_json
from tests.support.index_reference import Chunk, read_reference, reference_index

(GOLDEN,) = (FOLDER / "block_floats").iterdir()


def column(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


def arrays_of(chunks: list[list[Chunk]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (S, C) and references, with -1 where a series has fewer chunks than another."""
    width = max(map(len, chunks))
    table = np.array([[*series, *[(0, 0, -1)] * (width - len(series))] for series in chunks], np.int64)
    return table[:, :, 0], table[:, :, 1], table[:, :, 2]


def test_the_golden_index_byte_for_byte() -> None:
    index = (GOLDEN / "index").read_bytes()
    label_sets, chunks = zip(*read_reference(index), strict=True)
    fleet = fleet_of(label_sets)
    assert [fleet.label_set(row) for row in range(len(fleet))] == list(label_sets)
    assert b"".join(encode_index(FleetIndex(fleet), *arrays_of(list(chunks)))) == index


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
def test_a_larger_fleet_in_batches_equals_the_scalar_index(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Offsets here take three and four bytes, and postings lists are cut into several pieces."""
    monkeypatch.setattr(index_writer, "_BATCH_ROWS", rows)
    labels = [label_set(number) for number in range(3000)]
    refs = np.arange(8, 8 + 6000 * 700, 700).reshape(3000, 2)
    refs[500:600, 1] = refs[1000:1100] = -1
    min_times, max_times = column(0, 36_000_000), column(35_700_000, 50_000_000)
    chunks = [
        [(start, end, ref) for start, end, ref in zip(min_times, max_times, row, strict=True) if ref >= 0]
        for row in refs.tolist()
    ]
    symbols = {text for pairs in labels for pair in pairs for text in pair}
    expected = reference_index(zip(labels, chunks, strict=True), extra_symbols=symbols)
    assert b"".join(encode_index(FleetIndex(fleet_of(labels)), min_times, max_times, refs)) == expected


def test_pieces_are_bytes_of_the_file_in_order() -> None:
    pieces = list(encode_index(FleetIndex(fleet_of([label_set(0)])), column(0), column(0), column(8)[:, None]))
    assert all(len(piece) == len(bytes(piece)) for piece in pieces)
    assert bytes(pieces[0]) == bytes.fromhex("baaad70002")
    assert len(pieces[-1]) == 52


def test_times_before_the_epoch_and_references_in_later_segments() -> None:
    refs = np.array([[8, 3 << 32 | 8], [4 << 32 | 100, 5 << 32 | 8]])
    labels = [label_set(0), label_set(1)]
    index = b"".join(encode_index(FleetIndex(fleet_of(labels)), column(-900, -100), column(-200, 50), refs))
    expected = [[(-900, -200, first), (-100, 50, second)] for first, second in refs.tolist()]
    assert read_reference(index) == list(zip(labels, expected, strict=True))


@pytest.mark.parametrize(
    ("min_times", "max_times", "refs", "message"),
    [
        (column(0, 10), column(5, 15), [[-1, -1], [-1, -1]], "without chunks"),
        (column(0, 10), column(-1, 15), [[8, 9], [10, 11]], "ends before it begins"),
        (column(0, 10), column(10, 15), [[8, 9], [10, 11]], "begins before the chunk before it ends"),
        (column(0, 10), column(5, 15), [[8, 8], [10, 11]], "do not rise"),
        (column(0, 10), column(5, 15), [[8, 9], [9, 11]], "do not rise"),
        (column(0, 10), column(5, 15), [[8, 9], [7, 11]], "do not rise"),
    ],
)
@pytest.mark.parametrize("rows", [1, 8192])
def test_disorder_is_refused(
    min_times: np.ndarray,
    max_times: np.ndarray,
    refs: list[list[int]],
    message: str,
    rows: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(index_writer, "_BATCH_ROWS", rows)
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    with pytest.raises(ValueError, match=message):
        list(encode_index(index, min_times, max_times, np.array(refs)))


def test_times_of_missing_chunks_are_not_looked_at() -> None:
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    min_times, max_times = np.array([[0, 0, 10], [5, 3, 3]]), np.array([[5, -7, 15], [9, 2, 1]])
    encoded = b"".join(encode_index(index, min_times, max_times, np.array([[8, -1, 9], [10, -1, -1]])))
    assert [chunks for _, chunks in read_reference(encoded)] == [[(0, 5, 8), (10, 15, 9)], [(5, 9, 10)]]


def test_more_series_than_ids_can_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index_writer, "MAX_SERIES_END", 64)
    index = FleetIndex(fleet_of([label_set(0), label_set(1)]))
    with pytest.raises(InputError, match="64 GiB"):
        list(encode_index(index, column(0), column(5), np.array([[8], [9]])))


def test_the_table_of_contents_points_at_the_sections() -> None:
    file = b"".join(encode_index(FleetIndex(fleet_of([label_set(0)])), column(0), column(5), column(8)[:, None]))
    symbols, series, label_indices, label_table, postings, table = struct.unpack(">6Q", file[-52:-4])
    assert (symbols, label_indices, label_table) == (5, postings, table)
    assert series == symbols + 8 + struct.unpack_from(">I", file, symbols)[0]
    assert struct.unpack_from(">I", file, table + 4) == (4,)
    assert file[table + 8 : table + 11] == b"\x02\0\0"


def test_blocks_of_one_fleet_do_not_touch_each_other() -> None:
    fleet = fleet_of([label_set(number) for number in range(5)])
    shared = FleetIndex(fleet)
    refs = np.arange(8, 10_008, 1000, dtype=np.int64).reshape(5, 2)
    longer_entries = column(1, 2, 3, 4, 5)[:, None] * 2**48 + column(0, 2**32)
    gaps = np.where(column(0, 1, 2, 3, 4)[:, None] == 2, column(-1), refs)
    blocks = [(column(0, 9), column(5, 2**40), array) for array in (refs, longer_entries, gaps, refs)]
    pieces = [list(encode_index(shared, *block)) for block in blocks]
    for block, held in zip(blocks, pieces, strict=True):
        assert b"".join(held) == b"".join(encode_index(FleetIndex(fleet), *block))
