"""The values of XOR chunks: where the bits of each sample go, for all chunks of a batch at once.

A sample's value is told by its XOR with the value before, in a *window* of the 64 bits (tsdb/chunkenc/xor.go):

    0                                            the XOR is zero
    10 | bits of the window                      it fits the window in force
    11 | leading (5) | length (6) | bits         a window of its own, in force from here on

The idea: the XOR is never cut to its window. It is a *frame* of 64 bits, placed so that its window lies where the
format wants it; the zeros on both sides of the window overlap the neighbours, and since frames are added, they
change nothing. The control bit of ``10`` is set in the zeros to the left of the window. Only bits without room there
are added apart: the headers of new windows (few, since windows persist), and ``10`` before a window of leading < 2.

         |<------------------------ frame: 64 bits ------------------------>|
         0 0 0 0 0 0 0 0 1 0 x x x x x x x x x x x x x x x x x x x x 0 0 0 0
         leading        |ctl|  window                                trailing

Arrays are (K, C, S): row p of every chunk of every series lies together, since windows go from row to row; if the
last chunk is short, its later rows hold nothing. Row 0 holds the state "no window yet" as a window that nothing fits
(leading 0, trailing 64); a zero XOR measures (31, 64) and fits every window. So there is no special case.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.model.scratch import Scratch, row_blocks
from promfill.model.types import BoolArray, U8Array, U64Array

ORIGIN = 64
"""What `ValueFrames.offsets` holds in the first row of a chunk, so that offsets are never negative."""

NO_CONTROL = 128
"""Added to `ValueFrames.control` if the frame holds no control bit, so that the shift leaves nothing."""

MAX_LEADING = 31
_NOTHING_FITS = (0, 64)
_LEADING, _TRAILING = 0, 1


@dataclass(frozen=True, slots=True, eq=False)
class ValueFrames:
    """Where the values of S series go, in C chunks of K rows; scratch arrays, valid until the next call.

    offsets: uint16 or uint32 (K, C, S), ORIGIN in the first row of a chunk. Bits from the start of the frame before to
    that of this one, if every delta-of-delta is one bit; once accumulated, from one bit before the chunk's stream.
    windows: uint8 (K, 2, C, S), leading and trailing zeros of the window in force after the sample.
    control: uint8 (K, C, S), 65 - leading: ``1 << control`` is the frame's control bit; plus NO_CONTROL if it has none.
    apart: bool (K, C, S), the sample's control bits do not fit its frame.
    """

    offsets: NDArray[Any]
    windows: U8Array
    control: U8Array
    apart: BoolArray


def frame_values(bits: U64Array, chunk_rows: int, widest: int, work: Scratch) -> ValueFrames:
    """Lay the frames of the samples ``bits`` uint64 (T, S), cut into C chunks of ``chunk_rows`` rows.

    ``widest``: the most bits of a chunk's stream, which decides the dtype of the offsets.
    """
    steps, series = bits.shape
    shape = (min(chunk_rows, steps), -(-steps // chunk_rows), series)
    windows = work.get("xor.windows", (shape[0], 2, *shape[1:]), np.uint8)
    differs = work.get("xor.differs", shape, np.bool_)
    apart = work.get("xor.apart", shape, np.bool_)
    control = work.get("xor.control", shape, np.uint8)
    offsets = work.get("xor.offsets", shape, np.uint16 if widest < 1 << 16 else np.uint32)
    for chunk, start in enumerate(range(0, steps, chunk_rows)):
        for rows in row_blocks(start + 1, min(start + chunk_rows, steps), series):
            place = slice(rows.start - start, rows.stop - start)
            _measure(bits, rows, windows[place, :, chunk], differs[place, chunk], work)
    windows[0] = np.array(_NOTHING_FITS, np.uint8)[:, None, None]
    _choose_windows(windows, apart, steps, work)
    for first, stop, going in _spans(shape, steps):
        for rows in row_blocks(first, stop, going * series):
            before = windows[rows.start - 1 : rows.stop, :, :going]
            here = rows, slice(going)
            _lay(before, differs[here], apart[here], control[here], offsets[here], work)
    offsets[0] = ORIGIN
    return ValueFrames(offsets, windows, control, apart)


def accumulate(offsets: NDArray[Any], steps: int, work: Scratch) -> None:
    """Sum the offsets down the rows of each chunk, in place; steps: T."""

    def rows() -> list[tuple[NDArray[Any], NDArray[Any]]]:
        spans = _spans(offsets.shape, steps)
        return [
            (offsets[p - 1, :going], offsets[p, :going]) for first, stop, going in spans for p in range(first, stop)
        ]

    for before, here in work.views("xor.offset rows", (offsets,), steps, rows):
        np.add(before, here, out=here)


def _measure(bits: U64Array, rows: slice, windows: U8Array, differs: BoolArray, work: Scratch) -> None:
    """Leading zeros (at most 31) and trailing zeros (64 if equal) of the XORs, and whether there is a difference."""
    shape = (rows.stop - rows.start, bits.shape[1])
    xor = work.get("xor.xor", shape, np.uint64)
    part = work.get("xor.part", shape, np.uint64)
    real = work.get("xor.real", shape, np.float64)
    small = work.get("xor.small", shape, np.uint8)
    np.bitwise_xor(bits[rows], bits[rows.start - 1 : rows.stop - 1], out=xor)

    # The exponent of a float64 is the place of the highest bit; 32 bits are converted exactly. The lowest of them is
    # set, which caps the leading zeros at 31. Eight bits of the exponent are enough to subtract by.
    np.right_shift(xor, 32, out=part)
    np.bitwise_or(part, 1, out=part)
    real[...] = part.view(np.int64)
    np.right_shift(real.view(np.uint64), 52, out=part)
    np.copyto(small, part, casting="unsafe")
    np.subtract((1023 + MAX_LEADING) & 0xFF, small, out=windows[:, _LEADING])

    # x | -x has ones from the lowest set bit up.
    np.negative(xor, out=part)
    np.bitwise_or(part, xor, out=part)
    np.bitwise_count(part, out=small)
    np.subtract(64, small, out=windows[:, _TRAILING])
    np.not_equal(small, 0, out=differs)


def _choose_windows(windows: U8Array, opened: BoolArray, steps: int, work: Scratch) -> None:
    """In place: from each XOR's own window to the window in force after it; opened: a new one begins here."""
    views = work.views("xor.window rows", (windows, opened), steps, lambda: _window_rows(windows, opened, steps))
    for here, state, exceeds, exceeds_leading, exceeds_trailing, change, new, one_if_new in views:
        np.less(here, state, out=exceeds)
        np.logical_or(exceeds_leading, exceeds_trailing, out=new)
        np.bitwise_xor(here, state, out=change)
        np.multiply(change, one_if_new, out=change)  # selects; np.where takes four times as long
        np.bitwise_xor(state, change, out=here)


