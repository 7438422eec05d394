"""What a VictoriaMetrics holds of a request: read when it can be read, and not before."""

from __future__ import annotations

import json

import pytest

from promfill.model.grid import Tile
from promfill.net.http import HttpClient, make_client
from promfill.net.resolve import build_destination
from promfill.sinks.remote_write.holdings import SHOWN_AFTER, Holdings
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.messages import MessageMaker
from promfill.sinks.remote_write.plan import Limits, request_plan
from promfill.sources.generated import Source
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.sources import source_of

SOURCE = source_of("host=h{1..3}", 4)
FLUSH = "/internal/force_flush"


def message_of(source: Source) -> Message:
    plan = request_plan(source.grid, len(source.fleet), 90, Limits())
    return MessageMaker(source, plan).make(source.batch(Tile(0, 4, 0, 3)), is_version_2=False, first=True)


def line() -> bytes:
    labels = dict(SOURCE.fleet.label_set(1))
    times = [SOURCE.grid.time(step) for step in (1, 2)]
    return json.dumps({"metric": labels, "values": [1.0, 2.0], "timestamps": times}).encode() + b"\n"


@pytest.mark.parametrize(("may_flush", "waits"), [(200, []), (403, [SHOWN_AFTER]), (404, [SHOWN_AFTER])])
def test_what_it_may_not_be_told_to_show_is_waited_for(may_flush: int, waits: list[float]) -> None:
    """Otherwise what it has just taken would look as if it were not there, and be sent once more."""
    waited: list[float] = []

    def answer(taken: Taken) -> Answer:
        if taken.path == FLUSH:
            return Answer(may_flush)
        return Answer(200, line() if waited == waits else b"")

    with Receiver(answer) as receiver, client(receiver) as made:
        base = receiver.url.removesuffix("/api/v1/write")
        held = Holdings(SOURCE.fleet, base, waited.append).of(message_of(SOURCE), made)
    assert waited == waits
    assert held == {SOURCE.fleet.label_set(1): {SOURCE.grid.time(1), SOURCE.grid.time(2)}}


@pytest.mark.parametrize("answer", [Answer(404), Answer(401), Answer(200, b"<html>Sign in</html>\n")])
def test_a_store_that_cannot_be_asked(answer: Answer) -> None:
    with Receiver(lambda taken: answer) as receiver, client(receiver) as made:
        base = receiver.url.removesuffix("/api/v1/write")
        assert Holdings(SOURCE.fleet, base, lambda seconds: None).of(message_of(SOURCE), made) is None


def client(receiver: Receiver) -> HttpClient:
    return make_client(build_destination(receiver.url, environment={}), 5.0)
