"""The generated classes read what Prometheus's own code wrote, and write the same bytes again."""

from __future__ import annotations

import struct
from collections.abc import Iterable

import pytest

from promfill.pb import remote_write_1_pb2 as v1
from promfill.pb import remote_write_2_pb2 as v2
from tests.support.golden import golden_bytes, golden_json

SERIES, STEPS = 3, 12
START, STEP = 1_700_006_400_000, 300_000
LABELS = [{"__name__": "golden_day", "host": f"h{row}", "utf8": "äß→✓"} for row in range(SERIES)]


def bits(value: float) -> int:
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def held(series: Iterable[v1.TimeSeries] | Iterable[v2.TimeSeries]) -> list[list[tuple[int, int]]]:
    return [[(sample.timestamp, bits(sample.value)) for sample in one.samples] for one in series]


def expected_samples() -> list[list[tuple[int, int]]]:
    """(timestamp, value bits) per series, as remote_write.json's note tells."""
    told = golden_json("remote_write.json")
    values = [int(text, 16) for text in told["value_bits"]]
    samples = [[(START + STEP * j, values[j + s]) for j in range(STEPS)] for s in range(SERIES)]
    samples[2][-1] = (samples[2][-1][0], int(told["stale_bits"], 16))
    return samples


@pytest.fixture(scope="module")
def first() -> v1.WriteRequest:
    return v1.WriteRequest.FromString(golden_bytes("remote_write_1.bin"))


@pytest.fixture(scope="module")
def second() -> v2.Request:
    return v2.Request.FromString(golden_bytes("remote_write_2.bin"))


def test_request_1_holds_the_samples_by_bits(first: v1.WriteRequest) -> None:
    assert held(first.timeseries) == expected_samples()


def test_request_1_holds_labels_and_metadata(first: v1.WriteRequest) -> None:
    assert [{label.name: label.value for label in series.labels} for series in first.timeseries] == LABELS
    assert [(m.metric_family_name, m.type, m.help, m.unit) for m in first.metadata] == [
        ("golden_day", v1.MetricMetadata.GAUGE, 'a "help" text', "")
    ]


def test_request_1_is_written_to_the_same_bytes(first: v1.WriteRequest) -> None:
    assert first.SerializeToString() == golden_bytes("remote_write_1.bin")


def test_request_2_holds_the_samples_by_bits(second: v2.Request) -> None:
    assert held(second.timeseries) == expected_samples()


def test_request_2_holds_labels_and_metadata(second: v2.Request) -> None:
    text = second.symbols
    assert list(text) == golden_json("remote_write.json")["symbols"]
    pairs = [zip(series.labels_refs[::2], series.labels_refs[1::2], strict=True) for series in second.timeseries]
    assert [{text[name]: text[value] for name, value in series} for series in pairs] == LABELS
    metadata = {(s.metadata.type, text[s.metadata.help_ref], text[s.metadata.unit_ref]) for s in second.timeseries}
    assert metadata == {(v2.Metadata.METRIC_TYPE_GAUGE, 'a "help" text', "")}


def test_request_2_is_written_to_the_same_bytes(second: v2.Request) -> None:
    assert second.SerializeToString() == golden_bytes("remote_write_2.bin")


def test_a_request_of_one_version_is_empty_in_the_other() -> None:
    other = v2.Request.FromString(golden_bytes("remote_write_1.bin"))
    assert not other.symbols
    assert not other.timeseries
