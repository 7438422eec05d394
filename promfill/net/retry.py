"""Asking again: until an answer stands, or the time for it is over. What an answer means is the caller's affair.

5xx, 429 and connections that break or stay silent may pass. Every other answer stands, and so does a failure that no
repetition can change, such as a certificate that is not trusted (RefusedError). Pauses double, with jitter, and
are as long as the server's Retry-After where it gives one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from promfill.errors import RefusedError
from promfill.net.http import NoAnswerError
from promfill.net.http_answers import passing

FIRST_PAUSE = 0.25
LONGEST_PAUSE = 10.0
LONGEST_RETRY_AFTER = 300.0


@dataclass(frozen=True, slots=True)
class Retry:
    """How long to go on: `seconds` from the first attempt (or from `since`, where later), and `times` at most."""

    seconds: float
    times: int | None = None
    first_pause: float = FIRST_PAUSE
    since: Callable[[], float] = lambda: 0.0
    clock: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    on_retry: Callable[[], None] = lambda: None
    stands: Callable[[httpx.Response], bool] = lambda response: not passing(response.status_code)

    def run(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """The first answer that stands, or the last one. NoAnswerError where the last attempt got none."""
        started = self.clock()
        attempt = 0
        while True:
            attempt += 1
            failure: NoAnswerError | None = None
            response: httpx.Response | None = None
            try:
                response = ask()
                if self.stands(response):
                    return response
            except NoAnswerError as error:
                if isinstance(error, RefusedError):
                    raise
                failure = error
            pause = self._pause(attempt, response)
            ends = max(started, self.since()) + self.seconds
            if (self.times is not None and attempt > self.times) or self.clock() + pause > ends:
                if failure:
                    raise failure
                assert response is not None
                return response
            self.on_retry()
            self.sleep(pause)

    def _pause(self, attempt: int, response: httpx.Response | None) -> float:
        wanted = retry_after(response, self.wall()) if response is not None else None
        if wanted is not None:
            return wanted
        # no secret hangs on it: jitter keeps clients apart
        pause: float = min(LONGEST_PAUSE, self.first_pause * 2.0 ** min(attempt - 1, 16))
        return pause * random.uniform(0.75, 1.25)


def retry_after(response: httpx.Response, now: float) -> float | None:
    """Seconds that the server wants us to wait, from either form of the header; None where it says nothing usable.

    A moment that has passed says nothing: coming at once, again and again, would be a flood. now: Unix seconds.
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal():
        return min(float(text), LONGEST_RETRY_AFTER) or None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, moment.timestamp() - now), LONGEST_RETRY_AFTER) or None
