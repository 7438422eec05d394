import contextlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.codecs.block import index_writer, postings, postings_table, series_entries
from promfill.codecs.block.index_writer import FleetIndex
from promfill.model.batch import LabelSet
from tests.support.fleets import fleet_of, label_order
from tests.support.index_reference import Chunk, reference_index
from tests.support.indices import index_files

TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8"), min_size=1, max_size=4),
    st.sampled_from(["a", "a\0", "a\0\0", "\0", "b", "job", "é" * 70, "x" * 127, "x" * 128, "y" * 17000]),
)
LABEL_SETS = st.lists(
    st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4).map(
        lambda pairs: tuple(sorted(pairs.items(), key=lambda pair: pair[0].encode()))
    ),
    min_size=1,
    max_size=8,
    unique=True,
)


@st.composite
def blocks_of(draw: st.DrawFn, series: int) -> list[list[Chunk]]:
    """Chunks of each series: all as many, or not."""
    equal = draw(st.integers(1, 3)) if draw(st.booleans()) else None
    counts = [equal or draw(st.integers(1, 3)) for _ in range(series)]
    deltas, ref = st.integers(1, 2**40) | st.integers(1, 300), 0
    block = []
    for count in counts:
        time, chunks = draw(st.integers(-(2**42), 2**42)), []
        for _ in range(count):
            first, last, ref = time + draw(deltas), time + draw(deltas) + 2**40, ref + draw(deltas)
            chunks.append((first, last, ref))
            time = last
        block.append(chunks)
    return block


@given(st.data(), LABEL_SETS, st.booleans(), st.sampled_from([0, series_entries.FEW_CHUNKS]), st.integers(1, 3))
def test_the_indices_equal_the_scalar_ones(
    data: st.DataObject, label_sets: list[LabelSet], small: bool, few_chunks: int, together: int
) -> None:
    label_sets.sort(key=label_order)
    blocks = data.draw(st.lists(blocks_of(len(label_sets)), min_size=together, max_size=together))
    expected = [reference_index(list(zip(label_sets, block, strict=True))) for block in blocks]
    with small_batches(small), pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_entries, "FEW_CHUNKS", few_chunks)
        index = FleetIndex(fleet_of(label_sets))
        if len(index.rows) == 1:
            assert index_files(index, *blocks) == expected
        assert [index_files(index, block)[0] for block in blocks] == expected, "one by one, from what was kept"


@contextlib.contextmanager
def small_batches(small: bool) -> Iterator[None]:
    """Batches of a few rows and bytes, and nothing kept, as for large fleets."""
    if not small:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(index_writer, "_BATCH_ROWS", 3)
        patch.setattr(index_writer, "_KEPT_CELLS", 0)
        patch.setattr(postings, "_BATCH_BYTES", 40)
        patch.setattr(postings_table, "_BATCH_BYTES", 40)
        yield
