"""Format numbers and strings as Go does: float64 by ``%g``, integers by ``%d``, strings in quotes.

orjson and Go find the same shortest digits that read back as the same float64, but write them differently. Go's ``%g``
writes an exponent below 1e-4 and from 1e6 on, always with a sign and at least two digits, and it never writes ``.0``.
Most values are copied from orjson's text unchanged. The digits of the others go into a matrix of bytes, one row per
value, and all rows are formatted again at once.

Source: Go's fmt (%g) and strconv (FormatFloat, Quote).
"""

from __future__ import annotations

import numpy as np
import orjson

from promfill.model.types import BoolArray, F64Array, I64Array, U8Array

_LEAST, _MOST = 1e-4, 1e6
"""From `_LEAST` up to but not including `_MOST`, Go writes no exponent."""
_WIDTH = 25
"""The length in bytes of the longest float64 as text, plus one."""
_OUT = _WIDTH + 4
_AT_ONCE = 4096
"""Rows per matrix: few enough that the matrix stays in the CPU cache."""
_DIGIT_0, _DIGIT_9 = b"09"
_MINUS, _PLUS, _POINT, _E = b"-+.e"
_COMMA = b","


def format_floats(values: F64Array) -> list[bytes]:
    """Format each value as Go's ``%g`` does: float64 (n,) to n byte strings."""
    texts = _digits(values).replace(b".0,", _COMMA).split(_COMMA)[:-1]
    size = np.abs(values)
    for place in np.flatnonzero(~np.isfinite(values)).tolist():
        texts[place] = _not_finite(float(values[place]))
    other = np.flatnonzero(((size < _LEAST) & (size > 0)) | ((size >= _MOST) & (size < np.inf)))
    for start in range(0, other.size, _AT_ONCE):
        places = other[start : start + _AT_ONCE]
        for place, text in zip(places.tolist(), _exponent_forms(values[places]), strict=True):
            texts[place] = text
    return texts


def format_integers(numbers: I64Array, ending: bytes = b"") -> list[bytes]:
    """Format each number, int64 (n,), in decimal digits, followed by `ending`."""
    return _digits(numbers).replace(_COMMA, ending + _COMMA).split(_COMMA)[:-1]


def quote(text: str) -> str:
    """Quote a text as strconv.Quote does. The Unicode tables of this Python decide which characters are printable."""
    if text.isascii() and text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return f'"{"".join(map(_quoted, text))}"'


_ESCAPES = {'"': '\\"', "\\": "\\\\"} | {chr(7 + place): f"\\{name}" for place, name in enumerate("abtnvfr")}


def _quoted(character: str) -> str:
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    code = ord(character)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _not_finite(value: float) -> bytes:
    if value != value:
        return b"NaN"
    return b"+Inf" if value > 0 else b"-Inf"


def _digits(numbers: F64Array | I64Array) -> bytes:
    """The shortest decimal form of each number, each followed by a comma."""
    text = orjson.dumps(np.ascontiguousarray(numbers), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
    return text + _COMMA * (numbers.size > 0)


def _exponent_forms(values: F64Array) -> list[bytes]:
    """Format values as ``d.ddde±dd``. All must be finite and not 0."""
    text, lengths, negative = _rows(values)
    digits, exponent = _significands(text, lengths)
    texts = _set(digits, exponent)
    for place in np.flatnonzero(negative).tolist():
        texts[place] = b"-" + texts[place]
    return texts


def _rows(values: F64Array) -> tuple[U8Array, I64Array, BoolArray]:
    """orjson's texts without signs, uint8 (n, _WIDTH), zero-padded; their lengths int64 (n,); which are negative."""
    buffer = np.frombuffer(_digits(values) + bytes(_WIDTH), np.uint8)
    ends = np.flatnonzero(buffer == _COMMA[0])
    starts = np.concatenate([np.zeros(1, np.int64), ends[:-1] + 1])
    negative = buffer[starts] == _MINUS
    starts += negative
    text = np.lib.stride_tricks.sliding_window_view(buffer, _WIDTH)[starts]
    text[np.arange(_WIDTH) >= (ends - starts)[:, None]] = 0
    return text, ends - starts, negative


def _significands(text: U8Array, lengths: I64Array) -> tuple[U8Array, I64Array]:
    """The digits without leading zeros, and the decimal exponents int64 (n,).

    Digits are ASCII, uint8 (n, _WIDTH - 1), padded with "0".
    """
    columns = np.arange(_WIDTH)
    ends, exponent = _written_exponents(text, lengths)
    is_point = text == _POINT
    has_point = is_point.any(axis=1)
    point = np.where(has_point, is_point.argmax(axis=1), ends)
    digits = np.where(columns[:-1] < point[:, None], text[:, :-1], text[:, 1:])
    digits[columns[:-1] >= (ends - has_point)[:, None]] = _DIGIT_0
    first = (digits != _DIGIT_0).argmax(axis=1)
    late = np.flatnonzero(first)
    if late.size:
        moved = np.minimum(columns[:-1] + first[late, None], _WIDTH - 2)
        digits[late] = np.take_along_axis(digits[late], moved, axis=1)
    return digits, point - first - 1 + exponent


def _written_exponents(text: U8Array, lengths: I64Array) -> tuple[I64Array, I64Array]:
    """Where the digits end, and the exponent after ``e`` (0 if there is none): int64 (n,) each."""
    exponent = np.zeros(lengths.size, np.int64)
    is_e = text == _E
    rows = np.flatnonzero(is_e.any(axis=1))
    if not rows.size:
        return lengths, exponent
    at, ends = is_e[rows].argmax(axis=1), lengths.copy()
    ends[rows] = at
    for place in range(1, 6):
        byte = text[rows, np.minimum(at + place, _WIDTH - 1)]
        is_digit = (byte >= _DIGIT_0) & (byte <= _DIGIT_9)
        exponent[rows] = np.where(is_digit, exponent[rows] * 10 + byte - _DIGIT_0, exponent[rows])
    exponent[rows[text[rows, at + 1] == _MINUS]] *= -1
    return ends, exponent


def _set(digits: U8Array, exponent: I64Array) -> list[bytes]:
    """Write digits and exponents as text, with a point after the first digit if there are more digits."""
    rows, width = np.arange(exponent.size), digits.shape[1]
    count = width - (digits[:, ::-1] != _DIGIT_0).argmax(axis=1)
    ends = np.where(count > 1, count + 1, 1)
    text = np.zeros((exponent.size, _OUT), np.uint8)
    text[:, 0] = digits[:, 0]
    text[:, 1] = _POINT
    text[:, 2 : width + 1] = digits[:, 1:]
    text[np.arange(_OUT) >= ends[:, None]] = 0
    size = np.abs(exponent)
    long = size >= 100
    text[rows, ends] = _E
    text[rows, ends + 1] = np.where(exponent < 0, _MINUS, _PLUS)
    text[rows[long], ends[long] + 2] = _DIGIT_0 + size[long] // 100
    text[rows, ends + 2 + long] = _DIGIT_0 + size // 10 % 10
    text[rows, ends + 3 + long] = _DIGIT_0 + size % 10
    texts: list[bytes] = text.view(f"S{_OUT}").ravel().tolist()
    return texts
