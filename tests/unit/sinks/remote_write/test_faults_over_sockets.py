"""The same faults as in `test_faults`, by real connections; and those that only connections have."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from promfill.errors import ReceiverError
from promfill.model.grid import Tile
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
from tests.support.faulty_receiver import FAULTS, FaultyReceiver
from tests.support.faulty_server import FastClock, answers_of
from tests.support.held_samples import PrometheusRules
from tests.support.receiver import GOOD, Answer, Receiver, Taken, server_tls
from tests.support.remote_write import samples_of
from tests.support.servers import free_port
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 50)
WHOLE = samples_of(SOURCE.batch(Tile(0, 50, 0, 24)))
SLOW = ("429", "429 date")


def send(url: str, source: Source = SOURCE, timeout: float = 1.0, **how: Any) -> SinkReport:
    chosen: dict[str, Any] = {"limits": Limits(samples=72), "clock": FastClock(), "retry_for": 60.0, **how}
    destination = build_destination(url, environment={})
    return push(source, open_remote_write(source, lambda: make_client(destination, timeout), Sending(**chosen)))


@pytest.mark.parametrize("seed", range(5))
def test_every_sample_is_held_once(seed: int) -> None:
    brain = FaultyReceiver(
        seed,
        PrometheusRules(),
        likelihood=0.15,
        version_2=seed % 2 == 1,
        most=(None, 1100)[seed % 3 == 0],
        faults=tuple(fault for fault in FAULTS if fault not in SLOW),
    )
    with Receiver(answers_of(brain)) as receiver:
        report = send(receiver.url)
    assert brain.rules.held == WHOLE
    assert report.samples == 1200
    assert report.details["protocol"] == ("1.0", "2.0")[seed % 2]


@pytest.mark.parametrize("value", ["1", "date"])
def test_a_receiver_that_says_when_to_come_again(value: str) -> None:
    left = ["slow down"]

    def answer(_: Taken) -> Answer:
        if not left:
            return GOOD
        moment = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 2))
        return Answer(429, left.pop().encode(), headers={"Retry-After": value if value == "1" else moment})

    with Receiver(answer) as receiver:
        destination = build_destination(receiver.url, environment={})
        source = source_of("", 3)
        begin = time.monotonic()
        sink = open_remote_write(source, lambda: make_client(destination), Sending(protocol="1.0"))
        assert push(source, sink).details["retries"] == 1
    assert 0.8 < time.monotonic() - begin < 30


def test_an_answer_that_drips_longer_than_the_timeout() -> None:
    left = [Answer(200, b"x" * 100, drip=0.05)]
    with Receiver(lambda _: left.pop() if left else GOOD) as receiver:
        report = send(receiver.url, source_of("", 3), protocol="1.0")
    assert (report.details["answers_lost"], report.details["retries"]) == (1, 1)


def test_a_receiver_that_is_not_there_at_first() -> None:
    """Refused connections are tried again, and told of once."""
    told: list[str] = []
    port = free_port()
    with pytest.raises(ReceiverError, match="nothing listens"):
        send(f"http://127.0.0.1:{port}/", source_of("", 3), retry_for=0.5, protocol="1.0", on_trouble=told.append)
    assert len(told) == 1


def test_a_certificate_that_is_not_trusted_ends_the_push_at_once() -> None:
    with Receiver(tls=server_tls()) as receiver, pytest.raises(ReceiverError, match="is not trusted"):
        send(receiver.url, source_of("", 3), timeout=5.0)


def test_no_credential_follows_a_redirect_to_another_host() -> None:
    with Receiver() as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        with Receiver(lambda _: Answer(307, headers={"Location": elsewhere})) as receiver:
            destination = build_destination(receiver.url, environment={"PROMFILL_BEARER_TOKEN": "s3cret"})
            source = source_of("", 3)
            sink = open_remote_write(source, lambda: make_client(destination), Sending(protocol="1.0"))
            with pytest.raises(ReceiverError, match="redirects to") as caught:
                push(source, sink)
        assert "s3cret" not in str(caught.value)
        assert not other.taken


def test_a_rate_is_kept() -> None:
    source = source_of("host=h{1..24}", 50)
    with Receiver() as receiver:
        begin = time.monotonic()
        destination = build_destination(receiver.url, environment={})
        how = Sending(limits=Limits(samples=72), rate_limit=2400.0, protocol="1.0")
        push(source, open_remote_write(source, lambda: make_client(destination), how))
    assert 0.4 < time.monotonic() - begin < 30


def test_lanes_send_at_once_what_may_be_sent_at_once() -> None:
    """Four lanes: no answer but that to the first comes before another request is under way."""
    lock, together = threading.Lock(), threading.Event()
    flying = 0

    def answer(_: Taken) -> Answer:
        nonlocal flying
        with lock:
            flying += 1
            if flying > 1:
                together.set()
        if len(receiver.taken) > 1:
            together.wait(20)
        with lock:
            flying -= 1
        return GOOD

    with Receiver(answer) as receiver:
        send(receiver.url, timeout=60.0, protocol="1.0", lanes=4)
        assert receiver.connections == 4
    assert together.is_set()
