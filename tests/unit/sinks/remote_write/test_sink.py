"""The sender against a receiver that reads with google's protobuf and answers what the test wants."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from promfill.errors import InputError, ReceiverError
from promfill.model.grid import Tile
from promfill.net.clock import Clock
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.pb.remote_write_1_pb2 import MetricMetadata, WriteRequest
from promfill.pipeline.push import push
from promfill.scenario.times import format_time
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import RemoteWriteSink, Sending, open_remote_write
from promfill.sources.generated import Source
from tests.support.receiver import GOOD, Answer, Receiver, Taken
from tests.support.remote_write import Held, read_request, samples_of
from tests.support.servers import free_port
from tests.support.sources import START, STEP, source_of

SMALL = Limits(samples=60)


def sink_of(url: str, source: Source, limits: Limits = SMALL, timeout: float = 5.0, **how: Any) -> RemoteWriteSink:
    """A sink that sends 1.0, and nothing twice."""
    sending = Sending(**{"limits": limits, "protocol": "1.0", "lanes": 1, "retry_for": 0.0, **how})
    return open_remote_write(source, lambda: make_client(build_destination(url, environment={}), timeout), sending)


@contextmanager
def pushing(
    source: Source, answer: Callable[[Taken], Answer] = lambda _: GOOD, timeout: float = 5.0
) -> Iterator[tuple[Receiver, RemoteWriteSink]]:
    with Receiver(answer) as receiver:
        yield receiver, sink_of(receiver.url, source, timeout=timeout)


def answers(*statuses: Answer) -> Callable[[Taken], Answer]:
    """These answers, one after the other, and good ones behind them."""
    left = iter(statuses)
    return lambda _: next(left, GOOD)


def fails(source: Source, answer: Callable[[Taken], Answer], timeout: float = 5.0) -> tuple[str, RemoteWriteSink, int]:
    """The words with which a push ends, its sink, and how many requests it sent."""
    with pushing(source, answer, timeout) as (receiver, sink):
        with pytest.raises(ReceiverError) as caught:
            push(source, sink)
        words = str(caught.value)
        assert "\n" not in words
        return words, sink, len(receiver.taken)


def test_every_sample_arrives_once_in_time_order() -> None:
    source = source_of("host=h{1..5}", 50)
    held: Held = {}
    with pushing(source) as (receiver, sink):
        report = push(source, sink)
        for taken in receiver.taken:
            for labels, samples in read_request(taken.message).items():
                held.setdefault(labels, []).extend(samples)
    assert held == samples_of(source.batch(Tile(0, 50, 0, 5)))
    assert all(samples == sorted(samples) for samples in held.values())
    assert report.samples == 250
    assert receiver.connections == 1


def test_the_report_counts_what_went() -> None:
    source = source_of("host=h{1..5}", 50)
    with pushing(source) as (receiver, sink):
        report = push(source, sink)
    sizes = [len(taken.body) for taken in receiver.taken]
    raw = sum(len(taken.message) for taken in receiver.taken)
    assert report.bytes == sum(sizes)
    counts = {"requests": len(sizes), "bytes_raw": raw, "bytes_sent": sum(sizes), "acknowledged": 250}
    nothing = dict.fromkeys(("already_there", "rejected_samples", "retries", "answers_lost", "divided"), 0)
    assert report.details == {**counts, **nothing, "rejected": {}, "protocol": "1.0"}
    assert len(sizes) == sink.plan.requests


def test_headers_of_remote_write_1() -> None:
    source = source_of("", 3)
    with pushing(source) as (receiver, sink):
        push(source, sink)
    headers = receiver.taken[0].headers
    assert receiver.taken[0].method == "POST"
    assert headers["content-type"] == "application/x-protobuf"
    assert headers["content-encoding"] == "snappy"
    assert headers["x-prometheus-remote-write-version"] == "0.1.0"
    assert headers["user-agent"].startswith("promfill/")


def test_metadata_goes_with_the_first_request_alone() -> None:
    source = source_of("host=h{1..5}", 50, description="what it is", unit="bytes")
    with pushing(source) as (receiver, sink):
        push(source, sink)
    first, *others = (WriteRequest.FromString(taken.message) for taken in receiver.taken)
    (told,) = first.metadata
    assert told == MetricMetadata(type=MetricMetadata.GAUGE, metric_family_name="m", help="what it is", unit="bytes")
    assert first.timeseries
    assert not any(other.metadata for other in others)


def test_bodies_keep_to_the_limit_of_bytes() -> None:
    source = source_of("host=h{1..40}", 50)
    limits = Limits(bytes=2000)
    with Receiver() as receiver:
        push(source, sink_of(receiver.url, source, limits))
    assert sum(len(WriteRequest.FromString(taken.message).timeseries) for taken in receiver.taken) > 40
    assert max(len(taken.message) for taken in receiver.taken) <= 2000


def test_a_body_that_holds_no_sample() -> None:
    with pytest.raises(InputError, match="max_bytes_per_send 50 is too small for one sample"):
        sink_of("http://127.0.0.1/", source_of("host=h{1..40}", 50), Limits(bytes=50))


def test_victoriametrics_is_known_by_its_answers() -> None:
    source = source_of("", 3)
    with pushing(source, lambda _: Answer(headers={"X-Server-Hostname": "vm"})) as (_, sink):
        assert push(source, sink).details["receiver"] == "VictoriaMetrics"


def test_a_refusal_of_the_first_request_ends_the_run_before_anything_follows() -> None:
    words, sink, requests = fails(source_of("host=h{1..5}", 50), answers(Answer(400, b"out of bounds")))
    assert requests == 1
    assert "answered 400 Bad Request: out of bounds: the receiver holds newer samples" in words
    assert "mode=blocks" in words
    assert words.endswith("No samples were accepted")
    assert sink.report.samples == 0


def test_a_later_refusal_tells_what_had_arrived() -> None:
    """Windows of 12 steps of 5 series: two of them were acknowledged."""
    words, sink, requests = fails(source_of("host=h{1..5}", 50), answers(GOOD, GOOD, Answer(400, b"no")))
    assert requests == 3
    assert "400 Bad Request: no. 120 samples were accepted, every series up to 2023-11-15T01:55:00Z" in words
    assert format_time(START + 23 * STEP) == "2023-11-15T01:55:00Z"
    assert sink.report.samples == 120


def test_an_ended_push_counts_what_was_acknowledged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a request is under way whose answer is near."""
    monkeypatch.setattr("promfill.sinks.remote_write.sink.GRACE_SECONDS", 30.0)
    source = source_of("host=h{1..5}", 50)

    def interrupt(_: int) -> None:
        if len(receiver.taken) > 1:
            raise KeyboardInterrupt

    with pushing(source, lambda _: Answer(pause=0.05)) as (receiver, sink):
        with pytest.raises(KeyboardInterrupt):
            push(source, sink, interrupt)
        assert sink.report.samples == 60 * len(receiver.taken)


