"""Sorted samples in, whole blocks out: whatever pieces they come in, the same blocks with exactly these samples."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from promfill.blocks.block import open_block
from promfill.blocks.check import check_block
from promfill.blocks.sample_keys import KeyLayout
from promfill.blocks.sorted_blocks import SortedBlocks, WrittenBlock
from promfill.errors import OutputError
from promfill.model.batch import LabelSet
from tests.support.blocks import samples_by_labels
from tests.support.fleets import fleet_of
from tests.support.xor_streams import Sample

HOUR = 3_600_000
START = 1_700_006_400_000 // (2 * HOUR) * (2 * HOUR)
SERIES: list[LabelSet] = [
    (("__name__", "m"), ("n", f"{number:02}"), *((("zone", "z"),) if number % 2 else ())) for number in range(7)
]
"""Label names that not all of them have."""
Held = dict[LabelSet, list[Sample]]


def random_samples(seed: int) -> Held:
    """Of some of the series, some of one window alone, some with more samples than a chunk holds."""
    rng = random.Random(seed)
    held: Held = {}
    for labels in SERIES:
        span = rng.choice([1, 6]) * HOUR
        times = sorted(rng.sample(range(START, START + span), rng.choice([0, 1, 50, 400])))
        held[labels] = [(time, rng.getrandbits(62)) for time in times]
    held[SERIES[3]] = [(START + 5, 7)]
    return held


def written(directory: Path, held: Held, piece: int = 10**6, publish: bool = True) -> list[WrittenBlock]:
    rows = [(rank, time, bits) for rank, labels in enumerate(SERIES) for time, bits in held[labels]]
    ranks, times, bits = (np.array(column, np.int64) for column in zip(*rows, strict=True))
    layout = KeyLayout.covering(2 * HOUR, int(times.min()), int(times.max()), len(SERIES))
    keys = layout.pack(ranks, times)
    order = np.argsort(keys)
    directory.mkdir(exist_ok=True)
    blocks = SortedBlocks(fleet_of(SERIES), layout, directory)
    try:
        for start in range(0, keys.size, piece):
            part = order[start : start + piece]
            blocks.add(keys[part], bits[part].view(np.float64))
        return blocks.publish() if publish else []
    finally:
        if not publish:
            blocks.discard()


def read(paths: Sequence[Path]) -> Held:
    found: Held = {labels: [] for labels in SERIES}
    for path in paths:
        check_block(path, decode=True)
        for labels, samples in samples_by_labels(open_block(path)).items():
            found[labels] += samples
    return found


@pytest.mark.parametrize("seed", range(6))
def test_blocks_hold_these_samples_each_in_its_window(tmp_path: Path, seed: int) -> None:
    held = random_samples(seed)
    made = written(tmp_path, held)
    assert read([block.path for block in made]) == held
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(block.path.name for block in made)
    for block in made:
        times = [time for samples in samples_by_labels(open_block(block.path)).values() for time, _ in samples]
        assert len({time // (2 * HOUR) for time in times}) == 1
        assert (block.meta.min_time, block.meta.max_time) == (min(times), max(times) + 1)
        assert block.meta.stats.samples == len(times)
        assert block.bytes == sum(file.stat().st_size for file in block.path.rglob("*") if file.is_file())


def test_names_are_of_what_they_hold(tmp_path: Path) -> None:
    held = random_samples(1)
    first = [block.path.name for block in written(tmp_path / "a", held)]
    assert [block.path.name for block in written(tmp_path / "b", held)] == first
    for labels in (SERIES[3], max(held, key=lambda one: len(held[one]))):
        other = {**held, labels: [(held[labels][0][0], held[labels][0][1] ^ 1), *held[labels][1:]]}
        assert first[0] != written(tmp_path / f"{labels}", other)[0].path.name
    moved = {**held, SERIES[3]: [], SERIES[4]: held[SERIES[4]] or held[SERIES[3]]}
    assert first[0] != written(tmp_path / "moved", moved)[0].path.name


@pytest.mark.parametrize("windows", [1, 3])
def test_the_same_series_in_every_window(tmp_path: Path, windows: int) -> None:
    """Then all blocks share one index; where a series is not in one of them, that one has an index of its own."""
    held: Held = {labels: [(START + window * 2 * HOUR, window) for window in range(windows)] for labels in SERIES}
    assert read([block.path for block in written(tmp_path / "all", held)]) == held
    held[SERIES[2]] = held[SERIES[2]][:-1]
    held[SERIES[0]] = held[SERIES[0]][-1:]
    assert read([block.path for block in written(tmp_path / "some", held)]) == held


def test_pieces_that_end_between_series(tmp_path: Path) -> None:
    held: Held = {labels: [(START + 10 * place, place) for place in range(5)] for labels in SERIES}
    whole = {block.path.name for block in written(tmp_path / "whole", held)}
    assert {block.path.name for block in written(tmp_path / "pieces", held, piece=5)} == whole
    assert {block.path.name for block in written(tmp_path / "larger", held, piece=15)} == whole


def test_what_is_discarded_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promfill.blocks.files._BUFFER", 100)  # so that there are files before it is discarded
    made: list[Path] = []
    discard = SortedBlocks.discard

    def noted(blocks: SortedBlocks) -> None:
        made.extend(tmp_path.iterdir())
        discard(blocks)

    monkeypatch.setattr(SortedBlocks, "discard", noted)
    written(tmp_path, random_samples(2), publish=False)
    assert made
    assert list(tmp_path.iterdir()) == []


def test_names_are_told_before_they_are_given(tmp_path: Path) -> None:
    held = {labels: [(START, 1)] for labels in SERIES}
    layout = KeyLayout.covering(2 * HOUR, START, START, len(SERIES))
    blocks = SortedBlocks(fleet_of(SERIES), layout, tmp_path)
    blocks.add(layout.pack(np.arange(len(SERIES)), np.full(len(SERIES), START)), np.ones(len(SERIES)))
    told: list[Path] = []

    def about_to(paths: list[Path]) -> None:
        told.extend(paths)
        assert not any(path.exists() for path in paths)

    assert [block.path for block in blocks.publish(about_to)] == told
    assert read(told).keys() == held.keys()


def test_a_disk_that_is_full_is_told_with_the_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(OutputError, match="No space left on device"):
        written(tmp_path, random_samples(3))
