"""Which version is spoken, and what falling back costs: never a sample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from promfill.codecs.remote_write.rewrite import count_samples
from promfill.errors import ReceiverError, RefusedError
from promfill.model.grid import Tile
from promfill.net.http import NoAnswerError, make_client
from promfill.net.resolve import build_destination
from promfill.pb.remote_write_1_pb2 import MetricMetadata, WriteRequest
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.faulty_server import FastClock
from tests.support.held_samples import PrometheusRules, VictoriaMetricsRules, read_2
from tests.support.receiver import GOOD, Answer, Receiver, Taken
from tests.support.recorded import (
    CORTEX_1_21_NO_VERSION_2,
    MIMIR_2_17_GOOD,
    MIMIR_3_0_3_SERIES_LIMIT,
    VICTORIAMETRICS_1_150_GOOD,
    counted,
)
from tests.support.remote_write import read_request, samples_of
from tests.support.servers import free_port
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 50, description="what it is", unit="bytes")
WHOLE = samples_of(SOURCE.batch(Tile(0, 50, 0, 24)))


def send(receiver: FaultyReceiver, **how: Any) -> SinkReport:
    sending = Sending(**{"limits": Limits(samples=72), "clock": receiver.clock, **how})
    return push(SOURCE, open_remote_write(SOURCE, receiver.client, sending))


@pytest.mark.parametrize("rules", [PrometheusRules, VictoriaMetricsRules])
@pytest.mark.parametrize("deaf", [True, False])
def test_auto_falls_back_and_no_sample_is_held_twice(rules: Any, deaf: bool) -> None:
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
    with pytest.raises(ReceiverError, match=r"took remote write 2\.0 for 1\.0, and wrote nothing.*protocol"):
        send(receiver, protocol="2.0")
    assert not any(receiver.rules.held.values())


def test_2_0_by_order_at_a_receiver_that_refuses_it() -> None:
    receiver = FaultyReceiver(1, PrometheusRules(), likelihood=0, deaf=False)
    with pytest.raises(ReceiverError, match=r"415 .*another protocol"):
        send(receiver, protocol="2.0")


def versions(taken: list[Taken]) -> list[str]:
    """What the requests say of themselves, in order."""
    return [request.headers["x-prometheus-remote-write-version"] for request in taken]


def push_to(answer: Callable[[Taken], Answer], **how: Any) -> tuple[SinkReport, list[Taken]]:
    """A push in one request to a receiver on a socket, and what that was sent."""
    with Receiver(answer) as receiver:
        destination = build_destination(receiver.url, environment={})
        sending = Sending(**{"clock": FastClock(), **how})
        report = push(SOURCE, open_remote_write(SOURCE, lambda: make_client(destination, 5.0), sending))
    return report, receiver.taken


def test_2_0_by_order_is_never_sent_as_1_0() -> None:
    taken: list[Taken] = []

    def answer(request: Taken) -> Answer:
        taken.append(request)
        return Answer(hang_up=True) if request.message else GOOD

    with pytest.raises(NoAnswerError):
        push_to(answer, protocol="2.0", retry_for=0.5)
    assert set(versions([request for request in taken if request.message])) == {"2.0.0"}


def asks_2(request: Taken) -> bool:
    return "v2.Request" in request.headers["content-type"]


@pytest.mark.parametrize(
    "said",
    [
        Answer(415),
        CORTEX_1_21_NO_VERSION_2,
        Answer(400, b"unsupported proto io.prometheus.write.v2.Request"),
        Answer(400, b"unexpected content type"),
        Answer(406),
        Answer(422, b"cannot unmarshal"),
        Answer(204),
        VICTORIAMETRICS_1_150_GOOD,
        MIMIR_2_17_GOOD,
    ],
)
def test_what_is_not_read_as_2_0_goes_as_1_0(said: Answer) -> None:
    """The same samples, and what is told of the metric, in a second request."""
    report, taken = push_to(lambda request: said if asks_2(request) else GOOD)
    assert versions(taken) == ["2.0.0", "0.1.0"]
    assert (report.samples, report.details["protocol"]) == (1200, "1.0")
    assert report.details["retries"] == report.details["already_there"] == 0
    assert read_request(taken[1].message) == WHOLE
    (told,) = WriteRequest.FromString(taken[1].message).metadata
    assert told == MetricMetadata(type=MetricMetadata.GAUGE, metric_family_name="m", help="what it is", unit="bytes")


def test_no_request_is_without_samples() -> None:
    """Mimir 3.0 panics over one of 2.0 (grafana/mimir#14653)."""
    _, taken = push_to(lambda request: counted(200, "", count_samples(request.message, is_version_2=True)))
    assert versions(taken) == ["2.0.0"]
    assert dict(read_2(taken[0].message)) == WHOLE


@pytest.mark.parametrize("said", [Answer(hang_up=True), Answer(500, b"panic"), Answer(502), Answer(504)])
def test_2_0_that_gets_no_answer_three_times_goes_as_1_0(said: Answer) -> None:
    notes: list[str] = []
    report, taken = push_to(lambda request: said if asks_2(request) else GOOD, on_note=notes.append)
    assert versions([request for request in taken if request.message]) == ["2.0.0"] * 3 + ["0.1.0"]
    assert (report.samples, report.details["protocol"]) == (1200, "1.0")
    assert notes == ["3 requests of remote write 2.0 got no answer: sending the samples as 1.0"]


def test_a_lost_answer_to_2_0_that_was_written_is_found_to_be_there() -> None:
    """By 1.0, which the receiver refuses since it holds the samples."""
    held = Answer(400, b"out of order sample")
    report, taken = push_to(
        lambda request: Answer(hang_up=True) if asks_2(request) else held if request.message else GOOD
    )
    assert (report.samples, report.details["already_there"]) == (1200, 1200)
    assert len(taken) == 5  # three of 2.0, one without samples that asks who it is, one of 1.0


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_is_not_taken_for_one_of_1_0(status: int) -> None:
    said = iter([Answer(status)] * 5)
    good = counted(200, "", 1200)
    report, taken = push_to(lambda request: next(said, good) if request.message else GOOD)
    assert report.details["protocol"] == "2.0"
    assert "0.1.0" not in versions([request for request in taken if request.message])


def test_a_receiver_that_is_known_to_read_2_0_is_given_time() -> None:
    """Whatever breaks after a good answer is not the version's fault."""
    good = counted(200, "", 300)
    said = iter([good, *[Answer(500)] * 5])
    report, _ = push_to(lambda request: next(said, good) if request.message else GOOD, limits=Limits(samples=300))
    assert (report.samples, report.details["protocol"]) == (1200, "2.0")


@pytest.mark.parametrize(("reads", "fate"), [(True, "already_there"), (False, "refused")])
def test_whether_2_0_without_a_count_was_read_is_asked_where_it_matters(reads: bool, fate: str) -> None:
    """Something on the way may take the header away; a Prometheus 2.42 has none, and reads nothing of 2.0.

    Both refuse the samples as 1.0: the one because it has just written them, the other because of older ones.
    """
    sent: list[Taken] = []

    def answer(request: Taken) -> Answer:
        sent.append(request)
        refuses = not asks_2(request) or (reads and len(sent) > 1)
        return Answer(400, b"out of order sample") if refuses else Answer(204)

    if fate == "refused":
        with pytest.raises(RefusedError, match="out of order sample"):
            push_to(answer)
    else:
        assert push_to(answer)[0].details[fate] == 1200
    assert versions(sent) == ["2.0.0", "0.1.0", "2.0.0"]


@pytest.mark.parametrize("status", [401, 403, 404, 405])
def test_an_answer_about_us_is_not_asked_for_again_in_1_0(status: int) -> None:
    taken: list[Taken] = []

    def answer(request: Taken) -> Answer:
        taken.append(request)
        return Answer(status)

    with pytest.raises(RefusedError):
        push_to(answer)
    assert versions(taken) == ["2.0.0"]


def test_a_refusal_of_samples_with_a_count_is_one_of_2_0() -> None:
    """A Mimir at a limit reads 2.0: the samples would be refused as 1.0 as well."""
    said = counted(400, MIMIR_3_0_3_SERIES_LIMIT, 1200)
    with pytest.raises(RefusedError, match="max-series-per-user") as caught:
        push_to(lambda _: said)
    assert "up to 1,200 more may have been stored" in str(caught.value)


def test_a_receiver_that_counts_fewer_than_it_was_sent() -> None:
    """It says that all is well, and that it is not: the report tells both."""
    good = Answer(headers={"X-Prometheus-Remote-Write-Samples-Written": "2"})
    with Receiver(lambda _: good) as receiver:
        destination = build_destination(receiver.url, environment={})
        sink = open_remote_write(SOURCE, lambda: make_client(destination), Sending(limits=Limits(samples=300)))
        details = push(SOURCE, sink).details
    assert details["not_counted"] == 1200 - 2 * details["requests"]


def test_a_first_request_without_an_answer_is_told_of() -> None:
    """Whoever gives a wrong address learns it at once, and not when retry_for is over."""
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
