from __future__ import annotations

import random
import struct
from collections.abc import Callable

import crc32c
import numpy as np
import pytest

from promfill.codecs.block import series_reader
from promfill.codecs.block.index_check import check_index
from promfill.codecs.block.index_reader import IndexReader
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from tests.support.fleets import label_order
from tests.support.golden import FOLDER
from tests.support.index_reference import Chunk, read_reference, reference_index

Series = list[tuple[LabelSet, list[Chunk]]]


def reader(data: bytes) -> IndexReader:
    return IndexReader(np.frombuffer(data, np.uint8))


def read(index: IndexReader) -> Series:
    entries, symbols = index.series, [text.decode() for text in index.symbols]
    found: Series = []
    for row in range(len(entries)):
        pairs = slice(*entries.label_bounds[row : row + 2].tolist())
        chunks = slice(*entries.chunk_bounds[row : row + 2].tolist())
        names, values = ([symbols[ref] for ref in refs[pairs]] for refs in (entries.names, entries.values))
        metas = (array[chunks].tolist() for array in (entries.min_times, entries.max_times, entries.refs))
        found.append((tuple(zip(names, values, strict=True)), list(zip(*metas, strict=True))))
    return found


def random_series(rng: random.Random, count: int) -> Series:
    texts = ["", "a", "\x02", "\x02\x02\x02\x02", "b" * 130, "ä", "c" * 17_000, *(f"v{n}" for n in range(50))]
    sets = {
        tuple(sorted({f"n{rng.randrange(9)}": rng.choice(texts[1:]) for _ in range(rng.randint(1, 9))}.items()))
        for _ in range(count)
    }
    ref, series = 8, []
    for labels in sorted(sets, key=label_order):
        time, chunks = rng.randint(-(1 << 45), 1 << 45), []
        for _ in range(rng.choice([1, 1, 2, 3, 40])):
            end = time + rng.choice([0, 5, 1 << 50])
            chunks.append((time, end, ref))
            time, ref = end + rng.choice([1, 1 << 40]), ref + rng.choice([20, 1 << 33])
        series.append((labels, chunks))
    return series


@pytest.mark.parametrize("name", ["block_floats", "block_histograms"])
def test_the_golden_indices(name: str) -> None:
    data = (next((FOLDER / name).iterdir()) / "index").read_bytes()
    assert read(reader(data)) == read_reference(data)
    check_index(reader(data))


