import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.codecs.ragged import columns_to_ragged, interleave
from promfill.model import RaggedBytes

TABLES = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(st.binary(max_size=9), min_size=width, max_size=width))
)


@given(TABLES)
def test_columns_join_as_python_does(table: list[list[bytes]]) -> None:
    columns = []
    for strings in zip(*table, strict=True):
        padded = np.frombuffer(b"".join(s.ljust(9, b"\xff") for s in strings), np.uint8).reshape(-1, 9)
        columns.append((padded, np.array([len(s) for s in strings], np.int64)))
    if columns:
        assert list(columns_to_ragged(columns)) == [b"".join(row) for row in table]


@given(TABLES)
def test_parts_interleave_as_python_does(table: list[list[bytes]]) -> None:
    parts = [RaggedBytes.from_list(strings) for strings in zip(*table, strict=True)]
    if parts:
        assert list(interleave(parts)) == [b"".join(row) for row in table]
