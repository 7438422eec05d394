"""Verifies that a store holds a push: generates the push again, tile by tile, and compares sample by sample.

The query asks for every series with the labels that all series of the push share (the metric name and all labels with a
single value), in the push's time range. *Unexpected* samples are those that the push did not make: further samples of a
pushed series, and series that have the shared labels but are not in the push. Other pushes of the same metric are
ignored if one of the shared labels differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from promfill.errors import FormatError, RefusedError
from promfill.model.batch import Fleet, LabelSet
from promfill.model.grid import Grid, Tile, spans
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.row_finder import RowFinder
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U64Array
from promfill.operations.comparison import Comparison, Fault, PushedSamples, compare
from promfill.protocols import Readings, Selection, Store, TellsEmptiness, TooMuchError
from promfill.rules.victoriametrics import keeps_all_digits
from promfill.sources.generated import Source

TILE_SAMPLES = 500_000
WINDOW_STEPS = 500_000
"""Series with more steps than this are read in several spans of time."""

_SMALLEST_TILE = 16_384
"""The fixed cost of a tile equals that of this many samples, so one tile covers smaller gaps between rows too."""
_STRANGERS = 10


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """The result of verify. Counts are samples, except for `series` and `stranger_count`.

    expected = found + missing + not_yet_visible + different + not_checked. `found` includes the rounded samples.
    `doubled` counts the copies after the first, and `unexpected` the samples that the push did not make. not_checked:
    staleness markers, if this store does not show them. shows_within: seconds that a missing sample may take to appear.
    waited: seconds that verify waited for missing samples. strangers: the first series that the push did not make;
    stranger_count: the number of all of them.
    """

    metric: str
    store: str
    rule: str
    unchecked: str
    series: int
    expected: int
    tally: Comparison
    not_checked: int = 0
    not_yet_visible: int = 0
    shows_within: float = 0.0
    waited: float = 0.0
    strangers: list[LabelSet] = field(default_factory=list)
    stranger_count: int = 0

    @property
    def missing(self) -> int:
        """The number of pushed samples that are missing, without those that the store says it will show later."""
        return self.tally.missing.samples - self.not_yet_visible

    @property
    def absent(self) -> int:
        """The number of pushed samples that cannot be read now, including those that the store will show later."""
        return self.tally.missing.samples

    @property
    def faults(self) -> dict[str, Fault]:
        """All kinds of faults, with their times. Samples that are not yet visible count as missing."""
        tally = self.tally
        return {
            "missing": tally.missing,
            "unexpected": tally.unexpected,
            "different": tally.different,
            "doubled": tally.doubled,
        }

    @property
    def wrong(self) -> dict[str, int]:
        """Counts that are all 0 after a good push: the samples of each fault, and those that are not yet visible."""
        counts = {name: fault.samples for name, fault in self.faults.items()}
        return {**counts, "missing": self.missing, "not_yet_visible": self.not_yet_visible}

    @property
    def right(self) -> bool:
        """Whether the store holds exactly the push, as far as it can be checked."""
        return not any(self.wrong.values())


def verify(source: Source, store: Store, progress: Callable[[int], None] = lambda samples: None) -> VerifyReport:
    """Compare all samples of the store in the push's range. progress: called with the number of samples just compared.

    Memory is bounded: neither the expected samples nor the answers are ever in memory completely. ReceiverError,
    FormatError: the store cannot be read.
    """
    finder = RowFinder(source.fleet)
    labels = shared_labels(source.fleet)
    verifier = _Verifier(source, store, progress)
    first, most = 0, _most_steps(store, len(source.fleet))
    while first < verifier.grid.steps:
        steps = next(spans(verifier.grid.steps - first, most))[1]
        window = _Span(verifier, first, steps)
        try:
            for readings in store.read(Selection(labels, window.start, window.end), finder):
                window.add(readings)
        except TooMuchError as error:
            most = _halve(steps, window, error)
            continue
        window.finish()
        first += steps
    return verifier.report()


def find_held(source: Source, store: Store, most_samples: int, most_reads: int) -> tuple[Comparison, bool]:
    """Compare the samples of the push's series in its range, and return the tally and whether everything was read.

    Reading stops after `most_samples` samples or `most_reads` spans of time, so the tally's *missing* means nothing.
    ReceiverError, FormatError: the store cannot be read.
    """
    finder, labels = RowFinder(source.fleet), shared_labels(source.fleet)
    verifier = _Verifier(source, store, lambda samples: None)
    spans_left, most = [(0, verifier.grid.steps)], max(1, _most_steps(store, len(source.fleet)))
    samples = reads = 0
    while spans_left:
        first, steps = spans_left.pop()
        window = _Span(verifier, first, steps)
        selection = Selection(labels, window.start, window.end)
        if steps > most:
            if not (isinstance(store, TellsEmptiness) and store.is_empty(selection)):
                half = -(-steps // 2)
                spans_left += [(first + half, steps - half), (first, half)]
            continue
        if reads == most_reads:
            return verifier.tally, False
        reads += 1
        try:
            for readings in store.read(selection, finder):
                if samples >= most_samples:
                    return verifier.tally, False
                samples += readings.samples.times.size
                window.add(_without_strangers(readings))
        except TooMuchError as error:
            most = _halve(steps, window, error)
            spans_left.append((first, steps))
    return verifier.tally, True


def shared_labels(fleet: Fleet) -> LabelSet:
    """The labels that have the same value in all series, including ``__name__``."""
    alike = (fleet.values == fleet.values[0]).all(axis=0) & (fleet.values[0] != 0)
    pairs = zip(fleet.names[alike].tolist(), fleet.values[0][alike].tolist(), strict=True)
    return tuple((fleet.symbols[name].decode(), fleet.symbols[value].decode()) for name, value in pairs)


def _most_steps(store: Store, series: int) -> int:
    """The most steps to read at once. A store with a limit on samples allows fewer steps if there are many series."""
    return WINDOW_STEPS if store.most_samples is None else min(WINDOW_STEPS, store.most_samples // series)


def _halve(steps: int, window: _Span, error: TooMuchError) -> int:
    """The steps to read at once after an answer was too large: half as many.

    RefusedError: it was one step already, or a part of the answer has been compared.
    """
    if steps == 1 or window.begun:
        asked = "one step" if steps == 1 else f"{steps:,} steps"
        raise RefusedError(
            f"{error.marked} (asked for {asked} of all series)", "raise that limit of the server's"
        ) from error
    return -(-steps // 2)


def _by_bits(source: Source, store: Store) -> bool:
    """Whether to compare values bit by bit. A store that rounds still keeps the bits of values with few digits."""
    return store.keeps_bits or keeps_all_digits(source.scenario.signal, source.grid)


class _Verifier:
    """The state that all windows share: the tally, the source, the steps that can be checked, and a tile's buffer."""

    def __init__(self, source: Source, store: Store, progress: Callable[[int], None]) -> None:
        self.source, self.progress = source, progress
        self.grid = source.grid if store.shows_markers else source.scenario.sampled
        self.by_bits = _by_bits(source, store)
        self.tally = Comparison(source.grid.step)
        self._store = store
        self.strangers: dict[LabelSet, None] = {}
        self.stranger_count = 0
        self._work = Scratch()

    def expected(self, first_step: int, steps: int, first_series: int, series: int) -> U64Array:
        """The expected bits of a tile: uint64 (series, steps), one row per series; valid until the next call."""
        batch = self.source.batch(Tile(first_step, steps, first_series, series))
        bits = self._work.get("verify.expected", (series, steps), np.uint64)
        np.copyto(bits, batch.values.view(np.uint64).T)
        return bits

    def add_unexpected(self, labels: LabelSet) -> None:
        """Count a series that the push did not make."""
        if labels not in self.strangers:
            self.stranger_count += 1
            if len(self.strangers) < _STRANGERS:
                self.strangers[labels] = None

    def report(self) -> VerifyReport:
        """Make the report on all windows."""
        source, store = self.source, self._store
        missing = self.tally.missing.samples
        return VerifyReport(
            metric=source.scenario.metric,
            store=store.name,
            rule="by bits" if self.by_bits else "within VictoriaMetrics's rounding",
            unchecked=store.unchecked,
            series=len(source.fleet),
            expected=source.samples,
            tally=self.tally,
            not_checked=len(source.fleet) * (source.grid.steps - self.grid.steps),
            not_yet_visible=min(missing, store.pending()) if missing else 0,
            shows_within=store.shows_within,
            strangers=list(self.strangers),
            stranger_count=self.stranger_count,
        )


