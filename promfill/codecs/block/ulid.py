"""ULIDs, the names of blocks: 48 bits of milliseconds and 80 of entropy, in 26 digits of Crockford's base 32.

Source: github.com/ulid/spec. As in Prometheus's reader (oklog/ulid, ParseStrict), small letters are read as large ones.
"""

from __future__ import annotations

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 26
ENTROPY_BYTES = 10
TIME_MAX = (1 << 48) - 1

_ENTROPY_BITS = 8 * ENTROPY_BYTES
_VALUE = {digit: value for value, digit in enumerate(DIGITS)}


def ulid(time_ms: int, entropy: bytes) -> str:
    """The ULID of a time in Unix ms, 0 to 2^48 - 1, and 10 bytes. ValueError: another time, or number of bytes."""
    if not 0 <= time_ms <= TIME_MAX:
        raise ValueError(f"a ULID holds times from 0 to {TIME_MAX} ms, not {time_ms}")
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a ULID holds {ENTROPY_BYTES} bytes of entropy, not {len(entropy)}")
    number = time_ms << _ENTROPY_BITS | int.from_bytes(entropy)
    return "".join(DIGITS[number >> 5 * place & 31] for place in reversed(range(LENGTH)))


def is_ulid(text: str) -> bool:
    """Whether Prometheus would take a directory of this name for a block."""
    return len(text) == LENGTH and text.isascii() and text[0] in "01234567" and set(text.upper()) <= _VALUE.keys()


def ulid_time(text: str) -> int:
    """The time in Unix ms that a ULID holds. ValueError: not a ULID."""
    if not is_ulid(text):
        raise ValueError(f"not a ULID: {text!r}")
    number = 0
    for digit in text.upper():
        number = number << 5 | _VALUE[digit]
    return number >> _ENTROPY_BITS
