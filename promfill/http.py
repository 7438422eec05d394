"""The HTTP client of everything that speaks to a server: httpx, and what it lacks.

    make_client(destination) -> HttpClient.request(…) -> httpx.Response, or a ReceiverError of one line

- A request has one deadline for all of it. httpx's timeouts are per read: an answer that drips outlives them.
- A redirect is followed on the same server alone, so that no credential can reach another.
- What goes wrong below is said here once, in words that name the server and the mend, with secrets masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from promfill._version import __version__
from promfill.deadline import Watch
from promfill.destination import TENANT_HEADER, Destination, show_url
from promfill.errors import InputError, ReceiverError
from promfill.http_answers import gist, is_html, read_whole
from promfill.http_failures import CONNECT_SECONDS, describe_failure, describe_timeout
from promfill.tls import tls_context

MAX_REDIRECTS = 5
LONGEST_TEXT = 300

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_MENDS = {
    401: "check the user and password, or the token",
    403: "these credentials may not do this: check their rights and the tenant",
    407: "the proxy wants credentials: give them in its URL",
}


class NoAnswerError(ReceiverError):
    """A request that got no answer. `may_have_arrived`: the server may have acted on it all the same."""

    code = "no-answer"

    def __init__(self, message: str, *, may_have_arrived: bool) -> None:
        super().__init__(message)
        self.may_have_arrived = may_have_arrived


class HttpClient:
    """Speaks to one destination, one request at a time: whoever wants several at once has a client for each."""

    def __init__(self, destination: Destination, timeout: float) -> None:
        self.destination = destination
        self._timeout = timeout
        self._watch = Watch()
        self._extensions: dict[str, Any] = {"trace": self._watch.trace}
        if destination.http.tls.server_name:
            self._extensions["sni_hostname"] = destination.http.tls.server_name
        self._client = _open_client(destination, timeout)

    def request(
        self,
        method: str,
        url: str | None = None,
        *,
        content: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> httpx.Response:
        """The whole answer, whatever its status. `url` None is the destination's own; `timeout` in seconds.

        NoAnswerError where none came in time; ReceiverError where it is a redirect that must not be followed, or too
        large.
        """
        with self.stream(method, url, content=content, headers=headers, timeout=timeout) as response:
            return read_whole(response)

    @contextmanager
    def stream(
        self,
        method: str,
        url: str | None = None,
        *,
        content: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> Iterator[httpx.Response]:
        """As `request`, with the body still to be read; the deadline and the words for failures hold until the end."""
        target, seconds = httpx.URL(url or self.destination.url), timeout or self._timeout
        with self._watch.within(seconds):
            try:
                response = self._send(method, target, content, headers)
                try:
                    yield response
                finally:
                    response.close()
            except httpx.HTTPError as error:
                if self._watch.passed:
                    message = describe_timeout(target, seconds)
                else:
                    message = self.destination.mask(describe_failure(error, target, min(seconds, self._timeout)))
                raise NoAnswerError(message, may_have_arrived=not isinstance(error, _NOT_SENT)) from error
            if self._watch.passed:  # an answer that ends with its connection looks whole when we cut it
                raise NoAnswerError(describe_timeout(target, seconds), may_have_arrived=True)

    def check(self, response: httpx.Response) -> None:
        """ReceiverError for whatever is not a good answer of the service that was asked."""
        if not self.is_good(response):
            raise ReceiverError(self.explain(response))

    def is_good(self, response: httpx.Response) -> bool:
        """Whether it is a good answer of the service that was asked: a page for people is none."""
        return response.is_success and not is_html(response)

    def explain(self, response: httpx.Response) -> str:
        """One line: who answered what, in its own words, and the mend where the status tells it."""
        said = self.words(response)
        mend = _MENDS.get(response.status_code)
        answer = f"{show_url(str(response.url))} answered {response.status_code} {response.reason_phrase}".rstrip()
        return self.destination.mask(f"{answer}{': ' if said else ''}{said}{f' ({mend})' if mend else ''}")

    def words(self, response: httpx.Response) -> str:
        """What the server says, on one line and not too long, without our secrets; of an HTML page the title."""
        line = gist(response, self.destination.mask)
        return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"

    def break_off(self) -> None:
        """End the request that another thread is waiting for, as if its time had passed, and any that follows."""
        self._watch.end()

    def close(self) -> None:
        """Close the connection."""
        self._watch.close()
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(
        self, method: str, url: httpx.URL, content: bytes | Iterable[bytes] | None, headers: Mapping[str, str] | None
    ) -> httpx.Response:
        """The first answer that is no redirect."""
        for _ in range(MAX_REDIRECTS + 1):
            request = self._client.build_request(
                method, url, content=content, headers=headers, extensions=self._extensions
            )
            response = self._client.send(request, stream=True)
            if not response.has_redirect_location:
                return response
            response.close()
            url = self._follow(response, method)
        raise ReceiverError(f"{show_url(str(url))} redirects in a circle: give the address that answers")

    def _follow(self, response: httpx.Response, method: str) -> httpx.URL:
        """The place to go on, on the same server. ReceiverError: elsewhere, or with the body lost on the way."""
        here = response.request.url
        there = here.join(response.headers["Location"])
        keeps_body = response.status_code in (307, 308) or method == "GET"
        same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
        if not (same and keeps_body and self.destination.http.follow_redirects):
            to = self.destination.mask(show_url(str(there)))
            status = f"{response.status_code} {response.reason_phrase}"
            raise ReceiverError(f"{show_url(str(here))} redirects to {to} ({status}): give that address if it is meant")
        return there


def make_client(destination: Destination, timeout: float = 30.0) -> HttpClient:
    """A client whose requests may take `timeout` seconds each. InputError: a TLS file or proxy that cannot be used."""
    return HttpClient(destination, timeout)


def _open_client(destination: Destination, timeout: float) -> httpx.Client:
    proxy = destination.http.proxy
    context = tls_context(destination)
    try:
        httpx.URL(destination.url)
        return httpx.Client(
            headers=_headers(destination),
            verify=context,
            proxy=proxy.reveal() if proxy else None,
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_SECONDS)),
        )
    except (ValueError, ImportError, httpx.InvalidURL) as error:
        raise InputError(destination.mask(f"{destination} or its proxy cannot be used: {error}")) from None


def _headers(destination: Destination) -> list[tuple[bytes, bytes]]:
    """What every request carries."""
    pairs = [("User-Agent", f"promfill/{__version__}")]
    if destination.http.auth:
        pairs.append(("Authorization", destination.http.auth.header.reveal()))
    if destination.tenant is not None:
        pairs.append((TENANT_HEADER, destination.tenant))
    pairs += ((name, value.reveal()) for name, value in destination.http.headers)
    return [(name.encode(), value.encode()) for name, value in pairs]
