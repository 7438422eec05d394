"""A forwarder: its answers say nothing of the store behind it, and what that holds may not be all that comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import pytest

from promfill.pipeline.push import push
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import RemoteWriteSink, Sending, open_remote_write
from tests.support.faulty_receiver import QUERY_URL, FaultyReceiver
from tests.support.held_samples import VictoriaMetricsRules
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..24}", 50)


def forwarding(receiver: FaultyReceiver, *, doubles: bool | None, any_order: bool = False) -> RemoteWriteSink:
    sending = Sending(clock=receiver.clock, limits=Limits(samples=72), protocol="1.0", query_url=QUERY_URL)
    sink = open_remote_write(SOURCE, receiver.client, sending)
    sink.goes_through("vmagent", doubles=doubles, any_order=any_order)
    return sink


def doubled(receiver: FaultyReceiver) -> int:
    """Samples that are held more than once."""
    held = receiver.rules.held.values()
    return sum(count - 1 for samples in held for count in Counter(time for time, _ in samples).values())


def faulty(export: bool) -> FaultyReceiver:
    """A receiver whose answers are lost after it took everything; `export`: what it holds can be read at once."""
    receiver = FaultyReceiver(3, VictoriaMetricsRules(), likelihood=0.4, faults=("reset after", "503 after"))

    def nothing(start: int, end: int) -> Iterator[bytes]:
        yield b""

    if not export:
        receiver.rules.export = nothing  # type: ignore[method-assign,union-attr]
    return receiver


def test_what_is_still_on_its_way_may_be_there_twice() -> None:
    receiver = faulty(export=False)
    report = push(SOURCE, forwarding(receiver, doubles=True))
    assert report.samples == 1200
    assert doubled(receiver) > 0
    assert report.details["perhaps_twice"] > 0
    assert report.details["receiver"] == "vmagent"


def test_what_has_come_through_is_not_sent_again() -> None:
    receiver = faulty(export=True)
    report = push(SOURCE, forwarding(receiver, doubles=True))
    assert report.samples == 1200
    assert doubled(receiver) == 0
    assert "perhaps_twice" not in report.details


def test_a_store_that_keeps_one_of_two_is_not_asked() -> None:
    receiver = faulty(export=False)
    receiver.rules.export = None  # type: ignore[method-assign,union-attr]
    report = push(SOURCE, forwarding(receiver, doubles=False))
    assert report.samples == 1200
    assert "perhaps_twice" not in report.details


@pytest.mark.parametrize("any_order", [True, False])
def test_the_order_is_that_of_the_store_behind(any_order: bool) -> None:
    receiver = FaultyReceiver(1, VictoriaMetricsRules(), likelihood=0)
    sink = forwarding(receiver, doubles=True, any_order=any_order)
    push(SOURCE, sink)
    assert (sink._gate.slack == float("inf")) is any_order


def test_of_an_unknown_forwarder_its_headers_tell() -> None:
    receiver = FaultyReceiver(1, VictoriaMetricsRules(), likelihood=0)
    sink = forwarding(receiver, doubles=None)
    assert push(SOURCE, sink).details["receiver"] == "VictoriaMetrics"
