"""The gate lets through what lies within the slack of the oldest that is under way, and no other."""

from __future__ import annotations

import math
import threading

import pytest

from promfill.sinks.remote_write.gate import Gate, StoppedError


def enters(gate: Gate, request: int, newest: int) -> threading.Thread:
    """A lane at the gate; it is a thread that ends when it is through."""

    def lane() -> None:
        try:
            gate.enter(request, newest)
        except StoppedError:
            stopped.append(request)

    stopped: list[int] = []
    thread = threading.Thread(target=lane)
    thread.start()
    thread.join(0.05)
    return thread


def test_within_the_slack() -> None:
    gate = Gate(100)
    gate.announce(0, 1000)
    gate.announce(1, 1050)
    gate.enter(1, 1100)
    waiting = enters(gate, 2, 1101)
    assert waiting.is_alive()
    gate.leave(0)
    waiting.join(30)
    assert not waiting.is_alive()


def test_a_wide_request_alone_does_not_wait_for_itself() -> None:
    gate = Gate(100)
    gate.announce(0, 1000)
    gate.enter(0, 99_999)


def test_open_and_stop_let_the_waiting_go() -> None:
    gate = Gate(0)
    gate.announce(0, 0)
    waiting = enters(gate, 1, 10)
    assert waiting.is_alive()
    gate.open()
    waiting.join(30)
    assert not waiting.is_alive()
    assert gate.slack == math.inf
    gate.stop()
    with pytest.raises(StoppedError):
        gate.enter(2, 0)
