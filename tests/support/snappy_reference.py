"""A snappy decoder as the format's description tells it, byte by byte: a second judge beside python-snappy."""

from __future__ import annotations


def decompress(block: bytes) -> bytes:
    size, at = _uvarint(block)
    out = bytearray()
    while at < len(block):
        tag = block[at]
        at += 1
        kind = tag & 3
        if kind == 0:
            length = tag >> 2
            if length >= 60:
                extra = length - 59
                length = int.from_bytes(block[at : at + extra], "little")
                at += extra
            out += block[at : at + length + 1]
            at += length + 1
            continue
        if kind == 1:
            length, distance = (tag >> 2 & 7) + 4, tag >> 5 << 8 | block[at]
            at += 1
        else:
            wide = 2 if kind == 2 else 4
            length, distance = (tag >> 2) + 1, int.from_bytes(block[at : at + wide], "little")
            at += wide
        assert 0 < distance <= len(out)
        for _ in range(length):
            out.append(out[-distance])
    assert len(out) == size
    return bytes(out)


def _uvarint(block: bytes) -> tuple[int, int]:
    number = at = 0
    while block[at] & 128:
        number |= (block[at] & 127) << 7 * at
        at += 1
    return number | block[at] << 7 * at, at + 1
