import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.codecs.bits.varint import decode_uvarints, encode_uvarints, unzigzag, zigzag
from promfill.errors import FormatError
from tests.support.varint import uvarint, varint

UNSIGNED = st.integers(0, 63).flatmap(lambda bits: st.integers(0, 2 ** (bits + 1) - 1))
SIGNED = st.integers(0, 63).flatmap(lambda bits: st.integers(-(2**bits), 2**bits - 1))


@given(st.lists(UNSIGNED))
def test_uvarints_equal_the_scalar_ones_and_come_back(values: list[int]) -> None:
    array = np.array(values, np.uint64)
    data, lengths = encode_uvarints(array)
    assert [row[:n].tobytes() for row, n in zip(data, lengths, strict=True)] == [uvarint(v) for v in values]
    stream = np.frombuffer(b"".join(map(uvarint, values)), np.uint8)
    decoded, read = decode_uvarints(stream, np.cumsum(lengths) - lengths)
    np.testing.assert_array_equal(decoded, array)
    np.testing.assert_array_equal(read, lengths)


@given(st.lists(SIGNED))
def test_zigzag_equals_the_scalar_one_and_comes_back(values: list[int]) -> None:
    array = np.array(values, np.int64)
    data, lengths = encode_uvarints(zigzag(array))
    assert [row[:n].tobytes() for row, n in zip(data, lengths, strict=True)] == [varint(v) for v in values]
    np.testing.assert_array_equal(unzigzag(zigzag(array)), array)


@given(st.binary(max_size=24), st.lists(st.integers(-2, 26), max_size=6))
def test_arbitrary_bytes_decode_or_raise_format_error(data: bytes, at: list[int]) -> None:
    try:
        _, lengths = decode_uvarints(np.frombuffer(data, np.uint8), np.array(at, np.int64))
    except FormatError:
        return
    assert all(0 < n <= 10 and 0 <= a <= len(data) - n for a, n in zip(at, lengths.tolist(), strict=True))
