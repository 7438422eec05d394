"""Blocks read as a store: what a selection holds of overlapping and foreign ones, each series in one piece."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from pathlib import Path

import pytest

from promfill.errors import FormatError, InputError
from promfill.model.batch import LabelSet
from promfill.model.row_finder import RowFinder
from promfill.protocols import Selection
from promfill.stores import blocks as module
from promfill.stores.blocks import BlockStore
from tests.support.blocks import ULID, Chunks, write_block
from tests.support.fleets import fleet_of
from tests.support.xor_streams import Sample

A: LabelSet = (("__name__", "m"), ("host", "a"))
B: LabelSet = (("__name__", "m"), ("host", "b"))
C: LabelSet = (("__name__", "m"), ("host", "c"))
STRANGE: LabelSet = (("__name__", "m"), ("host", "z"))
LONGER: LabelSet = (("__name__", "m"), ("host", "a"), ("zone", "x"))
OTHER: LabelSet = (("__name__", "n"), ("host", "a"))
FLEET = fleet_of([A, B, C])
ALL = Selection((("__name__", "m"),), 0, 10_000)
Found = dict[LabelSet, list[Sample]]


def samples(start: int, stop: int, tag: int) -> list[Sample]:
    return [(time, tag << 40 | time) for time in range(start, stop, 10)]


def block(directory: Path, number: int, series: Mapping[LabelSet, Chunks]) -> Path:
    """A block of these series, the number in its name."""
    written = write_block(directory / "work", series)
    name = f"{ULID[:-3]}{number:03d}"
    document = json.loads((written / "meta.json").read_bytes()) | {"ulid": name}
    (written / "meta.json").write_text(json.dumps(document))
    (directory / "data").mkdir(exist_ok=True)
    return written.rename(directory / "data" / name)


def read(store: BlockStore, selection: Selection = ALL) -> Found:
    """All that is read, by label set; a series that stands in two pieces is an error."""
    found: Found = {}
    for readings in store.read(selection, RowFinder(FLEET)):
        run, strangers = readings.samples, iter(readings.strangers)
        for place, row in enumerate(run.rows.tolist()):
            part = slice(run.bounds[place], run.bounds[place + 1])
            labels = FLEET.label_set(row) if row >= 0 else next(strangers)
            assert labels not in found, labels
            found[labels] = list(zip(run.times[part].tolist(), run.bits[part].tolist(), strict=True))
        assert list(strangers) == []
    return found


def test_series_of_several_blocks_are_put_together(tmp_path: Path) -> None:
    block(tmp_path, 2, {A: [samples(1000, 1500, 2)], C: [samples(1200, 1300, 3)]})
    block(tmp_path, 1, {A: [samples(0, 1000, 1)], B: [samples(0, 50, 1), samples(60, 90, 1)]})
    store = BlockStore(tmp_path / "data")
    assert read(store) == {
        A: samples(0, 1000, 1) + samples(1000, 1500, 2),
        B: samples(0, 50, 1) + samples(60, 90, 1),
        C: samples(1200, 1300, 3),
    }
    assert (store.pending(), store.most_samples, store.name) == (0, None, f"blocks in {tmp_path / 'data'}")


def test_a_sample_that_two_blocks_hold_is_read_twice(tmp_path: Path) -> None:
    """verify counts it as doubled; so nothing is merged here. The blocks come in the order of their first times."""
    block(tmp_path, 1, {A: [samples(500, 800, 1)]})
    block(tmp_path, 2, {A: [samples(0, 600, 2)]})
    assert read(BlockStore(tmp_path / "data")) == {A: samples(0, 600, 2) + samples(500, 800, 1)}


@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 10_000), (300, 300), (301, 309), (300, 590), (295, 605), (990, 1000), (1001, 2000), (5000, 9000)],
)
def test_a_range_of_time_has_both_its_ends(tmp_path: Path, start: int, end: int) -> None:
    block(tmp_path, 1, {A: [samples(0, 500, 1), samples(500, 1000, 1)]})
    block(tmp_path, 2, {A: [samples(1000, 1500, 2)]})
    held = samples(0, 1000, 1) + samples(1000, 1500, 2)
    wanted = [sample for sample in held if start <= sample[0] <= end]
    found = read(BlockStore(tmp_path / "data"), Selection(ALL.labels, start, end))
    assert found.get(A, []) == wanted


def test_strangers_are_told_with_their_labels_and_other_metrics_are_not(tmp_path: Path) -> None:
    block(tmp_path, 1, {A: [samples(0, 50, 1)], STRANGE: [samples(0, 70, 2)], OTHER: [samples(0, 90, 3)]})
    block(tmp_path, 2, {LONGER: [samples(100, 150, 4)], STRANGE: [samples(100, 170, 5)]})
    store = BlockStore(tmp_path / "data")
    strange = {STRANGE: samples(0, 70, 2) + samples(100, 170, 5), LONGER: samples(100, 150, 4)}
    assert read(store) == {A: samples(0, 50, 1), **strange}
    narrow = Selection((("__name__", "m"), ("host", "z")), 0, 10_000)
    assert read(store, narrow) == {STRANGE: strange[STRANGE]}
    assert read(store, Selection((("__name__", "none"),), 0, 10_000)) == {}


@pytest.mark.parametrize("at_once", [1, 7, 40, 10_000])
@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_read_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int, seed: int) -> None:
    monkeypatch.setattr(module, "BATCH_SAMPLES", at_once)
    rng, held = random.Random(seed), dict[LabelSet, list[Sample]]()
    for number in range(5):
        low = 1000 * number
        chosen = rng.sample([A, B, C, STRANGE, LONGER], rng.randint(1, 5))
        series = {labels: [samples(low + 10 * rng.randint(0, 9), low + 500, rng.randint(0, 99))] for labels in chosen}
        block(tmp_path, number, series)
        for labels in chosen:
            held.setdefault(labels, []).extend(series[labels][0])
    assert read(BlockStore(tmp_path / "data")) == held


def test_a_single_block_and_some_by_name(tmp_path: Path) -> None:
    first = block(tmp_path, 1, {A: [samples(0, 50, 1)]})
    second = block(tmp_path, 2, {A: [samples(100, 150, 2)]})
    (tmp_path / "data" / "wal").mkdir()
    (tmp_path / "data" / "notes.txt").write_text("no block")
    assert read(BlockStore(second)) == {A: samples(100, 150, 2)}
    assert read(BlockStore(tmp_path / "data", [first.name, "another"])) == {A: samples(0, 50, 1)}
    assert len(read(BlockStore(tmp_path / "data"))[A]) == 10
    with pytest.raises(InputError, match="holds no block"):
        BlockStore(tmp_path / "data", [])


def test_no_block_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, words in [("file", "director"), ("missing", "director"), (".", "holds no block")]:
        with pytest.raises(InputError, match=words):
            BlockStore(tmp_path / path)


def test_damage_names_the_block_and_the_place(tmp_path: Path) -> None:
    good = block(tmp_path, 1, {A: [samples(0, 50, 1)]})
    bad = block(tmp_path, 2, {A: [samples(100, 150, 2)]})
    for name, at in [("chunks/000001", 20), ("index", 14), ("meta.json", 40)]:
        content = (bad / name).read_bytes()
        (bad / name).write_bytes(content[:at] + b"\xff\xff" + content[at + 2 :])
        with pytest.raises(FormatError) as told:
            read(BlockStore(tmp_path / "data"))
        assert str(bad) in str(told.value)
        assert name.split("/")[0] in str(told.value)
        assert str(good) not in str(told.value)
        (bad / name).write_bytes(content)
    (bad / "meta.json").unlink()
    with pytest.raises(FormatError, match=r"meta.json"):
        BlockStore(tmp_path / "data")


@pytest.mark.parametrize(("count", "samples_at_once"), [(16, None), (17, 16 * 5), (20, 16 * 5)])
def test_no_more_blocks_are_open_at_once_than_their_indexes_fit(
    tmp_path: Path, count: int, samples_at_once: int | None
) -> None:
    """It asks to be read in spans of time that hold about as many samples as so many blocks."""
    for number in range(count):
        length = 5 if number else 500  # one that is larger by far does not matter
        block(tmp_path, number, {A: [samples(1000 * number, 1000 * number + 10 * length, 1)]})
    assert BlockStore(tmp_path / "data").most_samples == samples_at_once