def test_an_ended_push_does_not_wait_for_a_silent_receiver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promfill.sinks.remote_write.sink.GRACE_SECONDS", 0.1)
    source = source_of("host=h{1..5}", 50)
    with pushing(source, answers(GOOD, Answer(pause=30)), timeout=60) as (receiver, sink):
        tiles = sink.tiles()
        for _ in range(2):
            sink.write(source.batch(next(tiles)))
        while len(receiver.taken) < 2:
            time.sleep(0.001)
        begin = time.monotonic()
        sink.abort()
        assert time.monotonic() - begin < 15
        assert sink.report.samples == sink.report.details["unanswered"] == 60


class Pausing(Clock):
    """Notes whether the pauses that were begun were cut short."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.cut_short: list[bool] = []

    def wait(self, event: threading.Event, seconds: float) -> bool:
        self.begun.set()
        self.cut_short.append(event.wait(5))
        return self.cut_short[-1]


def test_an_ended_push_repeats_nothing() -> None:
    """A request that waits to be sent again is given up at once, and what may be there of it is told."""
    source, clock = source_of("host=h{1..5}", 50), Pausing()
    with Receiver(answers(GOOD, *[Answer(503, b"busy")] * 9)) as receiver:
        sink = sink_of(receiver.url, source, clock=clock, retry_for=10.0)
        tiles = sink.tiles()
        for _ in range(2):
            sink.write(source.batch(next(tiles)))
        assert clock.begun.wait(30)
        sink.abort()
        assert clock.cut_short == [True]
        assert len([taken for taken in receiver.taken if taken.message]) == 2
    assert sink.report.details["unanswered"] == 60


def test_half_a_window_is_not_told_as_whole() -> None:
    words, _, _ = fails(source_of("host=h{1..5}", 50), answers(GOOD, Answer(503, b"busy")))
    assert "60 samples were accepted, every series up to 2023-11-15T00:55:00Z" in words
    words, _, _ = fails(source_of("host=h{1..40}", 50), answers(GOOD, Answer(503, b"busy")))
    assert "503 Service Unavailable: busy. 60 samples were accepted; up to 60 more may" in words


def test_a_request_of_unknown_fate_is_told_as_such() -> None:
    words, _, _ = fails(source_of("host=h{1..5}", 50), answers(GOOD, Answer(pause=5)), timeout=1.5)
    assert "did not answer within 1.5 s" in words
    assert words.endswith("; up to 60 more may have been stored")


def test_nothing_listens() -> None:
    source = source_of("", 3)
    with pytest.raises(ReceiverError) as caught:
        push(source, sink_of(f"http://127.0.0.1:{free_port()}/x", source))
    assert "nothing listens at" in str(caught.value)
    assert str(caught.value).endswith("No samples were accepted")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(404, b"404 page not found"), "404 page not found: set remote_write_url to the full push URL"),
        (
            Answer(200, b"<html><title>Grafana</title>"),
            '200 OK: an HTML page, "Grafana": set remote_write_url to the full push URL',
        ),
        (Answer(401, b"no"), "401 Unauthorized: no: check the user and password, or the token. No samples"),
    ],
)
def test_answers_with_their_fix(answer: Answer, words: str) -> None:
    assert words in fails(source_of("", 3), answers(answer))[0]


def test_an_estimate_of_the_bytes_of_a_sample() -> None:
    source = source_of("host=h{1..100}", 100)
    sink = sink_of("http://127.0.0.1/", source, Limits())
    tile = next(iter(sink.tiles()))
    with Receiver() as receiver:
        report = push(source, sink_of(receiver.url, source, Limits()))
    assert sink.bytes_per_sample(source.batch(tile)) == pytest.approx(report.bytes / report.samples, rel=0.1)
