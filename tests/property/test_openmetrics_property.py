from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from promfill.codecs.openmetrics.encode import EOF, encode_batch, encode_metadata, encode_times, encode_values
from promfill.model.batch import LabelSet, SeriesBatch
from promfill.sources.expand_labels import fleet_from_label_sets
from tests.support.openmetrics import bits, read_openmetrics

floats = arrays.arrays(np.uint64, st.integers(0, 40), elements=st.integers(0, 2**64 - 1)).map(
    lambda patterns: patterns.view(np.float64)
) | arrays.arrays(np.float64, st.integers(0, 40), elements=st.floats(width=64))
text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=5)
names = st.from_regex("[a-zA-Z_][a-zA-Z0-9_]{0,3}", fullmatch=True)
label_sets = st.lists(
    st.dictionaries(names, text, max_size=3).map(lambda pairs: tuple(sorted({**pairs, "__name__": "m"}.items()))),
    unique=True,
    max_size=4,
)


@given(floats)
def test_values_have_the_form_of_repr_and_read_back(values: NDArray[np.float64]) -> None:
    texts = encode_values(values)
    forms = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}
    assert texts == [forms.get(repr(value), repr(value)).encode() for value in values.tolist()]
    assert [bits(float(read)) for read in texts] == [bits(value) for value in values.tolist()]


@given(arrays.arrays(np.int64, st.integers(0, 40), elements=st.integers(-(10**14), 253_402_300_799_999)))
def test_times_read_back_as_promtool_reads_them(times: NDArray[np.int64]) -> None:
    assert [int(float(text) * 1000) for text in encode_times(times)] == times.tolist()


@given(label_sets, floats, text)
def test_a_text_reads_back(sets: list[LabelSet], column: NDArray[np.float64], description: str) -> None:
    fleet, _ = fleet_from_label_sets(sets)
    values = np.repeat(column[:, None], len(fleet), axis=1)
    times = 1_700_000_000_000 + 1500 * np.arange(column.size)
    whole = encode_metadata("m", description, "") + encode_batch(SeriesBatch(fleet, 0, times, values)) + EOF
    comments, samples = read_openmetrics(whole)
    assert len(comments) == 2
    assert samples == [
        (fleet.label_set(row), time, bits(value))
        for row in range(len(fleet))
        for time, value in zip(times.tolist(), column.tolist(), strict=True)
    ]
