"""Columns of number tokens to float64, thousands at a time, correctly rounded.

Tokens are gathered as rows of one width and padded with blanks: with commas between them they are one JSON array,
which orjson reads as correctly as Python's float. A token that JSON cannot express (NaN, +Inf, +5, .5, 01), or that is
several in JSON, is marked as odd, and left to the exact parser.
"""

from __future__ import annotations

import re
import struct

import numpy as np
import orjson

from promfill.codecs.openmetrics.series import rows_of
from promfill.model.types import BoolArray, F64Array, I64Array, U8Array

_MINUS, _DOT, _ZERO, _BLANK, _COMMA = b"-.0 ,"
_MOST_DIGITS = 15  # that float64 holds exactly
_FRACTION = 3
_JSON_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)? *")


def read_values(buffer: U8Array, starts: I64Array, ends: I64Array) -> tuple[F64Array, BoolArray]:
    """float64 (n,) of the tokens ``buffer[starts[i]:ends[i]]``, and bool (n,): odd ones, whose value is meaningless.

    n >= 1. The buffer continues for the length of the longest token after the last start.
    """
    rows = _padded(buffer, starts, ends - starts)
    first = rows[:, 0]
    negative = first == _MINUS
    lead = np.where(negative, buffer[starts + 1], first)
    odd = (lead - np.uint8(_ZERO)) > 9
    _blank_out(rows, odd)
    try:
        values = _load(rows)
    except (ValueError, TypeError, struct.error):
        odd |= _odd_rows(rows)
        _blank_out(rows, odd)
        values = _load(rows)
    zeros = np.flatnonzero(negative & (values == 0))
    values[zeros] = -0.0  # JSON's integer -0 has no sign
    odd |= np.isinf(values)
    return values, odd


def read_seconds(buffer: U8Array, starts: I64Array, ends: I64Array) -> tuple[F64Array, BoolArray]:
    """The same for times, most of which are digits of one width, or digits and three decimals."""
    width = int(ends[0] - starts[0])
    if width <= _MOST_DIGITS and (ends - starts == width).all():
        seconds = _read_digits(rows_of(buffer, starts, width).view(np.uint8).reshape(-1, width))
        if seconds is not None:
            return seconds, np.zeros(starts.size, np.bool_)
    return read_values(buffer, starts, ends)


def _padded(buffer: U8Array, starts: I64Array, lengths: I64Array) -> U8Array:
    """uint8 (n, w): each token, then blanks, and a comma last."""
    width = int(lengths.max()) + 1
    rows = rows_of(buffer, starts, width).view(np.uint8).reshape(-1, width)
    flat = rows.reshape(-1)
    for column in range(int(lengths.min()), width - 1):
        flat[np.flatnonzero(lengths <= column) * width + column] = _BLANK
    rows[:, -1] = _COMMA
    return rows


def _blank_out(rows: U8Array, odd: BoolArray) -> None:
    """Put zeros in the place of odd tokens."""
    places = np.flatnonzero(odd)
    if places.size:
        rows[places, :-1] = _BLANK
        rows[places, 0] = _ZERO


def _load(rows: U8Array) -> F64Array:
    """float64 (n,). ValueError, TypeError or struct.error: a row is not one JSON number."""
    numbers = orjson.loads(b"[" + rows.tobytes()[:-1] + b"]")
    if len(numbers) != len(rows):
        raise ValueError("tokens with commas")
    return np.frombuffer(bytearray(struct.pack(f"{len(rows)}d", *numbers)), np.float64)


def _odd_rows(rows: U8Array) -> BoolArray:
    width = rows.shape[1]
    data = rows.tobytes()
    return np.array([not _is_json(data[at : at + width - 1]) for at in range(0, len(data), width)], np.bool_)


def _is_json(token: bytes) -> bool:
    return bool(_JSON_NUMBER.fullmatch(token)) and abs(float(token)) != float("inf")


def _read_digits(digits: U8Array) -> F64Array | None:
    """float64 (n,) of digits uint8 (n, w), if all have a dot before the last three, or none has; else None."""
    width = digits.shape[1]
    dot = width - _FRACTION - 1
    powers = 10.0 ** np.arange(width - 1, -1, -1)
    decimals = dot > 0 and digits[0, dot] == _DOT
    if decimals:
        if (digits[:, dot] != _DOT).any():
            return None
        powers[:dot] /= 10
        digits[:, dot] = _ZERO
    digits -= np.uint8(_ZERO)
    if digits.max() > 9:
        return None
    number = digits.astype(np.float64) @ powers  # exact: whole and below 2^53
    return number / 1000 if decimals else number  # one rounding, the correct one
