import numpy as np
import pytest

from promfill.codecs.bits.varint import decode_uvarints, encode_uvarints, unzigzag, zigzag
from promfill.errors import FormatError

UVARINTS = [
    (0, "00"),
    (1, "01"),
    (127, "7f"),
    (128, "8001"),
    (300, "ac02"),
    (16383, "ff7f"),
    (16384, "808001"),
    (2**32 - 1, "ffffffff0f"),
    (2**63 - 1, "ffffffffffffffff7f"),
    (2**63, "80808080808080808001"),
    (2**64 - 1, "ffffffffffffffffff01"),
]
ZIGZAGS = [(0, 0), (-1, 1), (1, 2), (-2, 3), (2**63 - 1, 2**64 - 2), (-(2**63), 2**64 - 1)]


def numbers(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def octets(text: str) -> np.ndarray:
    return np.frombuffer(bytes.fromhex(text), np.uint8)


@pytest.mark.parametrize(("value", "encoded"), UVARINTS)
def test_one_uvarint_both_ways(value: int, encoded: str) -> None:
    data, lengths = encode_uvarints(np.array([value], np.uint64))
    assert data[0, : lengths[0]].tobytes().hex() == encoded
    assert not data[0, lengths[0] :].any()
    values, read = decode_uvarints(octets(encoded), numbers(0))
    assert (values.tolist(), read.tolist()) == ([value], [len(encoded) // 2])


def test_many_uvarints_both_ways() -> None:
    values = np.array([value for value, _ in UVARINTS], np.uint64)
    data, lengths = encode_uvarints(values)
    assert [row[:n].tobytes().hex() for row, n in zip(data, lengths, strict=True)] == [text for _, text in UVARINTS]
    stream = octets("".join(text for _, text in UVARINTS))
    decoded, read = decode_uvarints(stream, np.cumsum(lengths) - lengths)
    np.testing.assert_array_equal(decoded, values)
    np.testing.assert_array_equal(read, lengths)


def test_no_uvarints() -> None:
    data, lengths = encode_uvarints(np.array([], np.uint64))
    assert data.shape == (0, 10)
    assert lengths.shape == (0,)
    values, read = decode_uvarints(octets(""), numbers())
    assert (values.size, read.size) == (0, 0)


def test_types() -> None:
    data, lengths = encode_uvarints(np.array([5], np.uint64))
    values, read = decode_uvarints(data[0], numbers(0))
    types = [array.dtype.name for array in (data, lengths, values, read)]
    assert types == ["uint8", "int64", "uint64", "int64"]


def test_needless_zero_bytes_are_taken() -> None:
    values, read = decode_uvarints(octets("818000"), numbers(0))
    assert (values.tolist(), read.tolist()) == ([1], [3])


@pytest.mark.parametrize(
    ("encoded", "at", "message"),
    [
        ("", 0, "at byte 0: a varint runs past the end"),
        ("80", 0, "at byte 1: a varint runs past the end"),
        ("05", 1, "at byte 1: a varint runs past the end"),
        ("05", -1, "at byte -1: a varint runs past the end"),
        ("ffffffffffffffffff", 0, "at byte 9: a varint runs past the end"),
        ("ffffffffffffffffff02", 0, "at byte 0: a varint of more than 64 bits"),
        ("00ffffffffffffffffff8100", 1, "at byte 1: a varint of more than 64 bits"),
    ],
)
def test_damage(encoded: str, at: int, message: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode_uvarints(octets(encoded), numbers(at))
    assert message.removeprefix("at byte ") in str(caught.value)
    assert caught.value.offset is not None


@pytest.mark.parametrize(("signed", "unsigned"), ZIGZAGS)
def test_zigzag_both_ways(signed: int, unsigned: int) -> None:
    assert zigzag(numbers(signed)).tolist() == [unsigned]
    assert unzigzag(np.array([unsigned], np.uint64)).tolist() == [signed]
