"""From the text of series to their ids, a piece of lines at a time.

Each distinct text goes through the exact lexer once, and is looked up from then on: so the fast path is exact, too.
Neighbouring lines are compared as rows of bytes, so that a run of one series, or a cycle of many (one line each,
then again), costs a comparison of bytes a line, and a look-up only where something changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.openmetrics.lexer import parse_series
from promfill.codecs.openmetrics.numbers import GrammarError
from promfill.model.batch import LabelSet
from promfill.model.types import BoolArray, I64Array, U8Array

UNKNOWN = -1
"""The id of a text that is not a plain series."""


_FEW = 4  # a period is used if it leaves less than one look-up in so many lines


class SeriesTable:
    """All series so far, with ids counted from 0. `labels` are set on all of them; an empty value removes a label."""

    def __init__(self, labels: Mapping[str, str] | None = None) -> None:
        self.label_sets: list[LabelSet] = []
        self._labels = dict(labels or {})
        self._by_labels: dict[LabelSet, int] = {}
        self._by_text: dict[bytes, int] = {}
        self._periods: dict[int, int] = {}  # by width of the text: after how many lines the same series came again

    def add(self, labels: LabelSet) -> int:
        """The id of a label set."""
        if self._labels:
            labels = tuple(sorted(pair for pair in {**dict(labels), **self._labels}.items() if pair[1]))
        number = self._by_labels.setdefault(labels, len(self.label_sets))
        if number == len(self.label_sets):
            self.label_sets.append(labels)
        return number

    def look_up(self, buffer: U8Array, starts: I64Array, ends: I64Array) -> I64Array:
        """int64 (n,): the ids of the texts ``buffer[starts[i]:ends[i]]``, UNKNOWN if a text is not a plain series."""
        widths = ends - starts
        ids = np.empty(starts.size, np.int64)
        for width, rows in _by_width(widths):
            texts = rows_of(buffer, starts if rows is None else starts[rows], width)
            ids[slice(None) if rows is None else rows] = self._look_up_rows(texts, width)
        return ids

    def _look_up_rows(self, texts: NDArray[np.void], width: int) -> I64Array:
        """The ids of texts of one width, void (n,)."""
        flat = texts.view(np.uint8)
        period = self._periods.get(width, 1)
        fresh = _fresh(flat, width, period)
        places = np.flatnonzero(fresh)
        if places.size * _FEW > texts.size > _FEW:
            found = _period(flat, width)
            if found != period:
                again = _fresh(flat, width, found)
                if np.count_nonzero(again) < places.size:
                    self._periods[width] = period = found
                    places = np.flatnonzero(again)
        known = np.fromiter(map(self._of_text, _split(texts[places], width)), np.int64, places.size)
        return _spread(known, places, period, texts.size)

    def _of_text(self, text: bytes) -> int:
        number = self._by_text.get(text)
        return self._learn(text) if number is None else number

    def _learn(self, text: bytes) -> int:
        """Ask the lexer. Texts that it refuses are not kept: many errors and exemplars must not fill the memory."""
        try:
            labels, end = parse_series(text)
        except GrammarError:
            return UNKNOWN
        if end != len(text):
            return UNKNOWN
        number = self._by_text[text] = self.add(labels)
        return number


def rows_of(buffer: U8Array, starts: I64Array, width: int) -> NDArray[np.void]:
    """``buffer[start:start + width]`` of each start, as void (n,): a copy. The buffer must be long enough."""
    windows: NDArray[np.void] = np.ndarray((buffer.size - width + 1,), f"V{width}", buffer, strides=(1,))
    rows: NDArray[np.void] = windows[starts]
    return rows


def _by_width(widths: I64Array) -> Iterator[tuple[int, I64Array | None]]:
    """Each width, and the rows that have it; None: all."""
    if not widths.size:
        return
    first = int(widths[0])
    if (widths == first).all():
        yield first, None
        return
    small = widths.astype(np.int16) if widths.max() < 1 << 15 else widths  # 16 bits are sorted by radix
    order = np.argsort(small, kind="stable")
    ranked = widths[order]
    bounds = [0, *(np.flatnonzero(ranked[1:] != ranked[:-1]) + 1).tolist(), widths.size]
    for start, stop in pairwise(bounds):
        yield int(ranked[start]), order[start:stop]


def _fresh(flat: U8Array, width: int, period: int) -> BoolArray:
    """bool (n,): whether a row differs from the one `period` before it; the first rows are fresh."""
    rows = flat.size // width
    fresh = np.zeros(rows, np.bool_)
    fresh[:period] = True
    if period < rows:
        differs = flat[period * width :] != flat[: -period * width]
        fresh[np.flatnonzero(differs) // width + period] = True
    return fresh


def _period(flat: U8Array, width: int) -> int:
    """After how many rows the first one comes again; 1 if it does not come soon."""
    data = flat.tobytes()
    place = data.find(data[:width], width)
    while place % width:  # the same bytes across two rows; -1 % width is not 0 either
        if place < 0:
            return 1
        place = data.find(data[:width], place + 1)
    return place // width


def _spread(known: I64Array, places: I64Array, period: int, size: int) -> I64Array:
    """int64 (size,): the values at the fresh places, elsewhere the value of the row `period` before."""
    if places.size == size:
        return known
    if period == 1:
        return np.repeat(known, np.diff(places, append=size))
    source = np.zeros(-(-size // period) * period, np.int64)
    source[places] = np.arange(places.size)
    source = np.maximum.accumulate(source.reshape(-1, period), axis=0).reshape(-1)[:size]
    return known[source]


def _split(texts: NDArray[np.void], width: int) -> Iterator[bytes]:
    data = texts.tobytes()
    return (data[at : at + width] for at in range(0, len(data), width))
