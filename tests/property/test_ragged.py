import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.model.batch import RaggedBytes
from promfill.model.ragged import append, columns_to_ragged, prepend

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


@given(st.lists(st.tuples(st.binary(), st.binary(max_size=9))))
def test_columns_are_inserted_as_python_does(rows: list[tuple[bytes, bytes]]) -> None:
    strings = RaggedBytes.from_list([string for string, _ in rows])
    padded = np.frombuffer(b"".join(s.ljust(9, b"\xff") for _, s in rows), np.uint8).reshape(-1, 9)
    column = padded, np.array([len(s) for _, s in rows], np.int64)
    assert list(append(strings, column)) == [string + short for string, short in rows]
    assert list(prepend(column, strings)) == [short + string for string, short in rows]
