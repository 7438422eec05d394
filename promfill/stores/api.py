"""A client for a Prometheus HTTP API below one base address."""

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
"""The time limit for a whole answer. The client's own timeout limits the time without any data."""

PIECE = 1 << 20

Parameters = Mapping[str, str | int]

_PREFIX = re.compile(r"(/select/[^/]+)?/prometheus$")
"""The path prefix that VictoriaMetrics, single node or cluster, uses for its query API."""

_HEADERS = {"Cache-Control": "no-store", "Accept-Encoding": "identity"}
"""Skip caches, because those of Mimir and Cortex hide samples that were written into the past. Skip gzip, because it
would take more time than everything else together."""


_TOO_MUCH = re.compile(
    r"exceed(s|ed|ing)? (the |a )?(\d|max|limit|sample|series|chunk|aggregat|total|size)|exceeds? .{0,40}limit"
    r"|too (large|big|long)|too many (samples|chunks|bytes|points)|larger than max|resource ?exhausted"
    r"|cannot (select|process|return|fetch) more than|hit the max|max(imum)? .{0,40}(exceeded|reached)"
    r"|limit .{0,20}(exceeded|reached)|err-mimir-max-(chunks|estimated|query|series|total|fetched)",
    re.IGNORECASE,
)
"""The words by which servers refuse a query whose answer would be too large (Prometheus, Mimir, Cortex, Thanos,
VictoriaMetrics, and the gRPC library that they use)."""


def asks_too_much(response: httpx.Response) -> bool:
    """Whether the server refused because the answer would be too large.

    A rate limit (429) does not count: asking for fewer samples would not help.
    """
    status = response.status_code
    told = status in (400, 422) or status >= 500
    return status == 413 or (told and bool(_TOO_MUCH.search(text_of(response)[:LOOKED_AT])))


_LONGEST_STORY = 150
"""Characters of an error message to keep before and after the words that match `_TOO_MUCH`."""


class Api:
    """Sends requests to paths below one base address, which may have any path prefix."""

    def __init__(self, client: HttpClient, base: str | None = None) -> None:
        self.client = client
        self.base = (base or client.destination.url).rstrip("/")

    def __str__(self) -> str:
        return show_url(self.base)

    def try_get(self, path: str, **parameters: str | int) -> httpx.Response | None:
        """The answer, or None if its status is not 2xx. ReceiverError: the server did not answer."""
        response = self.client.request("GET", self._url(path, parameters), headers=_HEADERS)
        return response if response.is_success else None

    def try_get_root(self, path: str) -> httpx.Response | None:
        """Like `try_get`, for a path below the root of the server instead of below the query API's prefix."""
        response = self.get_root(path)
        return response if response.is_success else None

    def get_root(self, path: str) -> httpx.Response:
        """The answer, of any status, for a path below the server's root. ReceiverError: the server did not answer."""
        return self.client.request("GET", f"{_PREFIX.sub('', self.base)}{path}", headers=_HEADERS)

    def get_data(self, path: str, **parameters: str | int) -> Any:
        """The ``data`` field of a JSON answer, or None if the answer has none. ReceiverError as in `try_get`."""
        response = self.try_get(path, **parameters)
        try:
            answer = orjson.loads(response.content) if response else None
        except orjson.JSONDecodeError:
            return None
        return answer.get("data") if isinstance(answer, dict) else None

    def get(self, path: str, parameters: Parameters) -> httpx.Response:
        """The answer, of any status and size, with its body already read. NoAnswerError: the server did not answer."""
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
        """A 2xx answer whose body is not read yet. ReceiverError: the server refused.

        TooMuchError: it refused because the answer would be too large.
        """
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
        """The error message, shortened to the words about the size: VictoriaMetrics puts a long text before them."""
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
    """The PromQL selector that matches series with these labels."""
    return "{" + ",".join(f"{name}={_quote(value)}" for name, value in labels) + "}"


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def refused(error: ReceiverError, statuses: tuple[int, ...]) -> bool:
    """Whether the error is an answer with one of these statuses: the server does not know this kind of request."""
    return any(f" answered {status} " in str(error) for status in statuses)
