"""Messages made into others: no sample lost, none twice, bits kept."""

from __future__ import annotations

import numpy as np
import pytest

from promfill.codecs.remote_write.rewrite import (
    by_time,
    count_samples,
    end_first,
    halves,
    sample_times,
    to_version_1,
    without,
)
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder, encode_metadata
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.model.batch import SeriesBatch
from promfill.pb.remote_write_1_pb2 import MetricMetadata, WriteRequest
from tests.support.fleets import fleet_of
from tests.support.held_samples import read_1, read_2
from tests.support.remote_write import batch_of

TIMES = [1_700_006_400_000 + 300_000 * step for step in range(6)]
METADATA = encode_metadata("m", "help", "seconds")


def batch(series: int = 7) -> SeriesBatch:
    fleet = fleet_of((("__name__", "m"), ("host", f"h{row}")) for row in range(series))
    bits = np.random.default_rng(1).integers(0, 1 << 64, (6, series), np.uint64)
    bits[5, 0] = 0x7FF0000000000002  # the marker, which arithmetic would destroy
    return batch_of(fleet, TIMES, bits)


def message(version_2: bool, series: int = 7) -> bytes:
    made = batch(series)
    if version_2:
        return RequestEncoder(made.fleet, "help").encode(made).tobytes()
    return WriteRequestEncoder(made.fleet).encode(made, METADATA).tobytes()


@pytest.mark.parametrize("version_2", [False, True])
def test_halves(version_2: bool) -> None:
    read = read_2 if version_2 else read_1
    parts = halves(message(version_2), is_version_2=version_2)
    assert [len(read(part)) for part in parts] == [3, 4]
    assert read(parts[0]) + read(parts[1]) == read(message(version_2))
    assert [count_samples(part, is_version_2=version_2) for part in parts] == [18, 24]
    assert len(halves(message(version_2, 1), is_version_2=version_2)) == 1


def test_metadata_goes_with_the_first_half() -> None:
    first, second = map(WriteRequest.FromString, halves(message(False), is_version_2=False))
    assert first.metadata
    assert not second.metadata


@pytest.mark.parametrize("version_2", [False, True])
def test_by_time(version_2: bool) -> None:
    read = read_2 if version_2 else read_1
    parts = by_time(message(version_2), [TIMES[1], TIMES[3]], is_version_2=version_2)
    assert [sample_times(part, is_version_2=version_2) for part in parts] == [TIMES[:1], TIMES[1:3], TIMES[3:]]
    for part, steps in zip(parts, [slice(1), slice(1, 3), slice(3, 6)], strict=True):
        assert read(part) == [(labels, samples[steps]) for labels, samples in read(message(version_2))]
    assert by_time(message(version_2), [], is_version_2=version_2) == [message(version_2)]


def test_a_series_without_samples_in_a_part_is_not_in_it() -> None:
    request = WriteRequest.FromString(message(False))
    del request.timeseries[2].samples[:3]
    first, second = by_time(request.SerializeToString(), [TIMES[3]], is_version_2=False)
    assert [len(read_1(first)), len(read_1(second))] == [6, 7]
    assert WriteRequest.FromString(first).metadata
    assert not WriteRequest.FromString(second).metadata


def test_without_what_is_held() -> None:
    whole = read_1(message(False))
    held = {labels: {time for time, _ in samples} for labels, samples in whole[:2]}
    held[whole[2][0]] = {TIMES[0], 17}
    left = read_1(without(message(False), held))
    assert left == [(whole[2][0], whole[2][1][1:]), *whole[3:]]


def test_2_0_as_1_0() -> None:
    assert read_1(to_version_1(message(True))) == read_2(message(True))


def test_the_end_first() -> None:
    told = read_1(end_first(message(False)))
    assert told == [(labels, [*samples[-2:], samples[0]]) for labels, samples in read_1(message(False))]


def test_what_is_told_of_a_metric_goes_into_version_1() -> None:
    told = WriteRequest.FromString(to_version_1(message(True))).metadata
    assert [(one.metric_family_name, one.help, one.type) for one in told] == [("m", "help", MetricMetadata.GAUGE)]
