"""XOR chunks bit by bit: a reader as plain as the format, and a writer that may say a sample in any legal way."""

from __future__ import annotations

import random
from collections.abc import Sequence

Sample = tuple[int, int]
"""Milliseconds, and the value's 64 bits."""

_CLASSES = ((14, "10"), (17, "110"), (20, "1110"))
_MASK = (1 << 64) - 1


def _signed(value: int, bits: int = 64) -> int:
    """As xor.go reads it: of `bits` bits, up to and with 2^(bits - 1) positive (64 bits: two's complement)."""
    limit = 1 << (bits - 1)
    return value - (1 << bits) if value > limit or (bits == 64 and value == limit) else value


class _Bits:
    def __init__(self, data: bytes) -> None:
        self.text = "".join(f"{byte:08b}" for byte in data)
        self.at = 0

    def take(self, count: int) -> int:
        if self.at + count > len(self.text):
            raise ValueError("the chunk ends too early")
        self.at += count
        return int(self.text[self.at - count : self.at] or "0", 2)

    def uvarint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(8)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value & _MASK

    def delta_of_delta(self) -> int:
        for size in (0, 14, 17, 20):
            if not self.take(1):
                return _signed(self.take(size), size) if size else 0
        return _signed(self.take(64))


def read_chunk(data: bytes) -> list[Sample]:
    """The samples of one chunk's data. ValueError: it ends too early, or goes on behind its last sample."""
    bits = _Bits(data)
    samples: list[Sample] = []
    delta, window = 0, (0, 0)
    for number in range(bits.take(16)):
        if number == 0:
            zigzagged = bits.uvarint()
            samples.append(((zigzagged >> 1) ^ -(zigzagged & 1), bits.take(64)))
            continue
        delta = bits.uvarint() if number == 1 else delta + bits.delta_of_delta()
        time, value = samples[-1]
        if bits.take(1):
            if bits.take(1):
                leading, length = bits.take(5), bits.take(6) or 64
                window = (length, 64 - leading - length)
            value ^= bits.take(window[0]) << window[1]
        samples.append((_signed((time + delta) & _MASK), value))
    if len(bits.text) - bits.at > 8:
        raise ValueError("the chunk goes on")
    return samples


def _uvarint(value: int) -> str:
    groups = [value >> shift & 127 for shift in range(0, max(1, value.bit_length()), 7)]
    return "".join(f"{128 * (place < len(groups) - 1) + group:08b}" for place, group in enumerate(groups))


def _delta_of_delta(change: int, rng: random.Random) -> str:
    if change == 0 and rng.random() < 0.9:
        return "0"
    fitting = [(size, head) for size, head in _CLASSES if -(1 << (size - 1)) < change <= 1 << (size - 1)]
    size, head = fitting[0] if fitting and rng.random() < 0.9 else rng.choice([*fitting, (64, "1111")])
    return head + f"{change & ((1 << size) - 1):0{size}b}"


def write_chunk(samples: Sequence[Sample], rng: random.Random) -> bytes:
    """One chunk's data that holds the samples, mostly as Prometheus writes it, now and then in a longer legal way."""
    text, window, delta = f"{len(samples):016b}", (0, 64), 0
    for number, (time, value) in enumerate(samples):
        if number == 0:
            text += _uvarint(((time << 1) ^ (time >> 63)) & _MASK) + f"{value:064b}"
            continue
        step = time - samples[number - 1][0]
        text += _uvarint(step & _MASK) if number == 1 else _delta_of_delta(_signed((step - delta) & _MASK), rng)
        xor, delta = value ^ samples[number - 1][1], step
        leading, trailing = min(31, 64 - xor.bit_length()), (xor & -xor).bit_length() - 1 if xor else 64
        if not xor:
            text += "0"
        elif window[0] + window[1] < 64 and leading >= window[0] and trailing >= window[1] and rng.random() < 0.95:
            text += "10" + f"{xor >> window[1]:0{64 - window[0] - window[1]}b}"
        else:
            window = (rng.randint(0, leading), trailing) if rng.random() < 0.1 else (leading, trailing)
            length = 64 - window[0] - window[1]
            text += f"11{window[0]:05b}{length % 64:06b}{xor >> window[1]:0{length}b}"
    text += "0" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big")