@pytest.mark.parametrize("batch", [1, 300, 1 << 17])
def test_what_the_scalar_writer_wrote(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(series_reader, "_BATCH_BYTES", batch)
    series = random_series(random.Random(batch), 120)
    index = reader(reference_index(series, extra_symbols=["unused"]))
    assert read(index) == series
    check_index(index)


def test_postings_name_the_series_with_a_label() -> None:
    series = random_series(random.Random(9), 60)
    index = reader(reference_index(series))
    table = index.postings_offsets
    ids, counts = index.postings(table.offsets)
    rows = {number: row for row, number in enumerate(index.series.ids.tolist())}
    data = table.data.tobytes()
    for place, found in enumerate(np.split(ids, np.cumsum(counts)[:-1])):
        name, value = (
            data[start : start + length].decode()
            for start, length in (
                (table.name_starts[place], table.name_lengths[place]),
                (table.value_starts[place], table.value_lengths[place]),
            )
        )
        expected = [row for row, (labels, _) in enumerate(series) if not name or (name, value) in labels]
        assert [rows[number] for number in found.tolist()] == expected


ONE: LabelSet = (("__name__", "a"), ("job", "x"))
TWO: LabelSet = (("__name__", "b"), ("job", "x"))
GOOD = reference_index([(ONE, [(0, 9, 8), (10, 19, 50)]), (TWO, [(0, 9, 90)])])
SECTIONS = struct.unpack(">6Q", GOOD[-52:-4])
SYMBOLS, SERIES, POSTINGS, TABLE = SECTIONS[0], -(-SECTIONS[1] // 16) * 16, SECTIONS[4], SECTIONS[5]


def put(place: int, data: bytes) -> Callable[[bytes], bytes]:
    """Overwrite, and mend the checksum of the section or entry there, if its length still fits."""

    def change(index: bytes) -> bytes:
        changed = bytearray(index)
        changed[place : place + len(data)] = data
        for start in (SYMBOLS, TABLE):
            end = start + 4 + int.from_bytes(index[start : start + 4])
            changed[end : end + 4] = crc32c.crc32c(bytes(changed[start + 4 : end])).to_bytes(4)
        end = SERIES + 1 + index[SERIES]
        changed[end : end + 4] = crc32c.crc32c(bytes(changed[SERIES + 1 : end])).to_bytes(4)
        toc = len(index) - 52
        changed[-4:] = crc32c.crc32c(bytes(changed[toc:-4])).to_bytes(4)
        return bytes(changed)

    return change


DAMAGE = [
    pytest.param(put(0, b"\0"), "index header at byte 0: not an index", id="magic"),
    pytest.param(put(4, b"\1"), "index header at byte 4: version 1; 2 and 3", id="version 1"),
    pytest.param(put(4, b"\4"), "index header at byte 4: version 4", id="version 4"),
    pytest.param(lambda index: index[:50], "table of contents: the file is too short", id="short"),
    pytest.param(lambda index: index[:-1], "table of contents at byte .*: checksum", id="cut"),
    pytest.param(
        put(len(GOOD) - 52, b"\xff"), "symbols: the table of contents places the section at", id="symbols far away"
    ),
    pytest.param(put(SYMBOLS, b"\xff"), f"symbols at byte {SYMBOLS}: a length", id="symbols' length"),
    pytest.param(put(SYMBOLS + 4, b"\xff"), f"symbols at byte {SYMBOLS}: .* entries promised", id="symbols' count"),
    pytest.param(
        put(SYMBOLS + 7, b"\3"), "symbols at byte .*: the strings do not fill the section", id="fewer symbols"
    ),
    pytest.param(
        put(SYMBOLS + 8, b"\x80\x80\x80\x80\x80"), "symbols at byte 13: a length that does not end", id="a length"
    ),
    pytest.param(put(SYMBOLS + 10, b"\xff"), "symbols at byte .*: a string is not UTF-8", id="UTF-8"),
    pytest.param(
        put(TABLE + 7, b"\3"), "offset table at byte .*: the entries do not fill the section", id="fewer entries"
    ),
    pytest.param(put(TABLE + 8, b"\1"), "offset table at byte .*: the entries do not fill the section", id="no pair"),
    pytest.param(
        put(SERIES, b"\xff\xff\xff\x7f"), f"series at byte {SERIES}: the entry.s length exceeds", id="entry's length"
    ),
    pytest.param(put(SERIES + 1, b"\x7f"), f"series at byte {SERIES}: more labels promised", id="labels"),
    pytest.param(
        put(SERIES + 2, b"\x7f"),
        f"series at byte {SERIES}: a label refers to a symbol that does not exist",
        id="a reference",
    ),
    pytest.param(put(SERIES + 6, b"\x7f"), f"series at byte {SERIES}: more chunks promised", id="chunks"),
    pytest.param(put(SERIES + 6, b"\1"), f"series at byte {SERIES}: the entry continues", id="fewer chunks"),
    pytest.param(put(SERIES + 12, b"\xff"), f"series at byte {SERIES}: its last number does not end", id="cut number"),
    pytest.param(put(POSTINGS + 7, b"\1"), "postings at byte .*: checksum does not match", id="postings"),
]


@pytest.mark.parametrize(("change", "words"), DAMAGE)
def test_damage(change: Callable[[bytes], bytes], words: str) -> None:
    check_index(reader(GOOD))
    with pytest.raises(FormatError, match=words):
        check_index(reader(change(GOOD)))


@pytest.mark.parametrize("place", range(0, len(GOOD), 7))
def test_a_flipped_byte_is_found_unless_it_is_padding(place: int) -> None:
    index = GOOD[:place] + bytes([GOOD[place] ^ 0xFF]) + GOOD[place + 1 :]
    try:
        check_index(reader(index))
    except FormatError:
        return
    assert GOOD[place] == 0
    assert SECTIONS[1] <= place < SECTIONS[4] + 4


@pytest.mark.parametrize("labels", [(("__name__", "b"), ("job", "y")), (("__name__", "a"), ("job", "z")), ONE[:1]])
def test_a_table_of_other_series(labels: LabelSet) -> None:
    other = reference_index(sorted([(ONE, [(0, 9, 8), (10, 19, 50)]), (labels, [(0, 9, 90)])]))
    mixed = reader(GOOD)
    mixed.__dict__["postings_offsets"] = reader(other).postings_offsets
    with pytest.raises(FormatError, match=r"index (postings|series)"):
        check_index(mixed)


def test_a_list_of_other_series() -> None:
    index = reader(GOOD)
    index.postings_offsets.offsets[1:3] = index.postings_offsets.offsets[2:0:-1]
    with pytest.raises(FormatError, match="a list does not name the series that have its label"):
        check_index(index)


@pytest.mark.parametrize(
    "entry",
    [
        "02ffffff7f",
        "02ffffff016105",
        "020161ffffff01",
        "020161ffffff7f",
        "0201610162ffffffffffffffffff",
        "02016101",
        "030161016205",
    ],
)
def test_a_table_whose_entry_holds_no_lengths(entry: str) -> None:
    """One that goes on beyond the table, by the length of its name or of its value, or by its number."""
    body = struct.pack(">I", 1) + bytes.fromhex(entry)
    section = struct.pack(">I", len(body)) + body + struct.pack(">I", crc32c.crc32c(body))
    toc = struct.pack(">6Q", *SECTIONS[:5], len(GOOD) - 52)
    index = GOOD[:-52] + section + toc + struct.pack(">I", crc32c.crc32c(toc))
    with pytest.raises(FormatError, match="postings offset table"):
        _ = reader(index).postings_offsets
