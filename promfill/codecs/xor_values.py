"""The values of XOR chunks: where the bits of each sample go, for all chunks of a batch at once.

A sample's value is told by its XOR with the value before, in a *window* of the 64 bits (tsdb/chunkenc/xor.go):

    0                                            the XOR is zero
    10 | bits of the window                      it fits the window in force
    11 | leading (5) | length (6) | bits         a window of its own, in force from here on

The idea: the XOR is never cut to its window. It is a *frame* of 64 bits, laid so that its window lies where the
format wants it; the zeros on both sides of the window overlap the neighbours, and since frames are added up, they
change nothing. The control bit of ``10`` is set in the zeros to the left of the window. Only what finds no room there
is put apart: the headers of new windows (few, since windows are sticky), and ``10`` before a window of leading < 2.

         |<------------------------ frame: 64 bits ------------------------>|
         0 0 0 0 0 0 0 0 1 0 x x x x x x x x x x x x x x x x x x x x 0 0 0 0
         leading        |ctl|  window                                trailing

Arrays are step-major, (T, S): row p of every chunk is the slice ``p::K``, a row shorter where the last chunk is
short, so chunks that end early cost nothing. Row 0 of a chunk holds the state "no window yet" as a window that
nothing fits (leading 0, trailing 64); a zero XOR measures (31, 64) and fits every window. So no case is special.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.work import Work, row_blocks

ORIGIN = 64
"""What `ValueFrames.offsets` holds in the first row of a chunk, so that offsets are never negative."""

MAX_LEADING = 31
_NOTHING_FITS = (0, 64)
_NO_SHIFT = 7
_LEADING, _TRAILING = 0, 1

U8Array = NDArray[np.uint8]
U64Array = NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class ValueFrames:
    """Where the values of T x S samples go; scratch arrays, valid until the next call.

    offsets: uint16 or uint32 (T, S), ORIGIN in the first row of a chunk. Bits from the start of the frame before to
    that of this one, if every delta-of-delta is one bit; once accumulated, from one bit before the chunk's stream.
    windows: uint8 (T, 2, S), leading and trailing zeros of the window in force after the sample.
    control: uint8 (T, S), ``1 << control`` is the frame's control bit; 64 and more: none.
    apart: bool (T, S), the sample's control bits do not fit its frame.
    """

    offsets: NDArray[Any]
    windows: U8Array
    control: U8Array
    apart: NDArray[np.bool_]


def frame_values(bits: U64Array, chunk_rows: int, widest: int, work: Work) -> ValueFrames:
    """Lay the frames of the samples ``bits`` uint64 (T, S), cut into chunks of ``chunk_rows`` rows.

    ``widest``: the most bits of a chunk's stream, by which the dtype of the offsets is chosen.
    """
    steps, series = bits.shape
    windows = work.get("xor.windows", (steps, 2, series), np.uint8)
    differs = work.get("xor.differs", bits.shape, np.bool_)
    apart = work.get("xor.apart", bits.shape, np.bool_)
    control = work.get("xor.control", bits.shape, np.uint8)
    offsets = work.get("xor.offsets", bits.shape, np.uint16 if widest < 1 << 16 else np.uint32)
    for rows in row_blocks(1, steps, series):
        _measure(bits, rows, windows, differs, work)
    windows[0::chunk_rows] = np.array(_NOTHING_FITS, np.uint8)[:, None]
    differs[0::chunk_rows] = False
    apart[0::chunk_rows] = False
    _choose_windows(windows, apart, chunk_rows, work)
    for rows in row_blocks(1, steps, series):
        _lay(rows, windows, differs, apart, control, offsets, work)
    offsets[0::chunk_rows] = ORIGIN
    return ValueFrames(offsets, windows, control, apart)


def accumulate(offsets: NDArray[Any], chunk_rows: int, work: Work) -> None:
    """Sum the offsets down the rows of each chunk, in place."""
    for before, here in work.views("xor.offset rows", (offsets,), chunk_rows, lambda: _pairs(offsets, chunk_rows)):
        np.add(before, here, out=here)


def _measure(bits: U64Array, rows: slice, windows: U8Array, differs: NDArray[np.bool_], work: Work) -> None:
    """Leading zeros (31 at most) and trailing zeros (64 where equal) of the XORs, and whether there is a difference."""
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
    np.subtract((1023 + MAX_LEADING) & 0xFF, small, out=windows[rows, _LEADING])

    # x | -x has ones from the lowest set bit up.
    np.negative(xor, out=part)
    np.bitwise_or(part, xor, out=part)
    np.bitwise_count(part, out=small)
    np.subtract(64, small, out=windows[rows, _TRAILING])
    np.not_equal(small, 0, out=differs[rows])


def _choose_windows(windows: U8Array, opened: NDArray[np.bool_], chunk_rows: int, work: Work) -> None:
    """In place: from what each XOR measures to the window in force after it; opened: a new one begins here."""
    views = work.views(
        "xor.window rows", (windows, opened), chunk_rows, lambda: _window_rows(windows, opened, chunk_rows)
    )
    for here, state, exceeds, exceeds_leading, exceeds_trailing, change, new, new_by_two in views:
        np.less(here, state, out=exceeds)
        np.logical_or(exceeds_leading, exceeds_trailing, out=new)
        np.bitwise_xor(here, state, out=change)
        np.multiply(change, new_by_two, out=change)  # selects; np.where takes four times as long
        np.bitwise_xor(state, change, out=here)


def _window_rows(windows: U8Array, opened: NDArray[np.bool_], chunk_rows: int) -> list[tuple[NDArray[Any], ...]]:
    most = -(-windows.shape[0] // chunk_rows)
    exceeds = np.empty((most, *windows.shape[1:]), np.bool_)
    change = np.empty(exceeds.shape, np.uint8)
    rows: list[tuple[NDArray[Any], ...]] = []
    for (state, here), (_, new) in zip(_pairs(windows, chunk_rows), _pairs(opened, chunk_rows), strict=True):
        less = exceeds[: len(here)]
        new_by_two = new.view(np.uint8)[:, None]
        rows.append((here, state, less, less[:, 0], less[:, 1], change[: len(here)], new, new_by_two))
    return rows


def _pairs(array: NDArray[Any], chunk_rows: int) -> list[tuple[NDArray[Any], NDArray[Any]]]:
    """Views of row p - 1 and of row p of all chunks that have a row p, for p = 1, 2 …"""
    rows = ((array[p - 1 :: chunk_rows], array[p::chunk_rows]) for p in range(1, min(chunk_rows, len(array))))
    return [(before[: len(here)], here) for before, here in rows]


def _lay(
    rows: slice,
    windows: U8Array,
    differs: NDArray[np.bool_],
    apart: NDArray[np.bool_],
    control: U8Array,
    offsets: NDArray[Any],
    work: Work,
) -> None:
    """How far each frame starts after the one before it, and where its control bit is.

    From frame to frame it is 2 bits (a zero delta-of-delta, a zero XOR); 67 - leading - trailing in the window in
    force; 78 - leading - (trailing of the window before) to one with a new window: one formula for all, within int8.
    """
    shape = differs[rows].shape
    advance = work.get("xor.small", shape, np.uint8)
    more = work.get("xor.more", shape, np.uint8)
    opened = apart[rows]
    np.subtract(65, windows[rows, _LEADING], out=advance)
    np.equal(differs[rows], opened, out=more.view(np.bool_))
    np.left_shift(more, _NO_SHIFT, out=more)
    np.add(more, advance, out=control[rows])

    np.subtract(advance, windows[rows.start - 1 : rows.stop - 1, _TRAILING], out=advance)
    np.multiply(advance, differs[rows].view(np.uint8), out=advance)
    np.multiply(opened.view(np.uint8), 11, out=more)
    np.add(advance, more, out=advance)
    np.add(advance, 2, out=advance)
    np.copyto(offsets[rows], advance.view(np.int8), casting="unsafe")

    # Shifts of 64 and 65 are those of ``10`` before leading 1 and 0.
    np.right_shift(control[rows], 1, out=more)
    np.equal(more, 32, out=more.view(np.bool_))
    np.logical_or(opened, more.view(np.bool_), out=opened)
