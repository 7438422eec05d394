"""A lane delivers in order, stops at the first failure, and lets nobody run ahead of it."""

from __future__ import annotations

import threading
import time

import pytest

from promfill.errors import ReceiverError
from promfill.sinks.remote_write.lane import AHEAD, Lane
from promfill.sinks.remote_write.message import Message


def request(number: int) -> Message:
    return Message(bytes([number]), raw=1, samples=1, window=number, place=0, series=range(1), oldest=0, newest=0)


def test_requests_are_delivered_in_order() -> None:
    delivered: list[bytes] = []
    lane = Lane(lambda sent: delivered.append(sent.body))
    for number in range(20):
        lane.send(request(number))
    lane.settle()
    assert delivered == [bytes([number]) for number in range(20)]
    lane.close(lambda: pytest.fail("nothing is under way"))


def test_the_sender_waits_while_the_line_is_full() -> None:
    answered = threading.Semaphore(0)

    def deliver(_: Message) -> None:
        answered.acquire()

    lane = Lane(deliver)
    for number in range(1 + AHEAD):
        lane.send(request(number))
    waiting = threading.Thread(target=lane.send, args=(request(9),))
    waiting.start()
    waiting.join(0.05)
    assert waiting.is_alive()
    answered.release()
    waiting.join(30)
    assert not waiting.is_alive()
    answered.release(1 + AHEAD)
    lane.settle()
    lane.close(lambda: None)


def test_nothing_is_sent_after_a_failure() -> None:
    delivered: list[bytes] = []

    def deliver(sent: Message) -> None:
        delivered.append(sent.body)
        if sent.body == b"\1":
            time.sleep(0.05)
            raise ReceiverError("no")

    lane = Lane(deliver)
    lane.send(request(0))
    lane.send(request(1))
    lane.send(request(2))
    with pytest.raises(ReceiverError, match="no"):
        lane.settle()
    lane.close(lambda: None)
    assert delivered == [b"\0", b"\1"]


def test_what_is_under_way_is_broken_off_in_the_end() -> None:
    begun, over = threading.Event(), threading.Event()
    delivered: list[bytes] = []

    def deliver(sent: Message) -> None:
        begun.set()
        over.wait(30)
        delivered.append(sent.body)

    lane = Lane(deliver)
    lane.send(request(1))
    lane.send(request(2))
    assert begun.wait(30)
    lane.close(over.set, 0.05)
    assert delivered == [b"\1"]  # what waited behind it is not sent
