"""WriteRequest messages: golden bytes, and what google's protobuf reads out of ours."""

from __future__ import annotations

import numpy as np
import pytest
import snappy

from promfill.codecs.remote_write.version_1 import (
    HEADER_MAX,
    WriteRequestEncoder,
    encode_labels,
    encode_metadata,
    longest_labels,
)
from promfill.codecs.remote_write.wire_samples import LONGEST_SAMPLE
from promfill.model.batch import Fleet
from promfill.pb.remote_write_1_pb2 import MetricMetadata, WriteRequest
from promfill.scenario.times import LAST_MS
from tests.support.fleets import fleet_of
from tests.support.golden import golden_bytes
from tests.support.remote_write import START, STEP, batch_of, golden_batch, grid, random_bits, read_request, samples_of

STALE_NAN, NAN, INF, MINUS_ZERO, DENORMAL = 0x7FF0000000000002, 0x7FF8000000000001, 0x7FF0000000000000, 1 << 63, 1
DAYS = [(f"d{10**n}", f"v{n}") for n in range(4)]


def fleet(series: int = 3) -> Fleet:
    return fleet_of((("__name__", "m"), ("host", f"h{row}")) for row in range(series))


def test_a_request_is_prometheus_s_own_byte_for_byte() -> None:
    batch = golden_batch()
    metadata = encode_metadata("golden_day", 'a "help" text', "")
    message = WriteRequestEncoder(batch.fleet).encode(batch, metadata).tobytes()
    assert message == golden_bytes("remote_write_1.bin")
    assert message == snappy.decompress(golden_bytes("remote_write_1.snappy"))


def test_the_general_way_makes_the_same_bytes() -> None:
    batch = golden_batch()
    there = batch_of(batch.fleet, batch.timestamps, batch.values.view(np.uint64), present=np.ones((12, 3), np.bool_))
    encoder = WriteRequestEncoder(batch.fleet)
    assert encoder.encode(there, b"\x1a\0").tobytes() == encoder.encode(batch, b"\x1a\0").tobytes()


@pytest.mark.parametrize("start", [-1_500_000, -300_000, 0, (1 << 35) - STEP, (1 << 42) - STEP, 253_402_300_700_000])
def test_times_outside_1971_to_2109(start: int) -> None:
    batch = batch_of(fleet(), grid(3, start), random_bits(3, 3))
    assert read_request(WriteRequestEncoder(batch.fleet).encode(batch).tobytes()) == samples_of(batch)


@pytest.mark.parametrize("start", [1 << 35, (1 << 42) - 1])
def test_the_first_and_last_time_of_fixed_width(start: int) -> None:
    batch = batch_of(fleet(), [start], random_bits(1, 3))
    message = WriteRequestEncoder(batch.fleet).encode(batch).tobytes()
    assert message == WriteRequest.FromString(message).SerializeToString()
    assert read_request(message) == samples_of(batch)


def test_values_keep_their_bits() -> None:
    bits = np.array([[STALE_NAN, NAN, INF], [MINUS_ZERO, DENORMAL, 0]], np.uint64)
    batch = batch_of(fleet(), grid(2), bits)
    assert read_request(WriteRequestEncoder(batch.fleet).encode(batch).tobytes()) == samples_of(batch)


def test_series_of_one_label_length_stand_beside_each_other() -> None:
    """host-9 goes before host-10: both are whole, and the order of series in a request is free."""
    batch = batch_of(fleet(120), grid(2), random_bits(2, 120))
    held = read_request(WriteRequestEncoder(batch.fleet).encode(batch).tobytes())
    assert held == samples_of(batch)
    assert [len(dict(labels)["host"]) for labels in held] == [2] * 10 + [3] * 90 + [4] * 20


def test_series_with_times_of_their_own() -> None:
    times = np.array([[START, START + 7, START + 9], [START + 10, START + 20, START + 30]])
    batch = batch_of(fleet(), times, random_bits(2, 3))
    assert read_request(WriteRequestEncoder(batch.fleet).encode(batch).tobytes()) == samples_of(batch)


def test_only_samples_that_are_there_are_sent() -> None:
    present = np.array([[True, False, True], [False, False, True]])
    batch = batch_of(fleet(), grid(2), random_bits(2, 3), present=present)
    held = read_request(WriteRequestEncoder(batch.fleet).encode(batch).tobytes())
    assert held == samples_of(batch)
    assert len(held) == 2  # a series without a sample is not named


def test_no_sample_at_all_is_an_empty_message() -> None:
    batch = batch_of(fleet(), grid(1), random_bits(1, 3), present=np.zeros((1, 3), np.bool_))
    assert WriteRequestEncoder(batch.fleet).encode(batch).tobytes() == b""


def test_a_slice_of_a_fleet_and_another_one_after_it() -> None:
    everything = fleet(30)
    encoder = WriteRequestEncoder(everything)
    for first, count in ((0, 10), (10, 20), (0, 10)):
        batch = batch_of(everything, grid(2), random_bits(2, count), first)
        assert read_request(encoder.encode(batch).tobytes()) == samples_of(batch)


def test_metadata_ends_the_message() -> None:
    batch = batch_of(fleet(), grid(1), random_bits(1, 3))
    metadata = encode_metadata("m", "help → text", "seconds")
    request = WriteRequest.FromString(WriteRequestEncoder(batch.fleet).encode(batch, metadata).tobytes())
    told = [(m.type, m.metric_family_name, m.help, m.unit) for m in request.metadata]
    assert told == [(MetricMetadata.GAUGE, "m", "help → text", "seconds")]
    assert len(request.timeseries) == 3


@pytest.mark.parametrize("length", [1, 100, 121, 122, 127, 128, 16_370, 16_383, 16_384, 70_000])
def test_the_longest_labels_are_counted_to_the_byte(length: int) -> None:
    one = fleet_of([(("__name__", "m"),), (("__name__", "m"), ("a", "x" * length), ("b", "y"))])
    assert longest_labels(one) == encode_labels(one, range(2)).labels.lengths.max()


@pytest.mark.parametrize("start", [0, START, LAST_MS - 50 * STEP])
def test_no_series_is_longer_than_foretold(start: int) -> None:
    one = fleet_of([(("__name__", "m"), ("a", "x" * 300))])
    message = WriteRequestEncoder(one).encode(batch_of(one, grid(50, start), random_bits(50, 1)))
    assert message.size <= HEADER_MAX + longest_labels(one) + 50 * LONGEST_SAMPLE
