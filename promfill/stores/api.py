"""A Prometheus HTTP API: its base address, and how it is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode

import httpx
import orjson

from promfill.errors import ReceiverError
from promfill.net.destination import show_url
from promfill.net.http import HttpClient
from promfill.net.http_answers import LOOKED_AT, read_whole, text_of
from promfill.protocols import TooMuchError

READ_SECONDS = 86_400.0
"""How long an answer may take as a whole; how long it may stand still is the client's own timeout."""

PIECE = 1 << 20

Parameters = Mapping[str, str | int]

_PREFIX = re.compile(r"(/select/[^/]+)?/prometheus$")
"""What VictoriaMetrics, and the selectors of its clusters, put before the query API."""

_HEADERS = {"Cache-Control": "no-store", "Accept-Encoding": "identity"}
"""Caches of Mimir and Cortex hide what was written into the past; gzip would cost more than all the rest."""


_TOO_MUCH = re.compile(
    r"exceed(s|ed|ing)? (the |a )?(\d|max|limit|sample|series|chunk|aggregat|total|size)|exceeds? .{0,40}limit"
    r"|too (large|big|long)|too many (samples|chunks|bytes|points)|larger than max|resource ?exhausted"
    r"|cannot (select|process|return|fetch) more than|hit the max|max(imum)? .{0,40}(exceeded|reached)"
    r"|limit .{0,20}(exceeded|reached)|err-mimir-max-(chunks|estimated|query|series|total|fetched)",
    re.IGNORECASE,
)
"""What servers say of a query whose answer is more than they give at once (Prometheus, Mimir, Cortex, Thanos,
VictoriaMetrics, and the gRPC below them)."""


def asks_too_much(response: httpx.Response) -> bool:
    """Whether a refusal is of the size of the answer. That of a rate (429) is not: fewer samples would not help."""
    status = response.status_code
    told = status in (400, 422) or status >= 500
    return status == 413 or (told and bool(_TOO_MUCH.search(text_of(response)[:LOOKED_AT])))


_LONGEST_STORY = 150
"""Letters of an answer before the words that tell, and after them."""


class Api:
    """Asks below one base address, whatever path prefix it has."""

    def __init__(self, client: HttpClient, base: str | None = None) -> None:
        self.client = client
        self.base = (base or client.destination.url).rstrip("/")

    def __str__(self) -> str:
        return show_url(self.base)

    def try_get(self, path: str, **parameters: str | int) -> httpx.Response | None:
        """The answer, None where it is not a good one. ReceiverError where nobody answers."""
        response = self.client.request("GET", self._url(path, parameters), headers=_HEADERS)
        return response if response.is_success else None

    def try_get_root(self, path: str) -> httpx.Response | None:
        """As `try_get`, of what lies beside the query API, whose prefix VictoriaMetrics may have."""
        response = self.get_root(path)
        return response if response.is_success else None

    def get_root(self, path: str) -> httpx.Response:
        """Whatever is answered there. ReceiverError where nobody answers."""
        return self.client.request("GET", f"{_PREFIX.sub('', self.base)}{path}", headers=_HEADERS)

    def get_data(self, path: str, **parameters: str | int) -> Any:
        """``data`` of a JSON answer, None where there is none. ReceiverError as in `try_get`."""
        response = self.try_get(path, **parameters)
        try:
            answer = orjson.loads(response.content) if response else None
        except orjson.JSONDecodeError:
            return None
        return answer.get("data") if isinstance(answer, dict) else None

    def get(self, path: str, parameters: Parameters) -> httpx.Response:
        """Whatever is answered, read whole, however large. NoAnswerError where nobody answers."""
        url = self._url(path, parameters)
        with self.client.stream("GET", url, headers=_HEADERS, timeout=READ_SECONDS) as response:
            response.read()
        return response

    @contextmanager
    def stream(
        self,
        method: str,
        path: str,
        parameters: Parameters | None = None,
        *,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Iterator[httpx.Response]:
        """A good answer with its body still to be read; ReceiverError for any other."""
        url = self._url(path, parameters or {})
        with self.client.stream(
            method, url, content=content, headers={**_HEADERS, **(headers or {})}, timeout=READ_SECONDS
        ) as response:
            if not response.is_success:
                refusal = read_whole(response)
                if asks_too_much(refusal):
                    raise TooMuchError(self._too_much(refusal))
                self.client.check(refusal)
            yield response

    def _too_much(self, refusal: httpx.Response) -> str:
        """Who answered what, with the words that tell: VictoriaMetrics puts a long story before them."""
        text = " ".join(text_of(refusal)[:LOOKED_AT].split())
        found = _TOO_MUCH.search(text)
        if found is None or found.start() < _LONGEST_STORY:
            return self.client.problem(refusal)
        start = max(text.rfind(": ", 0, found.start()), found.start() - _LONGEST_STORY, 0)
        said = text[start : found.end() + _LONGEST_STORY].strip(": ")
        where = f"{show_url(str(refusal.url))} answered {refusal.status_code} {refusal.reason_phrase}"
        return self.client.destination.mask(f"{where}: … {said}")

    def _url(self, path: str, parameters: Parameters) -> str:
        return f"{self.base}{path}" + (f"?{urlencode(parameters)}" if parameters else "")


def selector(labels: tuple[tuple[str, str], ...]) -> str:
    """A PromQL selector of the series with these labels."""
    return "{" + ",".join(f"{name}={_quote(value)}" for name, value in labels) + "}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def refused(error: ReceiverError, statuses: tuple[int, ...]) -> bool:
    """Whether a server said that it does not know this way of asking."""
    return any(f" answered {status} " in str(error) for status in statuses)
