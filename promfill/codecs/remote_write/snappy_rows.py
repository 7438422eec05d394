"""Snappy blocks of remote-write requests, written directly: the repeats are known, so nothing needs to search for them.

A sample's 18 bytes are 8 of value and 10 that the row before has at the same place: tags and the timestamp, which all
series of a grid share. So except in the first row, a sample is a copy of these and a literal of its value. Value bytes
that all samples of the request share (the exponent, or the zeros of a snapped value) join the copy:

    value k | 10, time, next sample's 12 10 09 | value k + 1 …          the plain bytes
    literal | copy from one row back           | literal …              h high, z low bytes of values copied too

Between the last value of a row and the first of the next lies the junction: the end of the sample (`mark`), tail, head
and the beginning of the next sample (`open`). For rows of one length it is a copy too, except in the columns where
labels differ. The first row, and a row whose head differs in length from the one before, are spelled out.

Everything except values and times is the same in every request of a slice of series with these h and z: a
`SnappyTemplate` keeps the block and writes values into it, as words of 8 bytes if they are 5 to 8 long; the bytes that
such a word covers after its value are constant, and are written with it.

Source of the format: google/snappy, format_description.txt. A copy reaches 65,535 bytes back at most.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import snappy
from numpy.typing import NDArray

from promfill.codecs.remote_write.wire_rows import RowFrame
from promfill.codecs.remote_write.wire_samples import SAMPLE, SAMPLE_BYTES, is_fixed_width, sample_records
from promfill.model.batch import SeriesBatch
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U64Array

FARTHEST = 65_535
KEPT_TEMPLATES = 2
"""For one slice: values may switch from one number of shared bytes to another, and back."""
OPEN = bytes([0x12, SAMPLE_BYTES - 2, 0x09])
_VALUE = 8
_SHORTEST_COPY = 4
_LONGEST_COPY = 64

Shared = tuple[int, int]
"""How many high and how many low bytes all values have in common."""


def shared_bytes(bits: U64Array) -> Shared:
    """The shared bytes of value bits (T, S), T * S > 0. At most 7 in all: something must be left to write."""
    difference = int(np.bitwise_or.reduce(bits ^ bits.flat[0], axis=None))
    if not difference:
        return 0, _VALUE - 1
    return (64 - difference.bit_length()) // 8, ((difference & -difference).bit_length() - 1) // 8


def fits(frame: RowFrame, steps: int) -> bool:
    """Whether a request can be written directly: at least two rows and two steps, and rows within a copy's reach."""
    longest = int(frame.labels.labels.lengths.max(initial=0)) + len(frame.tail) + 16
    return len(frame.labels.order) > 1 < steps and longest + steps * SAMPLE_BYTES <= FARTHEST


class SnappyEncoder:
    """Blocks of requests of one fleet, which `frame` describes. The last templates of each slice of series are kept."""

    def __init__(self, frame: Callable[[range], RowFrame]) -> None:
        self._frame = frame
        self._templates: dict[range, dict[tuple[int, Shared], SnappyTemplate]] = {}
        self._work = Scratch()

    def encode(self, batch: SeriesBatch) -> tuple[bytes, int] | None:
        """The block, and the size of the message in it; None if it cannot be written directly."""
        bits = batch.values.view(np.uint64)
        frame, steps = self._frame(batch.series), len(bits)
        regular = batch.present is None and batch.timestamps.ndim == 1 and is_fixed_width(batch.timestamps)
        if not regular or not fits(frame, steps):
            return None
        kept = self._templates.setdefault(batch.series, {})
        key = steps, shared_bytes(bits)
        if key not in kept:
            while len(kept) >= KEPT_TEMPLATES:
                del kept[next(iter(kept))]
            kept[key] = SnappyTemplate(frame, steps, key[1])
        return kept[key].fill(bits, batch.timestamps, self._work), kept[key].raw


def literal(length: int) -> bytes:
    """The tag of a literal of this many bytes, 1 to 65,536."""
    if length <= 60:
        return bytes([(length - 1) << 2])
    size = 1 if length <= 256 else 2
    return bytes([(59 + size) << 2]) + (length - 1).to_bytes(size, "little")


def copy(distance: int, length: int) -> bytes:
    """Elements that repeat `length` >= 4 bytes from `distance` bytes back."""
    elements = b""
    while length > _LONGEST_COPY:
        part = _LONGEST_COPY if length >= _LONGEST_COPY + _SHORTEST_COPY else _LONGEST_COPY - _SHORTEST_COPY
        elements += bytes([(part - 1) << 2 | 2]) + distance.to_bytes(2, "little")
        length -= part
    if length <= 11 and distance < 2048:
        return elements + bytes([distance >> 8 << 5 | (length - 4) << 2 | 1, distance & 255])
    return elements + bytes([(length - 1) << 2 | 2]) + distance.to_bytes(2, "little")


