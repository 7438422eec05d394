import numpy as np
import pytest

from promfill.model.batch import RaggedBytes
from promfill.model.ragged import Column, append, columns_to_ragged, constant, gather, prepend


def column(*strings: bytes, width: int = 8) -> Column:
    padded = b"".join(string.ljust(width, b"\xee") for string in strings)
    lengths = np.array([len(string) for string in strings], np.int64)
    return np.frombuffer(padded, np.uint8).reshape(len(strings), width), lengths


def test_columns_join_row_by_row() -> None:
    joined = columns_to_ragged([column(b"a", b"", b"ccc"), constant(b"-"), column(b"\0", b"yy", b"")])
    assert list(joined) == [b"a-\0", b"-yy", b"ccc-"]
    assert joined.offsets.tolist() == [0, 3, 6, 10]


def test_columns_of_one_row_make_one_row() -> None:
    assert list(columns_to_ragged([constant(b"ab"), constant(b""), constant(b"c")])) == [b"abc"]


def test_columns_without_rows() -> None:
    joined = columns_to_ragged([column(), constant(b"x")])
    assert (len(joined), joined.buffer.size) == (0, 0)


def test_columns_of_empty_strings() -> None:
    assert list(columns_to_ragged([column(b"", b"")])) == [b"", b""]


def test_columns_of_unequal_heights_are_refused() -> None:
    with pytest.raises(ValueError, match="shape"):
        columns_to_ragged([column(b"a", b"b"), column(b"a", b"b", b"c")])


def test_gather_takes_overlapping_and_empty_strings() -> None:
    buffer = np.frombuffer(b"hello", np.uint8)
    taken = gather(buffer, np.array([1, 5, 0, 0]), np.array([3, 0, 5, 1]))
    assert list(taken) == [b"ell", b"", b"hello", b"h"]


def test_gather_nothing() -> None:
    nothing = np.array([], np.int64)
    assert list(gather(np.array([], np.uint8), nothing, nothing)) == []


STRINGS = RaggedBytes.from_list([b"1", b"22", b"", b"4" * 300])


def test_prepend() -> None:
    assert list(prepend(column(b"a", b"", b"ccc", b"\0"), STRINGS)) == [b"a1", b"22", b"ccc", b"\0" + b"4" * 300]


def test_append() -> None:
    assert list(append(STRINGS, column(b"a", b"", b"ccc", b"\0"))) == [b"1a", b"22", b"ccc", b"4" * 300 + b"\0"]


def test_one_row_is_inserted_everywhere() -> None:
    assert list(prepend(constant(b"<-"), STRINGS)) == [b"<-1", b"<-22", b"<-", b"<-" + b"4" * 300]
    assert list(append(STRINGS, constant(b""))) == list(STRINGS)


def test_insert_among_no_strings() -> None:
    assert list(append(RaggedBytes.from_list([]), constant(b"x"))) == []


def test_only_joined_columns_are_left_writable() -> None:
    assert columns_to_ragged([constant(b"ab")]).buffer.flags.writeable
    assert not prepend(constant(b"ab"), STRINGS).buffer.flags.writeable
