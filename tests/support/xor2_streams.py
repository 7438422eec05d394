"""XOR2 chunks bit by bit, as tsdb/chunkenc/xor2.go writes them, start timestamps and all."""

from __future__ import annotations

from collections.abc import Sequence

from promfill.model.batch import STALE_NAN_BITS
from tests.support.xor_streams import Sample

_MASK = (1 << 64) - 1
_VARBIT = ((3, "10"), (6, "110"), (9, "1110"), (12, "11110"), (18, "111110"), (25, "1111110"), (56, "11111110"))


def _uvarint(value: int) -> str:
    groups = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
    return "".join(f"{128 * (place < len(groups) - 1) + group:08b}" for place, group in enumerate(groups))


def _varint(value: int) -> str:
    return _uvarint(((value << 1) ^ (value >> 63)) & _MASK)


def _bits(value: int, width: int) -> str:
    return f"{value & ((1 << width) - 1):0{width}b}"


def _varbit(value: int) -> str:
    if value == 0:
        return "0"
    for width, head in _VARBIT:
        if -(1 << (width - 1)) < value <= 1 << (width - 1):
            return head + _bits(value, width)
    return "11111111" + _bits(value, 64)


class _Values:
    """How a value is told, and what the next is compared with."""

    def __init__(self) -> None:
        self.baseline, self.window = 0, (64, 64)

    def full(self, value: int) -> str:
        if value == STALE_NAN_BITS:
            return "111"
        return "1" + self.changed(value, "10") if value != self.baseline else "0"

    def changed(self, value: int, new: str = "1") -> str:
        xor, self.baseline = value ^ self.baseline, value
        leading, trailing = min(31, 64 - xor.bit_length()), (xor & -xor).bit_length() - 1
        reuse = sum(self.window) < 64 and leading >= self.window[0] and trailing >= self.window[1]
        if not reuse:
            self.window = leading, trailing
        length = 64 - sum(self.window)
        head = "0" if reuse else f"{new}{leading:05b}{length % 64:06b}"
        return head + _bits(xor >> self.window[1], length)


def _delta(change: int) -> str:
    for width, head in ((13, "110"), (20, "1110")):
        if -(1 << (width - 1)) <= change < 1 << (width - 1):
            return head + _bits(change, width)
    return "11110" + _bits(change, 64)


def write_xor2_chunk(samples: Sequence[Sample], start_times: Sequence[int] | None = None) -> bytes:
    """One chunk's data; start_times: of each sample, ms, 0 where there is none."""
    starts = start_times or [0] * len(samples)
    values, text, flags, delta, told = _Values(), "", 0, 0, 0
    for number, (time, value) in enumerate(samples):
        before = samples[number - 1][0]
        if number == 0:
            text = _varint(time) + _bits(value, 64)
            values.baseline = 0 if value == STALE_NAN_BITS else value
            if starts[0]:
                flags, text = 0x80, text + _varint(time - starts[0])
            continue
        change, delta = time - before - delta, time - before
        if number == 1:
            text += _uvarint(delta) + values.full(value)
        elif change:
            text += _delta(change) + values.full(value)
        elif value == STALE_NAN_BITS:
            text += "11111"
        else:
            text += "10" + values.changed(value) if value != values.baseline else "0"
        if flags & 0x7F:
            text += _varbit(before - starts[number] - told)
            told = before - starts[number]
        elif starts[number] != starts[number - 1] or number == 0x7F:
            flags, told = flags | number, before - starts[number]
            text += _varbit(told)
    text += "0" * (-len(text) % 8)
    return len(samples).to_bytes(2) + bytes([flags]) + int("1" + text, 2).to_bytes(len(text) // 8 + 1)[1:]
