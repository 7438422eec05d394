"""Which version is spoken, and what falling back costs: never a sample."""

from __future__ import annotations

from typing import Any

import pytest

from promfill.config import build_destination
from promfill.errors import ReceiverError
from promfill.http import make_client
from promfill.pb.remote_write_1_pb2 import MetricMetadata, WriteRequest
from promfill.pb.remote_write_2_pb2 import Request
from promfill.plan import Tile
from promfill.push import push
from promfill.sinks.base import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.held_samples import PrometheusRules, VictoriaMetricsRules
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.remote_write import samples_of
from tests.support.servers import free_port
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 50, description="what it is", unit="bytes")
WHOLE = samples_of(SOURCE.batch(Tile(0, 50, 0, 24)))


def send(receiver: FaultyReceiver, **how: Any) -> SinkReport:
    sending = Sending(**{"limits": Limits(samples=72), "clock": receiver.clock, **how})
    return push(SOURCE, open_remote_write(SOURCE, receiver.client, sending))


@pytest.mark.parametrize("rules", [PrometheusRules, VictoriaMetricsRules])
@pytest.mark.parametrize("deaf", [True, False])
def test_auto_falls_back_before_a_sample_is_sent(rules: Any, deaf: bool) -> None:
    receiver = FaultyReceiver(1, rules(), likelihood=0, deaf=deaf)
    assert send(receiver).details["protocol"] == "1.0"
    assert receiver.rules.held == WHOLE


def test_auto_speaks_2_0_where_it_is_understood() -> None:
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0, version_2=True)
    report = send(receiver)
    assert report.details["protocol"] == "2.0"
    assert report.details["counted"] == 1200
    assert receiver.rules.held == WHOLE


def test_2_0_by_order_at_a_receiver_that_takes_it_for_1_0() -> None:
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0)
    with pytest.raises(ReceiverError, match=r"took remote write 2\.0 for 1\.0, and wrote nothing.*--protocol"):
        send(receiver, protocol="2.0")
    assert not any(receiver.rules.held.values())


def test_2_0_by_order_at_a_receiver_that_refuses_it() -> None:
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0, deaf=False)
    with pytest.raises(ReceiverError, match=r"415 .*another --protocol"):
        send(receiver, protocol="2.0")


def test_a_receiver_that_takes_the_probe_and_refuses_what_follows() -> None:
    """415 to samples: the same samples go as 1.0, and all that follow."""
    taken: list[Taken] = []

    def answer(request: Taken) -> Answer:
        asks_2 = "v2.Request" in request.headers["content-type"]
        if asks_2 and Request.FromString(request.message).timeseries:
            return Answer(415)
        taken.append(request)
        return Answer(headers={"X-Prometheus-Remote-Write-Samples-Written": "0"} if asks_2 else {})

    with Receiver(answer) as receiver:
        destination = build_destination(receiver.url, environment={})
        report = push(SOURCE, open_remote_write(SOURCE, lambda: make_client(destination)))
    assert report.samples == 1200
    assert [request.headers["x-prometheus-remote-write-version"] for request in taken] == ["2.0.0", "0.1.0"]
    assert report.details["protocol"] == "1.0"
    (told,) = WriteRequest.FromString(taken[-1].message).metadata
    assert told == MetricMetadata(type=MetricMetadata.GAUGE, metric_family_name="m", help="what it is", unit="bytes")


def test_a_receiver_that_counts_fewer_than_it_was_sent() -> None:
    """It says that all is well, and that it is not: the report tells both."""
    good = Answer(headers={"X-Prometheus-Remote-Write-Samples-Written": "2"})
    with Receiver(lambda _: good) as receiver:
        destination = build_destination(receiver.url, environment={})
        sink = open_remote_write(SOURCE, lambda: make_client(destination), Sending(limits=Limits(samples=300)))
        details = push(SOURCE, sink).details
    assert details["not_counted"] == 1200 - 2 * details["requests"]


def test_a_probe_without_an_answer_is_told_of() -> None:
    """Whoever gives a wrong address learns it at once, and not when --retry-for is over."""
    told: list[str] = []
    with pytest.raises(ReceiverError, match="nothing listens"):
        push(
            SOURCE,
            open_remote_write(
                SOURCE,
                lambda: make_client(build_destination(f"http://127.0.0.1:{free_port()}/", environment={})),
                Sending(clock=FaultyReceiver(1, PrometheusRules()).clock, on_trouble=told.append),
            ),
        )
    assert len(told) == 1
    assert "nothing listens" in told[0]