class _Span:
    """One span of time, for all series."""

    def __init__(self, verifier: _Verifier, first_step: int, steps: int) -> None:
        self._verifier = verifier
        self._first_step = first_step
        grid = verifier.grid
        self._grid = Grid(grid.time(first_step), grid.step, steps)
        self.start = self._grid.start
        self.end = self._grid.last if first_step + steps == grid.steps else self._grid.time(steps) - 1
        self.begun = False
        self._met = np.zeros(len(verifier.source.fleet), np.bool_)

    def add(self, readings: Readings) -> None:
        """Compare these readings, in groups of rows that are close together."""
        self.begun = True
        samples = readings.samples.between(self.start, self.end)  # chunks may exceed the requested range
        self._count_strangers(samples, readings.strangers)
        ours = np.flatnonzero(samples.rows >= 0)
        ours = ours[np.argsort(samples.rows[ours], kind="stable")]
        self._mark_seen(samples.rows[ours])
        for group in _close_rows(samples.rows[ours], self._grid.steps):
            self._compare(samples.take(ours[group]))

    def finish(self) -> None:
        """End the span, because everything was read: series without any reading are missing."""
        absent = int(np.count_nonzero(~self._met))
        if absent:
            grid = self._grid
            times = grid.start + np.arange(grid.steps, dtype=np.int64) * grid.step
            self._verifier.tally.missing.add(absent * grid.steps, times)
            self._verifier.progress(absent * grid.steps)

    def _compare(self, found: RaggedBatch) -> None:
        rows = found.rows
        first, end = int(rows[0]), int(rows[-1]) + 1
        bits = self._verifier.expected(self._first_step, self._grid.steps, first, end - first)
        if end - first != rows.size:
            bits = bits[rows - first]
        compare(PushedSamples(self._grid, bits), found, self._verifier.tally, by_bits=self._verifier.by_bits)
        self._verifier.progress(rows.size * self._grid.steps)

    def _mark_seen(self, rows: I64Array) -> None:
        twice = rows[self._met[rows] | (np.diff(rows, prepend=-1) == 0)]
        if twice.size:
            labels = self._verifier.source.fleet.label_set(int(twice[0]))
            raise FormatError(f"the store answers the series {labels} in two pieces, apart from each other")
        self._met[rows] = True

    def _count_strangers(self, samples: RaggedBatch, strangers: Sequence[LabelSet]) -> None:
        for labels in strangers:
            self._verifier.add_unexpected(labels)
        found = samples.take(np.flatnonzero(samples.rows < 0))
        if len(found):
            self._verifier.tally.unexpected.add(found.times.size, found.times)


def _without_strangers(readings: Readings) -> Readings:
    """Keep only the series of the push."""
    samples = readings.samples
    return Readings(samples.take(np.flatnonzero(samples.rows >= 0)))


def _close_rows(rows: I64Array, steps: int) -> Iterator[slice]:
    """Groups of ascending rows; each group's tile is small enough and mostly used."""
    gap = max(1, _SMALLEST_TILE // steps)
    most = max(1, TILE_SAMPLES // steps)
    parted = np.concatenate([[0], np.flatnonzero(np.diff(rows) > gap) + 1, [rows.size]])
    for start, end in zip(parted[:-1].tolist(), parted[1:].tolist(), strict=True):
        while start < end:
            stop = start + int(np.searchsorted(rows[start:end], rows[start] + most))
            yield slice(start, stop)
            start = stop
