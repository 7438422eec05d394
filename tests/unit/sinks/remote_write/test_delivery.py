"""What a lane tells of a request while the push is being ended."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from promfill.net.clock import Clock
from promfill.net.http import NoAnswerError
from promfill.sinks.remote_write.delivery import Delivery, Terms
from promfill.sinks.remote_write.gate import StoppedError
from promfill.sinks.remote_write.pace import Pace


@pytest.mark.parametrize("ended", [True, False])
def test_a_connection_that_ending_closes_is_no_trouble(ended: bool) -> None:
    stop, told = threading.Event(), list[str]()

    def attempt() -> None:
        if ended or told:
            stop.set()
        raise NoAnswerError("the connection broke", may_have_arrived=True)

    terms = Terms(5.0, False, Pace(None), Clock(), told.append, told.append)
    tally = SimpleNamespace(count=lambda name, count=1: None)
    delivery = Delivery(*cast(tuple[Any, Any, Any], (None, None, None)), terms, cast(Any, tally), stop)
    attempts = SimpleNamespace(
        message=SimpleNamespace(samples=1),
        attempt=attempt,
        number=1,
        trouble="broke",
        state=SimpleNamespace(in_doubt=1),
    )
    with pytest.raises(StoppedError):
        delivery._run(cast(Any, attempts))
    assert told == ([] if ended else ["broke"])
