"""What is known of the receiver: which one it is, and which version of remote write it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import httpx
import snappy

from promfill.http import HttpClient, NoAnswerError
from promfill.pb.remote_write_2_pb2 import Request
from promfill.retry import Retry, passing
from promfill.sinks.remote_write.holdings import Holdings
from promfill.sinks.remote_write.message import HEADERS_1, HEADERS_2

VICTORIA_METRICS = "VictoriaMetrics"
VICTORIA_METRICS_HEADER = "X-Server-Hostname"
"""Only VictoriaMetrics answers with it."""
WRITTEN_HEADER = "X-Prometheus-Remote-Write-Samples-Written"
"""Samples of a request that a receiver of 2.0 has written."""

_BUSY = (429, 503)
_TRIES = 3
"""Answers of 5xx that a probe takes for a receiver which is not ready; then for one that does not know 2.0."""


@dataclass(slots=True)
class Receiver:
    """Shared by all lanes; its facts only ever change from unknown to known.

    takes_version_2: requests go as 2.0. may_fall_back: they go as 1.0 where 2.0 is refused. doubles: the receiver keeps
    both copies of a sample that is sent twice, None where nothing has been heard of it yet. too_large: bytes (before
    compression) of the smallest message that it found too large. on_victoria_metrics: called when it turns out to be
    one. forwards: it keeps nothing itself, so what the store behind it does not hold yet may still arrive; and where
    that store is known, headers say nothing of it.
    """

    holdings: Holdings
    takes_version_2: bool = False
    may_fall_back: bool = True
    doubles: bool | None = None
    too_large: float = math.inf
    on_victoria_metrics: Callable[[], None] = lambda: None
    forwards: bool = False

    def learn(self, response: httpx.Response) -> None:
        """Look at who answers."""
        if self.forwards and self.doubles is not None:
            return
        if VICTORIA_METRICS_HEADER in response.headers:
            if not self.doubles:
                self.doubles = True
                self.on_victoria_metrics()
        elif response.is_success:
            self.doubles = self.doubles or False

    def keeps_doubles(self, client: HttpClient) -> bool:
        """Whether a sample that is sent twice is kept twice. Who has not answered yet is sent a message of nothing.

        NoAnswerError where it does not answer that either.
        """
        if self.doubles is None:
            try:
                response = client.request("POST", content=snappy.compress(b""), headers=HEADERS_1)
            except NoAnswerError as error:
                raise NoAnswerError(str(error), may_have_arrived=False) from error
            self.learn(response)
            if passing(response.status_code):
                raise NoAnswerError(client.explain(response), may_have_arrived=False)
        return bool(self.doubles)

    def probe(self, client: HttpClient, retry: Retry, on_trouble: Callable[[str], None]) -> None:
        """Ask in 2.0, by a message that holds no sample. on_trouble: told once why it has to be asked again.

        A receiver of 2.0 counts what it has written, be it nothing; one that took the message for 1.0 does not. With
        samples in it, a receiver that took them and did not count them would be sent them twice.
        """
        troubles: list[str] = []
        empty = snappy.compress(Request(symbols=[""]).SerializeToString())

        def ask() -> httpx.Response:
            try:
                response = client.request("POST", content=empty, headers=HEADERS_2)
            except NoAnswerError as error:
                troubles.append(str(error))
                raise
            troubles.append(client.explain(response))
            return response

        def stands(response: httpx.Response) -> bool:
            tried = len(troubles) >= _TRIES
            return not passing(response.status_code) or (response.status_code not in _BUSY and tried)

        def on_retry() -> None:
            if len(troubles) == 1:
                on_trouble(troubles[0])

        response = replace(retry, stands=stands, on_retry=on_retry).run(ask)
        self.learn(response)
        self.takes_version_2 = response.is_success and written_by(response) is not None


def written_by(response: httpx.Response) -> int | None:
    """The samples that a receiver of 2.0 says it has written; None where it says nothing."""
    told = response.headers.get(WRITTEN_HEADER, "").strip()
    return int(told) if told.isascii() and told.isdecimal() else None
