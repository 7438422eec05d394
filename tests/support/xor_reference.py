"""XOR chunks one sample and one bit at a time, as the format's description reads (tsdb/chunkenc/xor.go).

Slow and plain on purpose: the judge of the vectorised codecs. Values are the 64 bits of a float as an int, times int
milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import crc32c

ALL_ONES = 2**64 - 1
DOD_CLASSES = ((0b10, 2, 14), (0b110, 3, 17), (0b1110, 4, 20))
"""Prefix, its length, and the bits of the delta-of-delta behind it."""


class BitWriter:
    """Bits one after the other, the highest of each number first."""

    def __init__(self) -> None:
        self.digits: list[str] = []

    def put(self, value: int, size: int) -> None:
        if size:
            self.digits.append(format(value & ((1 << size) - 1), f"0{size}b"))

    def put_bytes(self, data: bytes) -> None:
        for byte in data:
            self.put(byte, 8)

    def data(self) -> bytes:
        """All bits, filled up with zeros to whole bytes."""
        digits = "".join(self.digits)
        digits += "0" * (-len(digits) % 8)
        return bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits), 8))


class BitReader:
    """Reads what `BitWriter` wrote."""

    def __init__(self, data: bytes) -> None:
        self.digits = "".join(format(byte, "08b") for byte in data)
        self.at = 0

    def take(self, size: int) -> int:
        digits = self.digits[self.at : self.at + size]
        if len(digits) < size:
            raise ValueError("the chunk ends early")
        self.at += size
        return int(digits or "0", 2)

    def take_uvarint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(8)
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value & ALL_ONES


def encode_uvarint(value: int) -> bytes:
    data = bytearray()
    while value > 127:
        data.append(value & 127 | 128)
        value >>= 7
    data.append(value)
    return bytes(data)


def encode_varint(value: int) -> bytes:
    return encode_uvarint(((value << 1) ^ (value >> 63)) & ALL_ONES)


def signed(value: int, size: int = 64) -> int:
    """The two's complement of so many bits; 2^(size - 1) itself counts as negative."""
    value &= (1 << size) - 1
    return value - (1 << size) if value >> (size - 1) else value


def encode(times: Sequence[int], values: Sequence[int]) -> bytes:
    """The data of one chunk: count, first sample, and the bit stream."""
    out = BitWriter()
    out.put(len(times), 16)
    window: tuple[int, int] | None = None
    delta = 0
    for k, (time, value) in enumerate(zip(times, values, strict=True)):
        if k == 0:
            out.put_bytes(encode_varint(time))
            out.put(value, 64)
            continue
        before, delta = delta, signed(time - times[k - 1])
        if k == 1:
            out.put_bytes(encode_uvarint(delta & ALL_ONES))
        else:
            _put_dod(out, signed(delta - before))
        window = _put_xor(out, value ^ values[k - 1], window)
    return out.data()


def _put_dod(out: BitWriter, dod: int) -> None:
    if dod == 0:
        out.put(0, 1)
        return
    for prefix, prefix_size, size in DOD_CLASSES:
        if -((1 << (size - 1)) - 1) <= dod <= 1 << (size - 1):
            out.put(prefix, prefix_size)
            out.put(dod, size)
            return
    out.put(0b1111, 4)
    out.put(dod, 64)


def _put_xor(out: BitWriter, xor: int, window: tuple[int, int] | None) -> tuple[int, int] | None:
    if xor == 0:
        out.put(0, 1)
        return window
    leading = min(64 - xor.bit_length(), 31)
    trailing = (xor & -xor).bit_length() - 1
    if window is not None and leading >= window[0] and trailing >= window[1]:
        out.put(0b10, 2)
        out.put(xor >> window[1], 64 - sum(window))
        return window
    size = 64 - leading - trailing
    out.put(0b11, 2)
    out.put(leading, 5)
    out.put(size & 63, 6)
    out.put(xor >> trailing, size)
    return leading, trailing


def decode(data: bytes) -> tuple[list[int], list[int]]:
    """Times and values of one chunk's data."""
    bits = BitReader(data)
    count = bits.take(16)
    times: list[int] = []
    values: list[int] = []
    leading = trailing = delta = 0
    for k in range(count):
        if k == 0:
            zigzag = bits.take_uvarint()
            times.append((zigzag >> 1) ^ -(zigzag & 1))
            values.append(bits.take(64))
            continue
        delta = signed(bits.take_uvarint() if k == 1 else delta + _take_dod(bits))
        times.append(signed(times[-1] + delta))
        xor = 0
        if bits.take(1):
            if bits.take(1):
                leading, size = bits.take(5), bits.take(6) or 64
                trailing = 64 - leading - size
            xor = bits.take(64 - leading - trailing) << trailing
        values.append(values[-1] ^ xor)
    return times, values


def _take_dod(bits: BitReader) -> int:
    ones = 0
    while ones < 4 and bits.take(1):
        ones += 1
    if ones == 0:
        return 0
    if ones == 4:
        return signed(bits.take(64))
    size = DOD_CLASSES[ones - 1][2]
    body = bits.take(size)
    return body - (1 << size) if body > 1 << (size - 1) else body


def record(data: bytes) -> bytes:
    """A chunk as it stands in a segment file: length, encoding, data, checksum."""
    return encode_uvarint(len(data)) + b"\x01" + data + crc32c.crc32c(b"\x01" + data).to_bytes(4, "big")
