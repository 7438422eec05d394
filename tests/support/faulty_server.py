"""A `FaultyReceiver` behind a socket: what it says in this process becomes answers, resets and silence on the wire."""

from __future__ import annotations

import threading
from collections.abc import Callable

import httpx

from promfill.net.clock import Clock
from promfill.net.http import NoAnswerError
from tests.support.faulty_receiver import FaultyReceiver
from tests.support.receiver import Answer, Taken

SILENCE = 1.6
"""Seconds; whoever waits for an answer must give up before."""

NOT_HERE = Answer(404, b"no query API here")


class FastClock(Clock):
    """The real one, but that pauses are short."""

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(min(seconds, 0.01))


def answers_of(brain: FaultyReceiver) -> Callable[[Taken], Answer]:
    """What a `tests.support.receiver.Receiver` is to answer."""

    def answer(taken: Taken) -> Answer:
        if taken.method == "GET":
            return NOT_HERE
        headers = {"Content-Type": taken.headers["content-type"]}
        try:
            return _on_the_wire(brain.answer(taken.body, headers))
        except NoAnswerError as fault:
            if "late" in str(fault):
                return Answer(pause=SILENCE)
            if "half" in str(fault):
                return Answer(200, b"half", headers={"Connection": "close", "Content-Length": "50"})
            return Answer(hang_up=True)

    return answer


def _on_the_wire(response: httpx.Response) -> Answer:
    kept = ("x-", "retry-after")
    headers = {name: value for name, value in response.headers.items() if name.startswith(kept)}
    return Answer(response.status_code, response.content, headers)
