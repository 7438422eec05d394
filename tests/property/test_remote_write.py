"""Google's protobuf reads every request to the samples that went in, whatever the labels, times and values."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from promfill.codecs.remote_write.version_1 import WriteRequestEncoder
from promfill.model.batch import SeriesBatch
from tests.support.fleets import fleet_of
from tests.support.remote_write import batch_of, read_request, samples_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=200)
LABELS = st.dictionaries(TEXT.filter(lambda name: name not in ("", "__name__")), TEXT, max_size=4)
COMMON_TIMES = st.integers(1_600_000_000_000, 1_800_000_000_000)
ANY_TIMES = st.integers(-(1 << 63), (1 << 63) - 1)


@st.composite
def batches(draw: st.DrawFn) -> SeriesBatch:
    sets = draw(st.lists(LABELS, min_size=1, max_size=6))
    named = {tuple(sorted({k: v for k, v in labels.items() if v}.items())): None for labels in sets}
    fleet = fleet_of((("__name__", "m"), *labels) for labels in named)
    first = draw(st.integers(0, len(fleet) - 1))
    shape = draw(st.integers(1, 6)), draw(st.integers(1, len(fleet) - first))
    times = draw(st.sampled_from([COMMON_TIMES, ANY_TIMES]))
    timestamps = draw(arrays(np.int64, draw(st.sampled_from([shape, shape[:1]])), elements=times))
    bits = draw(arrays(np.uint64, shape, elements=st.integers(0, (1 << 64) - 1)))
    present = draw(st.none() | arrays(np.bool_, shape))
    return batch_of(fleet, timestamps, bits, first, present)


@given(batches())
def test_every_sample_is_read_back_by_bits(batch: SeriesBatch) -> None:
    assert read_request(WriteRequestEncoder(batch.fleet).encode(batch).tobytes()) == samples_of(batch)
