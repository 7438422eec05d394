"""Retries a request until its answer is final or the time is over. The caller decides what an answer means.

5xx, 429, broken connections and timeouts are retried. Every other answer is final, and so is a failure that a retry
cannot change, such as an untrusted certificate (RefusedError). Pauses double, with jitter; a Retry-After header of the
server takes precedence.
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
    """How long to retry: `seconds` from the first attempt (or from `since`, if later), at most `times` times."""

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
        """The first final answer, or else the last one. NoAnswerError if the last attempt got no answer."""
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
        # not a secret: jitter only spreads clients over time
        pause: float = min(LONGEST_PAUSE, self.first_pause * 2.0 ** min(attempt - 1, 16))
        return pause * random.uniform(0.75, 1.25)


def retry_after(response: httpx.Response, now: float) -> float | None:
    """Seconds to wait, from either form of the header Retry-After; None if it has no usable value.

    A date in the past is not usable: retrying at once, again and again, would flood the server. now: Unix seconds.
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
