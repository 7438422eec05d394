"""The sender cases of prometheus/compliance (remote_write_sender/cases) that apply to one that scrapes nothing.

Each says what a receiver may rely on; names are those of the cases.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from promfill.codecs.remote_write.version_1 import WriteRequestEncoder
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.errors import ReceiverError
from promfill.model.batch import STALE_NAN_BITS
from promfill.model.grid import Tile
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.pb.remote_write_1_pb2 import WriteRequest
from promfill.pipeline.push import push
from promfill.sinks.remote_write.message import HEADERS_1, HEADERS_2
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
from tests.support.faulty_server import FastClock
from tests.support.fleets import fleet_of
from tests.support.held_samples import read_1, read_2
from tests.support.receiver import GOOD, Answer, Receiver, Taken
from tests.support.remote_write import batch_of, samples_of
from tests.support.sources import source_of

VERSIONS = ("1.0", "2.0")
COUNTED = Answer(headers={"X-Prometheus-Remote-Write-Samples-Written": "1"})


def sent(source: Source, version: str = "1.0", *first: Answer, samples: int = 60) -> list[Taken]:
    """The requests of a push to a receiver that answers as told, and then well."""
    left = iter(first)
    with Receiver(lambda _: next(left, COUNTED)) as receiver:
        destination = build_destination(receiver.url, environment={})
        how = Sending(limits=Limits(samples=samples), protocol=version, clock=FastClock())
        push(source, open_remote_write(source, lambda: make_client(destination, 5.0), how))
    return receiver.taken


def series_of(taken: list[Taken], version: str) -> list[tuple[tuple[tuple[str, str], ...], list[tuple[int, int]]]]:
    read = read_2 if version == "2.0" else read_1
    return [series for request in taken for series in read(request.message)]


@pytest.mark.parametrize(("version", "wanted"), [("1.0", HEADERS_1), ("2.0", HEADERS_2)])
def test_headers(version: str, wanted: dict[str, str]) -> None:
    for request in sent(source_of("host=h{1..5}", 30), version):
        assert {name: request.headers[name.lower()] for name in wanted} == wanted
        assert request.headers["user-agent"].startswith("promfill/")
        assert int(request.headers["content-length"]) == len(request.body)


@pytest.mark.parametrize("version", VERSIONS)
def test_sorted_labels(version: str) -> None:
    for labels, _ in series_of(sent(source_of("zone=z,Upper=U,a=1,_x=2", 3), version), version):
        names = [name for name, _ in labels]
        assert names == sorted(names, key=str.encode)


@pytest.mark.parametrize("version", VERSIONS)
def test_repeated_labels(version: str) -> None:
    for labels, _ in series_of(sent(source_of("a=1,b=2", 3), version), version):
        assert len({name for name, _ in labels}) == len(labels)


@pytest.mark.parametrize("encoder", [WriteRequestEncoder, RequestEncoder])
def test_empty_labels(encoder: type[WriteRequestEncoder] | type[RequestEncoder]) -> None:
    """A label without a value is no label: a series that lacks one of the others' does not name it."""
    fleet = fleet_of([(("__name__", "m"),), (("__name__", "m"), ("a", "x"))])
    batch = batch_of(fleet, [1_700_000_000_000], np.zeros((1, 2), np.uint64))
    read = read_2 if encoder is RequestEncoder else read_1
    assert {labels for labels, _ in read(encoder(fleet).encode(batch).tobytes())} == {*map(fleet.label_set, range(2))}


@pytest.mark.parametrize("version", VERSIONS)
def test_name_label(version: str) -> None:
    for labels, _ in series_of(sent(source_of("a=1", 3, metric="up_time"), version), version):
        assert dict(labels)["__name__"] == "up_time"


@pytest.mark.parametrize("version", VERSIONS)
def test_ordering(version: str) -> None:
    """Samples of a series come in order of time, within a request and from one to the next."""
    times: dict[object, list[int]] = {}
    for labels, samples in series_of(sent(source_of("host=h{1..9}", 40), version), version):
        times.setdefault(labels, []).extend(time for time, _ in samples)
    assert len(times) == 9
    assert all(a < b for series in times.values() for a, b in itertools.pairwise(series))


@pytest.mark.parametrize("version", VERSIONS)
def test_timestamps(version: str) -> None:
    source = source_of("", 5, step=1)
    (series,) = series_of(sent(source, version), version)
    assert [time for time, _ in series[1]] == [source.grid.start + step for step in range(5)]


def test_retries_500() -> None:
    """Between the two attempts the receiver is asked, by a request without samples, who it is."""
    first, asked, again, *_ = sent(source_of("host=h{1..5}", 30), "1.0", Answer(500, b"oops"))
    assert first.body == again.body
    assert asked.message == b""


def test_retries_400() -> None:
    """Never again."""
    answers = iter([Answer(400, b"no")])
    with Receiver(lambda _: next(answers, GOOD)) as receiver:
        destination = build_destination(receiver.url, environment={})
        source = source_of("host=h{1..5}", 30)
        with pytest.raises(ReceiverError):
            push(source, open_remote_write(source, lambda: make_client(destination), Sending(protocol="1.0")))
        assert len(receiver.taken) == 1


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("series", [1, 9])
def test_staleness(version: str, series: int) -> None:
    """With --stale-at-end each series ends with the marker, by its very bits."""
    source = source_of(f"host=h{{1..{series}}}", 30, stale_at_end=True)
    held: dict[object, list[tuple[int, int]]] = {}
    for labels, samples in series_of(sent(source, version), version):
        held.setdefault(labels, []).extend(samples)
    assert held == samples_of(source.batch(Tile(0, source.grid.steps, 0, series)))
    assert {samples[-1][1] for samples in held.values()} == {STALE_NAN_BITS}
    assert not any(bits == STALE_NAN_BITS for samples in held.values() for _, bits in samples[:-1])


@pytest.mark.parametrize("version", VERSIONS)
def test_gauge_of_special_values(version: str) -> None:
    fleet = source_of("host=h{1..3}", 1).fleet
    special = np.array([[math.inf, -math.inf, math.nan], [0.0, -0.0, 5e-324]]).view(np.uint64)
    batch = batch_of(fleet, [1_700_000_000_000, 1_700_000_300_000], special)
    encoder = RequestEncoder(fleet) if version == "2.0" else WriteRequestEncoder(fleet)
    read = read_2 if version == "2.0" else read_1
    assert dict(read(encoder.encode(batch).tobytes())) == samples_of(batch)


def test_metadata() -> None:
    first = WriteRequest.FromString(sent(source_of("", 3, description="what it is", unit="bytes"))[0].message)
    assert [(one.metric_family_name, one.help, one.unit) for one in first.metadata] == [("m", "what it is", "bytes")]