def uvarint(number: int) -> bytes:
    """The length in front of a block."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes([*out, number])


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows of one shape in the block: where their values go, as words, and what follows each value."""

    series: I64Array
    words: NDArray[np.unsignedinteger]  # (n, T), a view of the block
    behind: np.unsignedinteger  # the constant bytes that a word covers after its value
    after: U8Array  # (n, bytes covered), a view: what the last word of a row covers
    kept: U8Array  # what belongs there


class SnappyTemplate:
    """A request of a slice of series, `steps` steps each, whose values share this many high and low bytes."""

    def __init__(self, frame: RowFrame, steps: int, shared: Shared) -> None:
        self.raw = frame.size(steps)
        self._shared, self._steps = shared, steps
        high, low = shared
        self._literal = _VALUE - high - low
        self._tail = np.frombuffer(frame.tail, np.uint8)
        heads, orders = frame.heads(steps), frame.orders()
        pieces = [*self._pieces(heads)]
        begin = self._begin(frame, heads)
        ahead = [len(begin), *(piece.size(steps, self._literal) for piece in pieces)]
        starts = [*itertools.accumulate(ahead)]
        end = self._end(heads)
        self.size = starts[-1] + len(end)
        self._block = np.zeros(self.size + _VALUE, np.uint8)
        self._block[: len(begin)] = np.frombuffer(begin, np.uint8)
        self._block[starts[-1] : self.size] = np.frombuffer(end, np.uint8)
        first = len(begin) - steps * SAMPLE_BYTES
        self._first = np.ndarray((steps,), SAMPLE, self._block, first)
        self._first_series = int(orders[0][0])
        series = np.concatenate(orders)[1:]
        for piece, start in zip(pieces, starts, strict=False):
            piece.write(self._block, start, steps, self._literal)
        rows = itertools.accumulate((len(piece.junctions) for piece in pieces), initial=0)
        self._rows = [
            self._open_rows(piece, start, series[row : row + len(piece.junctions)])
            for piece, start, row in zip(pieces, starts, rows, strict=False)
        ]

    def fill(self, bits: U64Array, timestamps: I64Array, work: Scratch) -> bytes:
        """The block with these value bits (T, S) and times int64 ms (T,)."""
        self._first[:] = sample_records(timestamps)
        self._first["value"] = bits[:, self._first_series]
        low = self._shared[1]
        for rows in self._rows:
            values = work.get("values", (self._steps, rows.series.size), np.uint64)
            np.take(bits, rows.series, axis=1, out=values)
            if low:
                np.right_shift(values, np.uint64(8 * low), out=values)
            if rows.after.shape[1]:
                np.bitwise_and(values, np.uint64((1 << 8 * self._literal) - 1), out=values)
                np.bitwise_or(values, np.uint64(rows.behind), out=values)
            np.copyto(rows.words, values.T, casting="unsafe")
            rows.after[:] = rows.kept
        block: bytes = self._block[: self.size].tobytes()
        return block

    def _begin(self, frame: RowFrame, heads: list[U8Array]) -> bytes:
        """Length, prefix and the first row without its samples, for which it leaves room."""
        packed: bytes = snappy.compress(frame.prefix)[len(uvarint(len(frame.prefix))) :] if frame.prefix else b""
        head: bytes = heads[0][0].tobytes()
        room = bytes(self._steps * SAMPLE_BYTES)
        return uvarint(self.raw) + packed + literal(len(head) + len(room)) + head + room

    def _end(self, heads: list[U8Array]) -> bytes:
        tail = self._tail.tobytes()
        last = copy(self._distance(heads[-1].shape[1]), self._mark)
        return last + (literal(len(tail)) + tail if tail else b"")

    @property
    def _mark(self) -> int:
        """Bytes after the last value of a row that the row before has too: high bytes of the value, tag and time."""
        return self._shared[0] + SAMPLE_BYTES - len(OPEN) - _VALUE

    @property
    def _open(self) -> int:
        """Bytes before the first value of a row that the row before has too."""
        return len(OPEN) + self._shared[1]

    def _distance(self, head: int) -> int:
        """How far back the same sample of the row before lies, in a row with a head of this many bytes."""
        return self._steps * SAMPLE_BYTES + self._tail.size + head

    def _pieces(self, heads: list[U8Array]) -> Iterator[_Piece]:
        """All rows except the first, in groups that are written alike."""
        before = 0
        for place, group in enumerate(heads):
            distance = self._distance(group.shape[1])
            between = copy(distance, self._mark + self._open)
            spelled = min(len(group), 2 if place == 0 else 1)
            for row in range(1 if place == 0 else 0, spelled):
                yield _Piece(self._spell(group[row], distance, before if row == 0 else 0), between)
            if len(group) > spelled:
                yield _Piece(self._junctions(group[spelled - 1 :], distance), between)
            before = distance if place or len(group) > 1 else 0

    def _spell(self, head: U8Array, distance: int, before: int) -> U8Array:
        """A junction in full: after the first row (`before` 0) nothing can be copied, after other rows the mark can."""
        lead = copy(before, self._mark) if before else b""
        text = self._tail.tobytes() + head.tobytes()
        if self._shared[1]:
            spelled = lead + literal(len(text)) + text + copy(distance, self._open)
        else:
            spelled = lead + literal(len(text) + len(OPEN)) + text + OPEN
        return np.frombuffer(spelled + literal(self._literal), np.uint8)[None, :]

    def _junctions(self, heads: U8Array, distance: int) -> U8Array:
        """The junctions before all of these rows except the first, whose own junction they are compared with."""
        mark, opening = self._mark, self._open
        same = np.ones(mark + self._tail.size + heads.shape[1] + opening, np.bool_)
        labels = slice(mark + self._tail.size, same.size - opening)
        same[labels] = (heads == heads[0]).all(axis=0)
        text = np.zeros((len(heads) - 1, same.size), np.uint8)
        text[:, labels] = heads[1:]
        text[:, mark : labels.start] = self._tail
        text[:, labels.stop : labels.stop + len(OPEN)] = np.frombuffer(OPEN, np.uint8)
        parts: list[U8Array] = []
        at = 0
        for first, end in [*_runs(same), (same.size, same.size)]:
            if first > at:
                parts += [_constant(literal(first - at), len(text)), text[:, at:first]]
            if end > first:
                parts.append(_constant(copy(distance, end - first), len(text)))
            at = end
        return np.concatenate([*parts, _constant(literal(self._literal), len(text))], axis=1)

    def _open_rows(self, piece: _Piece, start: int, series: I64Array) -> _Rows:
        """Views of where the values of a piece go."""
        count, width = piece.junctions.shape
        word = next(size for size in (1, 2, 4, 8) if size >= self._literal)
        covered = word - self._literal
        pitch, cell = piece.pitch(self._steps, self._literal), piece.cell(self._literal)
        words: NDArray[np.unsignedinteger] = np.ndarray(
            (count, self._steps), f"<u{word}", self._block, start + width, (pitch, cell)
        )
        last = start + width + (self._steps - 1) * cell + self._literal
        after: U8Array = np.ndarray((count, covered), np.uint8, self._block, last, (pitch, 1))
        behind = int.from_bytes((piece.between + literal(self._literal))[:covered], "little") << 8 * self._literal
        return _Rows(series, words, np.uint64(behind), after, after.copy())


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """Consecutive rows that are written alike: junctions uint8 (n, w), and the copy between their values."""

    junctions: U8Array
    between: bytes

    def cell(self, value: int) -> int:
        """Bytes from one value of a row to the next."""
        return len(self.between) + 1 + value

    def pitch(self, steps: int, value: int) -> int:
        """Bytes from one row to the next."""
        return int(self.junctions.shape[1]) + value + (steps - 1) * self.cell(value)

    def size(self, steps: int, value: int) -> int:
        """Bytes of all rows."""
        return int(self.junctions.shape[0]) * self.pitch(steps, value)

    def write(self, block: U8Array, start: int, steps: int, value: int) -> None:
        """Write everything except the values."""
        rows = block[start : start + self.size(steps, value)].reshape(len(self.junctions), -1)
        width = self.junctions.shape[1]
        rows[:, :width] = self.junctions
        cells = rows[:, width + value :].reshape(len(rows), steps - 1, self.cell(value))
        cells[:, :, : len(self.between) + 1] = np.frombuffer(self.between + literal(value), np.uint8)


def _runs(same: BoolArray) -> list[tuple[int, int]]:
    """(first, end) of the stretches that are worth a copy."""
    edges = np.flatnonzero(np.diff(same, prepend=False, append=False)).reshape(-1, 2).tolist()
    return [(first, end) for first, end in edges if end - first >= _SHORTEST_COPY]


def _constant(data: bytes, rows: int) -> U8Array:
    return np.broadcast_to(np.frombuffer(data, np.uint8), (rows, len(data)))