def _window_rows(windows: U8Array, opened: BoolArray, steps: int) -> list[tuple[NDArray[Any], ...]]:
    exceeds = np.empty(windows.shape[1:], np.bool_)
    change = np.empty(windows.shape[1:], np.uint8)
    rows: list[tuple[NDArray[Any], ...]] = []
    for first, stop, going in _spans(opened.shape, steps):
        less = exceeds[:, :going]
        for p in range(first, stop):
            here, state, new = windows[p, :, :going], windows[p - 1, :, :going], opened[p, :going]
            rows.append((here, state, less, less[0], less[1], change[:, :going], new, new.view(np.uint8)))
    return rows


def _spans(shape: tuple[int, ...], steps: int) -> Iterator[tuple[int, int, int]]:
    """First row, row after the last, and chunks that have these rows: all C, then all but a shorter last one."""
    rows, chunks = shape[:2]
    last = steps - (chunks - 1) * rows
    yield 1, last, chunks
    yield max(last, 1), rows, chunks - 1


def _lay(
    windows: U8Array,
    differs: BoolArray,
    apart: BoolArray,
    control: U8Array,
    offsets: NDArray[Any],
    work: Scratch,
) -> None:
    """How far each frame starts after the one before it, and where its control bit is; windows: from a row earlier on.

    From frame to frame it is 2 bits (a zero delta-of-delta, a zero XOR); 67 - leading - trailing in the window in
    force; 78 - leading - (trailing of the window before) to one with a new window: one formula for all, within int8.
    """
    advance = work.get("xor.small", differs.shape, np.uint8)
    more = work.get("xor.more", differs.shape, np.uint8)
    opened = apart
    np.subtract(65, windows[1:, _LEADING], out=advance)
    np.equal(differs, opened, out=more.view(np.bool_))
    np.multiply(more, NO_CONTROL, out=more)
    np.add(more, advance, out=control)

    np.subtract(advance, windows[:-1, _TRAILING], out=advance)
    np.multiply(advance, differs.view(np.uint8), out=advance)
    np.multiply(opened.view(np.uint8), 11, out=more)
    np.add(advance, more, out=advance)
    np.add(advance, 2, out=advance)
    np.copyto(offsets, advance.view(np.int8), casting="unsafe")

    # Shifts of 64 and 65 are those of ``10`` before leading 1 and 0.
    np.right_shift(control, 1, out=more)
    np.equal(more, 32, out=more.view(np.bool_))
    np.logical_or(opened, more.view(np.bool_), out=apart)
