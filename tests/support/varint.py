"""Scalar varints, as a judge of the vectorised ones."""


def uvarint(value: int) -> bytes:
    """Seven bits a byte, lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*encoded, value])


def varint(value: int) -> bytes:
    """Zigzagged first."""
    return uvarint(value << 1 if value >= 0 else (-value << 1) - 1)
