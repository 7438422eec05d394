"""What is known of the receiver: which one it is, and which version of remote write it reads."""

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
    reading it, None where this was not tried. doubles: the receiver keeps both copies of a sample that is sent twice,
    None where it has not answered yet. keeps_one: it is known to keep one copy; else an answer without the header of
    VictoriaMetrics may have lost that header on its way. too_large: bytes (before compression) of the smallest message
    that it found too large. on_victoria_metrics: called when it turns out to be one. forwards: it keeps nothing itself,
    so what the store behind it does not hold yet may still arrive; and if that store is known, headers say nothing
    about it. too_old: the newest time (ms) that it has refused as too old. fruitless: how many requests it has refused
    in a row, all of them parts of others, without accepting one.
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
        """Identify the receiver. to_version_2: a request of 2.0 with samples; a receiver that reads it counts them."""
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
        """Whether a sample that is sent twice is kept twice. If nothing has answered yet, an empty message is sent.

        NoAnswerError if it does not answer that either.
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
    """The samples that a 2.0 receiver says it has written; None where it says nothing."""
    told = response.headers.get(WRITTEN_HEADER, "").strip()
    return int(told) if told.isascii() and told.isdecimal() else None
