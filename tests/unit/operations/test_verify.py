"""The driver of verify, over stores that are lists: tiles, windows, strangers. Comparison itself has its own tests."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from promfill.errors import FormatError, RefusedError
from promfill.model.batch import LabelSet
from promfill.model.grid import Grid, Tile
from promfill.model.row_finder import RowFinder
from promfill.operations import verify as module
from promfill.operations.verify import VerifyReport, shared_labels, verify
from promfill.protocols import Readings, Selection, TooMuchError
from promfill.scenario.scenario import Signal
from promfill.sources.generated import Source
from promfill.stores.series_runs import SeriesSamples, gather_series
from tests.support.pushes import scenario

STEP = 10_000
SOURCE = Source(scenario("m", "host={1..30},zone={a,b},job=x", Grid(1_000_000, STEP, 50)))
STRANGER: LabelSet = (("__name__", "m"), ("host", "31"), ("job", "x"), ("zone", "a"))
Held = dict[LabelSet, dict[int, int]]


class ListStore:
    """A store in memory that answers as it is asked."""

    name = "a list"
    keeps_bits = True
    shows_within = 0.0
    shows_markers = True
    unchecked = ""

    def __init__(
        self, held: Held, most_samples: int | None = None, order: Callable[[list[LabelSet]], None] = list.sort
    ):
        self.held, self.most_samples, self.order = held, most_samples, order
        self.asked: list[Selection] = []
        self.held_back = 0

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        self.asked.append(selection)
        return gather_series(self._runs(selection), rows)

    def pending(self) -> int:
        return self.held_back

    def _runs(self, selection: Selection) -> Iterator[SeriesSamples]:
        label_sets = [labels for labels in self.held if set(selection.labels) <= set(labels)]
        self.order(label_sets)
        for labels in label_sets:
            samples = {t: bits for t, bits in self.held[labels].items() if selection.start <= t <= selection.end}
            if samples:
                yield labels, np.array(list(samples), np.int64), np.array(list(samples.values()), np.uint64)


def true_push(source: Source = SOURCE) -> Held:
    grid = source.grid
    bits = source.batch(Tile(0, grid.steps, 0, len(source.fleet))).values.view(np.uint64).T.tolist()
    times = [grid.time(step) for step in range(grid.steps)]
    return {source.fleet.label_set(row): dict(zip(times, bits[row], strict=True)) for row in range(len(source.fleet))}


def counts(report: VerifyReport) -> dict[str, int]:
    return {name: fault.samples for name, fault in report.faults.items() if fault.samples}


@pytest.mark.parametrize("most_samples", [None, 60 * 7, 60, 1])
@pytest.mark.parametrize("tile", [1, 100, 1_000_000])
def test_a_true_push_is_right_however_it_is_read(
    most_samples: int | None, tile: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "TILE_SAMPLES", tile)
    monkeypatch.setattr(module, "_SMALLEST_TILE", tile)
    monkeypatch.setattr("promfill.stores.series_runs.BATCH_SAMPLES", 777)
    done: list[int] = []
    store = ListStore(true_push(), most_samples, random.Random(1).shuffle)
    report = verify(SOURCE, store, done.append)
    assert report.right
    assert report.tally.found == report.expected == sum(done) == 3_000
    assert store.asked[0].start == SOURCE.grid.start
    assert store.asked[-1].end == SOURCE.grid.last
    assert all(a.end + 1 == b.start for a, b in zip(store.asked, store.asked[1:], strict=False))


def test_a_series_that_is_longer_than_a_window(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_STEPS", 7)
    assert verify(SOURCE, ListStore(true_push())).right


def test_a_series_that_is_missing_is_missing_whole() -> None:
    held = true_push()
    del held[SOURCE.fleet.label_set(7)]
    report = verify(SOURCE, ListStore(held))
    assert counts(report) == {"missing": 50}
    assert report.tally.missing.ranges.first(2) == [(SOURCE.grid.start, SOURCE.grid.last)]


def test_a_series_too_many_is_named() -> None:
    held = true_push()
    held[STRANGER] = {SOURCE.grid.start + 3: 7, SOURCE.grid.last + 1: 8}
    report = verify(SOURCE, ListStore(held, 60 * 7))
    assert counts(report) == {"unexpected": 1}
    assert report.strangers == [STRANGER]
    assert report.tally.found == 3_000


def test_a_push_of_other_shared_labels_is_left_alone() -> None:
    held = true_push()
    held[(("__name__", "m"), ("host", "1"), ("job", "y"), ("zone", "a"))] = {SOURCE.grid.start: 7}
    assert verify(SOURCE, ListStore(held)).right
    assert shared_labels(SOURCE.fleet) == (("__name__", "m"), ("job", "x"))


def test_nothing_there_is_all_missing() -> None:
    report = verify(SOURCE, ListStore({}))
    assert counts(report) == {"missing": 3_000}
    assert report.tally.found == 0


def test_what_the_store_holds_back_is_not_called_missing() -> None:
    held = true_push()
    del held[SOURCE.fleet.label_set(7)]
    store = ListStore(held)
    store.held_back = 20
    report = verify(SOURCE, store)
    assert (report.missing, report.not_yet_visible) == (30, 20)
    assert not report.right
    store.held_back = 50
    report = verify(SOURCE, store)
    assert report.wrong == {"missing": 0, "not_yet_visible": 50, "unexpected": 0, "different": 0, "doubled": 0}
    assert not report.right


@pytest.mark.parametrize("most_samples", [None, 60 * 7])
@pytest.mark.parametrize("there", [True, False])
def test_markers_that_a_store_does_not_show_are_not_checked(most_samples: int | None, there: bool) -> None:
    source = Source(replace(SOURCE.scenario, stale_at_end=True))
    held = true_push(source)
    assert verify(source, ListStore(held)).right
    for samples in held.values():
        del samples[source.grid.last]
    store = ListStore(held, most_samples)
    store.shows_markers = there
    report = verify(source, store)
    assert (report.not_checked, report.missing, report.right) == ((0, 60, False) if there else (60, 0, True))
    assert report.expected == report.tally.found + report.missing + report.not_checked == 3_000


def test_samples_outside_of_the_range_are_not_looked_at() -> None:
    held = true_push()

    class Wide(ListStore):
        def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
            return super().read(Selection(selection.labels, 0, 1 << 60), rows)

    for samples in held.values():
        samples[SOURCE.grid.last + STEP] = 5
        samples[SOURCE.grid.start - 1] = 5
    assert verify(SOURCE, Wide(held)).right
    assert verify(SOURCE, Wide(held, 60 * 7)).right


def test_a_series_in_two_pieces_is_refused() -> None:
    class Twice(ListStore):
        def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
            yield from super().read(selection, rows)
            yield from super().read(selection, rows)

    with pytest.raises(FormatError, match="two pieces"):
        verify(SOURCE, Twice(true_push()))


@pytest.mark.parametrize(
    ("signal", "rule"),
    [
        (Signal(), "within VictoriaMetrics's rounding"),
        (Signal(resolution=2.0**-7), "by bits"),
        (Signal(decimals=3), "by bits"),
        (Signal(resolution=2.0**-20), "within VictoriaMetrics's rounding"),
    ],
)
def test_the_report_says_which_rule_held(signal: Signal, rule: str) -> None:
    source = Source(scenario("m", "host={1..3}", Grid(1_000_000, STEP, 5), signal))
    store = ListStore(true_push(source))
    store.keeps_bits = False
    report = verify(source, store)
    assert report.right
    assert report.rule == rule


def test_one_series_alone() -> None:
    source = Source(scenario("m", "host=a", Grid(1_000_000, STEP, 500)))
    assert verify(source, ListStore(true_push(source))).right


class Scanty(ListStore):
    """A store that answers so many samples at most, as a Mimir its 100 MiB."""

    def __init__(self, held: Held, most: int, most_samples: int | None = None) -> None:
        super().__init__(held, most_samples)
        self.most, self.refusals = most, 0

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        runs = list(self._runs(selection))
        self.asked.append(selection)
        if sum(times.size for _, times, _ in runs) > self.most:
            self.refusals += 1
            raise TooMuchError("413")
        return gather_series(runs, rows)


@pytest.mark.parametrize("most", [60, 61, 119, 120, 500, 1_499, 2_999, 3_000])
@pytest.mark.parametrize("most_samples", [None, 60 * 20])
def test_a_store_that_answers_less_at_once_is_asked_for_less(most: int, most_samples: int | None) -> None:
    held = true_push()
    del held[SOURCE.fleet.label_set(7)][SOURCE.grid.time(20)]
    held[SOURCE.fleet.label_set(9)][SOURCE.grid.time(30)] ^= 1
    store = Scanty(held, most, most_samples)
    report = verify(SOURCE, store)
    assert (report.tally.found, report.missing, report.tally.different.samples) == (2_998, 1, 1)
    assert store.refusals <= 6


def test_a_store_that_answers_not_even_one_step_is_named() -> None:
    store = Scanty(true_push(), 59)
    with pytest.raises(RefusedError, match=r"413 \(asked for one step of all series\): raise that limit") as error:
        verify(SOURCE, store)
    assert error.value.exit_code == 3
    assert len(store.asked) <= 7
