"""Where lines of OpenMetrics text begin, break and end, by one scan for bytes up to the blank.

A usual line is ``SERIES VALUE TIME\\n``. Labels may hold blanks too: the last two of the line count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array

WIDEST = 48
"""The most bytes of value, blank and time in a usual line."""


_BLANK, _NEWLINE, _COMMENT = ord(" "), ord("\n"), ord("#")


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """n lines of a buffer, int64 (n,): line i is ``buffer[starts[i]:ends[i]]`` without its newline.

    series_ends, value_ends: where the last two blanks are; meaningless in a line without two blanks.
    """

    starts: I64Array
    series_ends: I64Array
    value_ends: I64Array
    ends: I64Array

    def __len__(self) -> int:
        return int(self.ends.size)

    def __getitem__(self, rows: I64Array) -> Lines:
        return Lines(self.starts[rows], self.series_ends[rows], self.value_ends[rows], self.ends[rows])


def split_lines(buffer: U8Array, size: int, work: Scratch) -> tuple[Lines, BoolArray]:
    """The lines of ``buffer[:size]`` that end with a newline, and which of them have the usual shape, bool (n,)."""
    small = work.get("om.small", (size,), np.bool_)
    np.less_equal(buffer[:size], _BLANK, out=small)
    places = np.flatnonzero(small)
    kinds = buffer[places]
    if _alternate(kinds):
        columns = np.ascontiguousarray(places.reshape(-1, 3).T)
        lines = _lines(columns[0], columns[1], columns[2])
        return lines, _usual(buffer, lines)
    at = np.flatnonzero(kinds == _NEWLINE)
    second, last = np.maximum(at - 2, 0), np.maximum(at - 1, 0)
    lines = _lines(places[second], places[last], places[at])
    spaced = (at >= 2) & (kinds[second] == _BLANK) & (kinds[last] == _BLANK)
    return lines, spaced & _usual(buffer, lines)


def _alternate(kinds: U8Array) -> bool:
    """Whether every line holds two blanks and no other byte up to the blank."""
    if kinds.size % 3:
        return False
    blanks = (kinds[0::3] == _BLANK) & (kinds[1::3] == _BLANK)
    return bool(blanks.all() and (kinds[2::3] == _NEWLINE).all())


def _lines(series_ends: I64Array, value_ends: I64Array, ends: I64Array) -> Lines:
    starts = np.zeros(ends.size, np.int64)
    starts[1:] = ends[:-1]
    starts[1:] += 1
    return Lines(starts, series_ends, value_ends, ends)


def _usual(buffer: U8Array, lines: Lines) -> BoolArray:
    """Not a comment; three tokens, and the last two within WIDEST."""
    usual: Any = buffer[lines.starts] != _COMMENT
    usual &= lines.series_ends > lines.starts
    usual &= lines.value_ends > lines.series_ends + 1
    usual &= lines.ends > lines.value_ends + 1
    usual &= lines.ends - lines.series_ends <= WIDEST
    return np.asarray(usual, np.bool_)
