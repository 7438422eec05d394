"""Numbers of OpenMetrics text, one at a time, exactly as promtool reads them.

Source: Go's strconv.ParseFloat as prometheus/prometheus, model/textparse calls it: no hexadecimal, no underscores, and
an overflow is an error. Python's float rounds as correctly, but accepts more spellings.
"""

from __future__ import annotations

import math
import re
import struct

_DECIMAL = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INFINITE = re.compile(rb"([+-]?)inf(?:inity)?", re.IGNORECASE)
LAST_MS = 253_402_300_799_999
"""9999-12-31T23:59:59.999Z: a sample after it is refused."""

_SHOWN = 40  # bytes of a token that an error shows

NORMAL_NAN: float = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000001))[0]
"""Prometheus's NaN that is not a staleness marker (model/value): what a NaN in text is read as."""


class GrammarError(ValueError):
    """A line that promtool would refuse; the line's number is not in it."""


def parse_number(token: bytes) -> float:
    """The float64 nearest to the token. GrammarError: not a number, or one beyond float64."""
    if _DECIMAL.fullmatch(token):
        number = float(token)
        if math.isinf(number):
            raise GrammarError(f"the number {show(token)} is beyond float64")
        return number
    if token.lower() == b"nan":
        return NORMAL_NAN
    infinite = _INFINITE.fullmatch(token)
    if not infinite:
        raise GrammarError(f"{show(token)} is not a valid number")
    return -math.inf if infinite[1] == b"-" else math.inf


def parse_time(token: bytes) -> int:
    """Unix ms of a sample's time in seconds, cut towards zero as in promtool. GrammarError: no store keeps it."""
    milliseconds = _milliseconds(token)
    if not 0 <= milliseconds <= LAST_MS:
        raise GrammarError(f"the time {show(token)} is not between 1970 and 9999: no store holds it")
    return int(milliseconds)


def check_exemplar_time(token: bytes) -> None:
    """GrammarError if the token is not a time. An exemplar is dropped, so its time need not be in any range."""
    _milliseconds(token)


def show(token: bytes) -> str:
    """The token, or its beginning, for an error."""
    text = token[:_SHOWN].decode(errors="backslashreplace")
    return repr(text + "…" if len(token) > _SHOWN else text)


def _milliseconds(token: bytes) -> float:
    seconds = parse_number(token)
    if not math.isfinite(seconds):
        raise GrammarError(f"{show(token)} is not a valid time")
    return math.trunc(seconds * 1000) if abs(seconds) < 1e15 else seconds * 1000
