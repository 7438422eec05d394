"""What is known of the receiver: which one it is, and which version of remote write it takes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import snappy

from promfill.net.http import HttpClient, NoAnswerError
from promfill.net.http_answers import passing
from promfill.rules.victoriametrics import HEADER
from promfill.sinks.remote_write.holdings import Holdings
from promfill.sinks.remote_write.message import HEADERS_1

VICTORIA_METRICS = "VictoriaMetrics"
WRITTEN_HEADER = "X-Prometheus-Remote-Write-Samples-Written"
"""Samples of a request that a receiver of 2.0 has written."""
NOTHING = -(1 << 62)
"""Earlier than any time (ms)."""


@dataclass(slots=True)
class Receiver:
    """Shared by all lanes; its facts only ever change from unknown to known.

    takes_version_2: requests go as 2.0. may_fall_back: it is not known yet whether the receiver reads 2.0; the first
    answers tell, and what it does not read goes again as 1.0. skips_version_2: it gives 2.0 a good answer without
    reading it, None where it was not asked. doubles: the receiver keeps both copies of a sample that is sent twice,
    None where nothing has been heard of it yet. keeps_one: it is known to keep one of them; else an answer without the
    header of VictoriaMetrics may have lost it on its way. too_large: bytes (before compression) of the smallest message
    that it found too large. on_victoria_metrics: called when it turns out to be one. forwards: it keeps nothing itself,
    so what the store behind it does not hold yet may still arrive; and where that store is known, headers say nothing
    of it. too_old: the newest time (ms) that it has refused as too old. fruitless: requests that it has refused one
    after the other, all parts of others, and has taken none.
    """

    holdings: Holdings
    takes_version_2: bool = False
    may_fall_back: bool = True
    skips_version_2: bool | None = None
    doubles: bool | None = None
    keeps_one: bool = False
    too_large: float = math.inf
    on_victoria_metrics: Callable[[], None] = lambda: None
    forwards: bool = False
    too_old: int = NOTHING
    fruitless: int = 0

    def learn(self, response: httpx.Response, *, to_version_2: bool = False) -> None:
        """Look at who answers. to_version_2: a request of 2.0 with samples; who reads it counts what it has written."""
        if to_version_2 and (written_by(response) or (written_by(response) == 0 and not response.is_success)):
            self.may_fall_back = False
        self.keeps_one |= written_by(response) is not None  # VictoriaMetrics does not count
        if self.forwards and self.doubles is not None:
            return
        if HEADER in response.headers:
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
                error.may_have_arrived = False
                raise
            self.learn(response)
            if passing(response.status_code):
                raise NoAnswerError(client.explain(response), may_have_arrived=False)
        return bool(self.doubles)


def written_by(response: httpx.Response) -> int | None:
    """The samples that a receiver of 2.0 says it has written; None where it says nothing."""
    told = response.headers.get(WRITTEN_HEADER, "").strip()
    return int(told) if told.isascii() and told.isdecimal() else None
