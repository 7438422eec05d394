"""What is already there of a push: counted by kind, within bounds, and said in words that name the way on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from promfill.errors import spelled
from promfill.model.batch import LabelSet
from promfill.model.grid import Grid
from promfill.model.row_finder import RowFinder
from promfill.operations import reruns
from promfill.operations.reruns import Earlier, Held, findings, look_in_blocks, look_in_store
from promfill.operations.verify import find_held
from promfill.pipeline.push import push
from promfill.protocols import Readings, Selection, TooMuchError
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.scenario import Signal
from promfill.sinks.blocks import BlockSink
from promfill.sources.generated import Source
from promfill.stores.series_runs import gather_series
from tests.support.pushes import scenario
from tests.support.readback import Samples, of_source

STEP = 10_000
GRID = Grid(1_000_000, STEP, 50)
LABELS = "host={1..6},job=x"
SOURCE = Source(scenario("m", LABELS, GRID))
STRANGER: LabelSet = (("__name__", "m"), ("host", "31"), ("job", "x"))

VM = StoreFacts("VictoriaMetrics", doubles=True)
VM_DEDUP = StoreFacts("VictoriaMetrics")
PROMETHEUS = StoreFacts("Prometheus")


class ListStore:
    """A store in memory that may be asked whether it holds anything."""

    name = "a list"
    keeps_bits = True
    shows_within = 0.0
    shows_markers = True
    unchecked = ""

    def __init__(self, held: Samples, most_samples: int | None = None) -> None:
        self.held, self.most_samples = held, most_samples
        self.reads: list[Selection] = []
        self.asked: list[Selection] = []

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        self.reads.append(selection)
        runs = ((labels, times, bits) for labels, times, bits in self._runs(selection) if times.size)
        return gather_series(runs, rows)

    def pending(self) -> int:
        return 0

    def _runs(self, selection: Selection) -> Iterator[tuple[LabelSet, np.ndarray, np.ndarray]]:
        for labels, samples in self.held.items():
            inside = {time: bits for time, bits in samples.items() if selection.start <= time <= selection.end}
            yield labels, np.array(list(inside), np.int64), np.array(list(inside.values()), np.uint64)


class AskedStore(ListStore):
    """One that says when there is nothing to read."""

    def is_empty(self, selection: Selection) -> bool:
        self.asked.append(selection)
        return not any(times.size for _, times, _ in self._runs(selection))


def held_by(held: Samples) -> Held:
    return look_in_store(SOURCE, ListStore(held))


def counts(held: Held) -> tuple[int, int, int, bool]:
    return held.same, held.other_times, held.other_values, held.whole


def test_a_store_without_these_series() -> None:
    others = {STRANGER: {GRID.start: 1, GRID.start + 7: 2}}
    assert counts(held_by({})) == counts(held_by(others)) == (0, 0, 0, True)
    assert held_by(others).nothing


def test_the_same_push() -> None:
    held = held_by(of_source(SOURCE) | {STRANGER: {GRID.start: 1}})
    assert counts(held) == (300, 0, 0, True)
    assert held.everything
    assert not held.nothing


def test_a_part_of_the_same_push() -> None:
    whole = of_source(SOURCE)
    held = held_by({labels: whole[labels] for labels in list(whole)[:2]})
    assert counts(held) == (100, 0, 0, True)
    assert not held.everything


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        (GRID.start + 7, (0, 294, 0)),  # its last time lies after the push's last
        (GRID.start - 7, (0, 294, 0)),
        (GRID.start + STEP, (0, 0, 294)),  # other values: trend and noise are counted from the start
        (GRID.start - 20 * STEP, (0, 0, 180)),
        (GRID.start + 50 * STEP, (0, 0, 0)),
    ],
)
def test_a_push_of_another_start(start: int, expected: tuple[int, int, int]) -> None:
    other = Source(scenario("m", LABELS, replace(GRID, start=start)))
    assert counts(held_by(of_source(other)))[:3] == expected


def test_another_seed_has_other_values() -> None:
    other = Source(scenario("m", LABELS, GRID, Signal(seed=43)))
    assert counts(held_by(of_source(other))) == (0, 0, 300, True)


def test_what_is_read_is_bounded() -> None:
    store = ListStore(of_source(SOURCE), most_samples=78)  # spans of thirteen steps at most: 13, 12, 13 and 12
    tally, whole = find_held(SOURCE, store, 150, 99)
    assert (tally.found, whole, len(store.reads)) == (150, False, 3)
    store = ListStore(of_source(SOURCE), most_samples=78)
    tally, whole = find_held(SOURCE, store, 10**9, 2)
    assert (tally.found, whole, len(store.reads)) == (150, False, 2)
    tally, whole = find_held(SOURCE, ListStore(of_source(SOURCE), most_samples=78), 10**9, 4)
    assert (tally.found, whole) == (300, True)


class NarrowStore(ListStore):
    """One that answers no more than 60 samples."""

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        if sum(times.size for _, times, _ in self._runs(selection)) > 60:
            raise TooMuchError("an answer that is too large")
        return super().read(selection, rows)


def test_spans_are_halved_where_an_answer_would_be_too_large() -> None:
    tally, whole = find_held(SOURCE, NarrowStore(of_source(SOURCE)), 10**9, 99)
    assert (tally.found, whole) == (300, True)


def test_a_store_that_holds_nothing_is_asked_once() -> None:
    store = AskedStore({STRANGER: {GRID.start - 1: 1, GRID.last + 1: 1}}, most_samples=6)  # fifty spans of one step
    assert find_held(SOURCE, store, 10**9, 10)[1]
    assert len(store.asked) == 1
    assert not store.reads
    assert (store.asked[0].start, store.asked[0].end) == (GRID.start, GRID.last)


def test_a_little_is_found_by_halves() -> None:
    labels = next(iter(of_source(SOURCE)))
    store = AskedStore({labels: {GRID.time(37): of_source(SOURCE)[labels][GRID.time(37)]}}, most_samples=6)
    tally, whole = find_held(SOURCE, store, 10**9, 10)
    assert (tally.found, whole, len(store.reads)) == (1, True, 1)
    assert len(store.asked) < 14


def write(directory: Path, source: Source, duration: int) -> list[str]:
    sink = BlockSink(source.fleet, source.grid, source.identity(), directory, duration=duration)
    push(source, sink)
    return sink.names


def test_blocks_are_counted_alike(tmp_path: Path) -> None:
    same = write(tmp_path, SOURCE, 120_000)
    later = write(tmp_path, Source(scenario("m", LABELS, replace(GRID, start=GRID.start + STEP))), 10_000)
    between = write(tmp_path, Source(scenario("m", LABELS, replace(GRID, start=GRID.start + 1))), 86_400_000)
    other = write(tmp_path, Source(scenario("another", LABELS, GRID)), 86_400_000)
    assert len(later) > 2 * reruns._BLOCKS_AT_ONCE
    assert counts(look_in_blocks(SOURCE, tmp_path, same)) == (300, 0, 0, True)
    assert counts(look_in_blocks(SOURCE, tmp_path, later)) == (0, 0, 294, True)
    assert counts(look_in_blocks(SOURCE, tmp_path, [*later, *between, *other])) == (0, 294, 294, True)
    assert counts(look_in_blocks(SOURCE, tmp_path, other)) == (0, 0, 0, True)


def test_a_sample_in_many_blocks_counts_once(tmp_path: Path) -> None:
    names = [name for duration in range(20_000, 290_000, 10_000) for name in write(tmp_path, SOURCE, duration)]
    assert len(names) > 4 * reruns._BLOCKS_AT_ONCE
    held = look_in_blocks(SOURCE, tmp_path, sorted(names, key=lambda name: name[::-1]))
    assert counts(held) == (300, 0, 0, True)
    assert held.everything


def test_of_many_blocks_a_part_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = write(tmp_path, Source(scenario("m", LABELS, replace(GRID, start=GRID.start + STEP))), 10_000)
    monkeypatch.setattr(reruns, "MOST_SAMPLES", 90)
    assert counts(look_in_blocks(SOURCE, tmp_path, names)) == (0, 0, 96, False)
    monkeypatch.setattr(reruns, "MOST_SAMPLES", 1000)
    monkeypatch.setattr(reruns, "_MOST_BLOCK_SERIES", 60)
    assert counts(look_in_blocks(SOURCE, tmp_path, names)) == (0, 0, 60, False)


EARLIER = Earlier(Path("run.json"), GRID.start - 60_000, GRID.start + 60_000, doubles=True, same_run=True, age=60)
UPLOADED = replace(EARLIER, doubles=False, uploaded=True)
SHIFTED = "the same command with start=940 end=1060 is the same push as before"
OTHERS = "give the start and end of the push that is there, delete its series, or tell this one apart by a label"


@pytest.mark.parametrize(
    ("held", "store", "earlier", "kinds", "spoils", "words"),
    [
        ({"other_times": 288}, PROMETHEUS, None, "interleaves", False, f"288 samples of these series in .*;{OTHERS}"),
        ({"other_times": 1}, VM_DEDUP, EARLIER, "interleaves", True, f"holds 1 sample of .*;{SHIFTED}"),
        ({"other_times": 5, "whole": False}, VM, EARLIER, "interleaves", True, "at least 5 samples"),
        ({"other_values": 5}, VM, None, "conflicts", True, "at the same times with other values: .* keeps both"),
        ({"other_values": 5}, VM_DEDUP, None, "conflicts", True, "VictoriaMetrics keeps one of the two"),
        ({"other_values": 5}, PROMETHEUS, None, "conflicts", False, "Prometheus refuses them as duplicates"),
        ({"other_values": 5, "in_blocks": True}, PROMETHEUS, None, "conflicts", False, "that serves them keeps one of"),
        ({"same": 300}, VM, None, "there", True, "300 of 300 samples .* keep them twice;nothing is left to send"),
        (
            {"same": 9},
            VM,
            EARLIER,
            "there",
            True,
            "9 of 300 samples .* keep them twice;.*resume, if its checkpoint is left",
        ),
        ({"same": 300}, VM_DEDUP, EARLIER, "there", False, "changes nothing"),
        ({"same": 300}, PROMETHEUS, EARLIER, "there", False, "changes nothing"),
        ({"same": 1, "other_times": 2, "other_values": 3}, VM, None, "interleaves conflicts there", True, ""),
        ({}, VM, None, "", False, ""),
        ({}, VM, EARLIER, "", False, ""),  # its series are gone
        ({}, VM, replace(EARLIER, age=3), "repeat", True, "run.json says that this command has finished"),
        ({"whole": False}, VM, EARLIER, "repeat", True, ""),
        ({}, VM_DEDUP, replace(EARLIER, age=3), "", False, ""),
        (None, None, EARLIER, "repeat", True, "a sample twice that is sent twice;delete its series first"),
        (None, StoreFacts("a Prometheus-like store"), EARLIER, "repeat", True, ""),
        (None, None, replace(EARLIER, doubles=False), "", False, ""),
        (None, None, replace(EARLIER, end=GRID.start), "", False, ""),  # yesterday's
        (None, None, replace(EARLIER, start=GRID.last + 1, end=GRID.last + 9), "", False, ""),
        (None, None, replace(EARLIER, start=GRID.last, end=GRID.last + 9), "repeat", True, ""),
        (None, None, UPLOADED, "conflicts", False, f"uploaded 1970-01-01T00:15:40Z to .*;{SHIFTED}"),
        (None, None, replace(UPLOADED, start=GRID.start), "", False, ""),  # the same values, perhaps more of them
        (None, None, replace(UPLOADED, same_run=False), "", False, ""),
        (None, None, replace(UPLOADED, end=GRID.start), "", False, ""),
    ],
)
def test_what_is_said_of_it(
    held: dict[str, int] | None,
    store: StoreFacts | None,
    earlier: Earlier | None,
    kinds: str,
    spoils: bool,
    words: str,
) -> None:
    found = findings(Held("a store", 300, **held) if held is not None else None, earlier, SOURCE, store)  # type: ignore[arg-type]
    assert [finding.kind for finding in found] == kinds.split()
    assert all(finding.spoils == spoils and not finding.loses for finding in found)
    said = ";".join(f"{finding.text};{finding.fix}" for finding in found)
    assert re.search(words, spelled(said))
