"""Read OpenMetrics text: lines to arrays, in pieces, by promtool 2.42's grammar.

The common line, ``SERIES VALUE TIME``, is split by scanning arrays (`lines`), its series looked up (`series`) and its
numbers read in columns (`columns`). Every other line (metadata, exemplars, odd spellings, errors) goes through the
exact lexer, so that what is accepted does not depend on which path a line takes, nor on where pieces are cut.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from promfill.codecs.openmetrics.columns import read_seconds, read_values
from promfill.codecs.openmetrics.lexer import parse_line
from promfill.codecs.openmetrics.lines import WIDEST, Lines, split_lines
from promfill.codecs.openmetrics.numbers import LAST_MS, GrammarError
from promfill.codecs.openmetrics.series import UNKNOWN, SeriesTable
from promfill.errors import InputError
from promfill.model.batch import LabelSet
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, F64Array, I64Array, U8Array

PADDING = WIDEST
"""Bytes that a buffer must hold after the text; their values do not matter."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """n samples in any order. series: int64 (n,) ids; times: int64 (n,) Unix ms; values: float64 (n,)."""

    series: I64Array
    times: I64Array
    values: F64Array

    def __len__(self) -> int:
        return int(self.times.size)


@dataclass(frozen=True, slots=True)
class LateSample:
    """The first line with a sample in the future, and its time in Unix ms."""

    line: int
    time: int


class OpenMetricsReader:
    """Reads one text. `labels` are set on every series, an empty value removes a label.

    now: Unix ms; `late` is the first sample after it, if there is one. metadata: which of HELP, TYPE and UNIT the text
    has.
    """

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self.lines = 0
        self.exemplars = 0
        self.late: LateSample | None = None
        self.metadata: set[str] = set()
        self.now = LAST_MS
        self._table = SeriesTable(labels)
        self._work = Scratch()
        self._ended = False

    @property
    def label_sets(self) -> list[LabelSet]:
        """The label set of each id, so far."""
        return self._table.label_sets

    def read(self, buffer: U8Array, size: int) -> Samples:
        """The samples of ``buffer[:size]``: whole lines; only the very last line of a text may lack its newline.

        buffer: uint8 (size + PADDING,) or longer. InputError: what promtool refuses, and a time before 1970 or after
        9999, with the number of the line.
        """
        lines, usual = split_lines(buffer, size, self._work)
        fast, taken = self._read_usual(buffer, lines, usual)
        late = self._first_late(fast.times, taken)
        others = np.flatnonzero(~taken)
        end = int(lines.ends[-1]) + 1 if len(lines) else 0
        slow = self._read_others(buffer[:size], lines, others, end)
        if late and not (self.late and self.late.line < late.line):
            self.late = late
        self.lines += len(lines)
        return _join(fast, slow)

    def finish(self) -> None:
        """InputError unless the text has ended with ``# EOF``."""
        if not self._ended:
            raise InputError(f"line {self.lines + 1}: the text does not end with # EOF")

    def _read_usual(self, buffer: U8Array, lines: Lines, usual: BoolArray) -> tuple[Samples, BoolArray]:
        """The samples of usual lines, and the lines that they come from."""
        whole = bool(usual.all())
        chosen = lines if whole else lines[np.flatnonzero(usual)]
        if not len(chosen):
            return Samples(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0)), usual
        series = self._table.look_up(buffer, chosen.starts, chosen.series_ends)
        values, odd = read_values(buffer, chosen.series_ends + 1, chosen.value_ends)
        seconds, odd_times = read_seconds(buffer, chosen.value_ends + 1, chosen.ends)
        with np.errstate(over="ignore"):
            times = seconds * 1000
        good = ~(odd | odd_times) & (series != UNKNOWN) & (times > -1) & (times < LAST_MS + 1)
        if good.all():
            return Samples(series, times.astype(np.int64), values), usual
        taken = usual.copy()
        taken[usual] = good
        return Samples(series[good], times[good].astype(np.int64), values[good]), taken

    def _first_late(self, times: I64Array, taken: BoolArray) -> LateSample | None:
        """The first future sample among those at `times` ms, int64 (n,), of the lines `taken`; None if one is known."""
        if self.late or not times.size or times.max() <= self.now:
            return None
        place = int(np.argmax(times > self.now))
        return LateSample(self.lines + int(np.flatnonzero(taken)[place]) + 1, int(times[place]))

    def _read_others(self, text: U8Array, lines: Lines, others: I64Array, end: int) -> list[tuple[int, int, float]]:
        """(series, time, value) of the lines `others`, in order, and of what follows the last newline at `end`."""
        rows: list[tuple[int, int, float]] = []
        if self._ended and text.size:
            raise InputError(f"line {self.lines + 1}: text after # EOF")
        bounds = zip(others.tolist(), lines.starts[others].tolist(), lines.ends[others].tolist(), strict=True)
        for number, start, stop in bounds:
            self._read_line(text[start : stop + 1].tobytes(), self.lines + number + 1, rows)
            if self._ended and stop + 1 < text.size:
                raise InputError(f"line {self.lines + number + 2}: text after # EOF")
        if end < text.size:
            self._read_line(text[end:].tobytes(), self.lines + len(lines) + 1, rows)
        return rows

    def _read_line(self, line: bytes, number: int, rows: list[tuple[int, int, float]]) -> None:
        try:
            sample = parse_line(line)
        except GrammarError as error:
            raise InputError(f"line {number}: {error}") from None
        if sample == "EOF":
            self._ended = True
        elif sample is None:
            self.metadata.add(line[2:6].decode())
        else:
            self.exemplars += sample.exemplar
            if sample.time > self.now and not self.late:
                self.late = LateSample(number, sample.time)
            rows.append((self._table.add(sample.labels), sample.time, sample.value))


def _join(samples: Samples, rows: list[tuple[int, int, float]]) -> Samples:
    if not rows:
        return samples
    series, times, values = zip(*rows, strict=True)
    return Samples(
        np.concatenate([samples.series, np.array(series, np.int64)]),
        np.concatenate([samples.times, np.array(times, np.int64)]),
        np.concatenate([samples.values, np.array(values, np.float64)]),
    )
