"""No request is larger than what was reckoned before it was made, and not much smaller where it is at its largest."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.codecs.remote_write.sizes import largest_parts
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder, encode_metadata
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.model.batch import Fleet, LabelSet, SeriesBatch
from promfill.pb.remote_write_2_pb2 import Metadata, Request, TimeSeries
from tests.support.fleets import fleet_of

NAMES = ["__name__", "a", "b" * 130, "ä"]
VALUES = ["v", "w" * 127, "x" * 128, "y" * 17_000, "ö" * 70]
label_sets = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(VALUES), min_size=1).map(
    lambda labels: tuple(sorted(labels.items()))
)


def batch(fleet: Fleet) -> SeriesBatch:
    return SeriesBatch(fleet, 0, np.array([1 << 62]), np.full((1, len(fleet)), 0.1))


SAMPLE = 2 + 1 + 8 + 1 + 10
"""Bytes of the largest sample: its tag and length, its value, and a time of ten bytes."""


@given(st.sets(label_sets, min_size=1, max_size=9), st.sampled_from(VALUES), st.sampled_from(["", "unit" * 50]))
def test_no_request_of_either_version_is_larger(label_sets: set[LabelSet], text: str, unit: str) -> None:
    fleet = fleet_of(label_sets)
    series, request = largest_parts(fleet, "m", text, unit)
    most = len(fleet) * (series + SAMPLE) + request
    assert WriteRequestEncoder(fleet).encode(batch(fleet), encode_metadata("m", text, unit)).size <= most
    assert RequestEncoder(fleet, text, unit).encode(batch(fleet)).size <= most


@pytest.mark.parametrize("length", [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152])
def test_the_longest_series_counts_and_is_not_reckoned_much_too_large(length: int) -> None:
    fleet = fleet_of([(("a", "1"),), (("a", "2"), ("b", "x" * length))])
    one = fleet_of([(("a", "2"), ("b", "x" * length))])
    series, request = largest_parts(fleet, "m", "text", "")
    for encoder in (WriteRequestEncoder(one), RequestEncoder(one, "text")):
        size = encoder.encode(batch(one)).size
        assert series + SAMPLE + request >= size
        assert series <= size + 64, "room for references and metadata of 2.0, and no more"
    assert request <= len(encode_metadata("m", "text", "")) + 64


@given(st.sets(label_sets, min_size=1, max_size=5), st.integers(0, 60))
def test_the_largest_series_of_2_0_fits_and_leaves_no_more_than_a_few_bytes(
    label_sets: set[LabelSet], length: int
) -> None:
    """All its symbols are its own, and every reference is as long as references get."""
    (labels,) = sorted(label_sets)[:1]
    fleet = fleet_of([labels])
    series, request = largest_parts(fleet, "m", "t" * length, "u" * length)
    last = (1 << 32) - 1
    metadata = Metadata(type=Metadata.METRIC_TYPE_GAUGE, help_ref=last, unit_ref=last)
    one = TimeSeries(labels_refs=[last] * 2 * len(labels), metadata=metadata)
    whole = Request(symbols=[text for pair in labels for text in pair]).ByteSize() + one.ByteSize()
    assert whole <= series <= whole + 2 + 6 * len(labels), "a pair is up to 6 bytes longer in 1.0"
    shared = Request(symbols=["", "t" * length, "u" * length]).ByteSize()
    assert max(shared, len(encode_metadata("m", "t" * length, "u" * length))) <= request


def test_a_fleet_of_nothing_needs_room_for_metadata_alone() -> None:
    fleet = fleet_of([(("a", "1"),)])
    none = Fleet(fleet.symbols, fleet.names, fleet.values[:0])
    assert largest_parts(none, "m", "", "")[1] >= len(encode_metadata("m", "", ""))
