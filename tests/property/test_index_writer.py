import contextlib
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.model import LabelSet
from promfill.tsdb import index_writer, postings, postings_table, series_entries
from promfill.tsdb.index_writer import FleetIndex, encode_index
from tests.support.fleets import fleet_of, label_order
from tests.support.index_reference import Chunk, reference_index

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
def chunk_tables(draw: st.DrawFn, series: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times (S, C), or (C,) at times, and references with holes, at least one of them a chunk."""
    chunks = draw(st.integers(1, 3))
    shape = (series, chunks) if draw(st.booleans()) else (chunks,)
    steps = st.integers(1, 2**40) | st.integers(1, 300)
    deltas = np.array(draw(st.lists(steps, min_size=2 * int(np.prod(shape)), max_size=2 * int(np.prod(shape)))))
    times = np.cumsum(deltas.reshape(*shape[:-1], 2 * chunks), axis=-1) + draw(st.integers(-(2**42), 2**42))
    refs = np.cumsum(draw(st.lists(steps, min_size=series * chunks, max_size=series * chunks))).reshape(series, chunks)
    holes = draw(st.lists(st.booleans(), min_size=series * chunks - 1, max_size=series * chunks - 1))
    refs[np.array([False, *holes]).reshape(refs.shape)] = -1
    return times[..., ::2].copy(), times[..., 1::2].copy(), refs


def chunks_of(row: int, min_times: np.ndarray, max_times: np.ndarray, refs: np.ndarray) -> list[Chunk]:
    starts, ends = (np.broadcast_to(times, refs.shape)[row].tolist() for times in (min_times, max_times))
    return [chunk for chunk in zip(starts, ends, refs[row].tolist(), strict=True) if chunk[2] >= 0]


@given(st.data(), LABEL_SETS, st.booleans(), st.sampled_from([0, series_entries.FEW_CHUNKS]))
def test_the_index_equals_the_scalar_one(
    data: st.DataObject, label_sets: list[LabelSet], small: bool, few_chunks: int
) -> None:
    label_sets.sort(key=label_order)
    times_and_refs = data.draw(chunk_tables(len(label_sets)))
    expected = reference_index(
        [(labels, chunks_of(row, *times_and_refs)) for row, labels in enumerate(label_sets)],
        extra_symbols={text for labels in label_sets for pair in labels for text in pair},
    )
    with small_batches(small), pytest.MonkeyPatch.context() as patch:
        patch.setattr(series_entries, "FEW_CHUNKS", few_chunks)
        index = FleetIndex(fleet_of(label_sets))
        assert b"".join(encode_index(index, *times_and_refs)) == expected
        assert b"".join(encode_index(index, *times_and_refs)) == expected, "a second block of the same fleet"


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
