"""The HTTP client for all servers: httpx, plus what it lacks.

    make_client(destination) -> HttpClient.request(…) -> httpx.Response, or a ReceiverError of one line

- A request has one deadline for all of it. httpx's timeouts are per read: a slow trickle of bytes never reaches them.
- Redirects are followed only within the same server, so that no other server gets our credentials.
- Errors of httpx and the network become one-line messages that name the server and the fix, with secrets masked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import httpx

from promfill._version import __version__
from promfill.errors import InputError, ReceiverError, RefusedError, setting
from promfill.net.deadline import Watch
from promfill.net.destination import TENANT_HEADER, Destination, show_url
from promfill.net.http_answers import first_words, is_html, passing, read_whole, text_of
from promfill.net.http_failures import CONNECT_SECONDS, Failure, explain_failure, explain_timeout, speaks_tls
from promfill.net.tls import tls_context

MAX_REDIRECTS = 5
LONGEST_TEXT = 300

_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_NO_TENANT = "no org id"
"""What Mimir, Cortex, Loki and similar servers answer (401) to a request without a tenant."""
_PLAIN_TO_TLS = ("HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port")
"""What Go's servers and nginx answer (400) to plain HTTP on a TLS port."""
_TENANT_FIX = f"this server has several tenants: set {setting('tenant')}"
_TLS_FIX = "this port expects TLS: try https://"
_FIXES = {
    401: "check the user and password, or the token",
    403: "check the permissions of these credentials, and the tenant",
    407: "the proxy requires credentials: set them in its URL",
}


class NoAnswerError(ReceiverError):
    """A request got no answer. `may_have_arrived`: the server may have processed it anyway."""

    code = "no-answer"

    def __init__(self, problem: str, fix: str = "", *, may_have_arrived: bool) -> None:
        super().__init__(problem, fix)
        self.may_have_arrived = may_have_arrived


class UnreachableError(NoAnswerError, RefusedError):
    """No answer, and a retry will not get one: TLS to a plain port, an unknown host, a bad certificate."""


class NoTenantError(RefusedError):
    """The server has several tenants and the request named none: every other request would fail in the same way."""


class HttpClient:
    """Sends requests to one destination, one at a time: for several at once, use a client for each."""

    def __init__(self, destination: Destination, timeout: float) -> None:
        self.destination = destination
        self._timeout = timeout
        self._watch = Watch()
        self._answered = False
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
        """The whole answer, whatever its status. url: None for the destination's own. timeout: seconds.

        NoAnswerError if none came in time; ReceiverError if it is a redirect that must not be followed, or too large.
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
        """As `request`, with the body still to be read. The deadline and the error messages also cover the reading."""
        target, seconds = httpx.URL(url or self.destination.url), timeout or self._timeout
        with self._watch.within(seconds):
            try:
                response = self._send(method, target, content, headers)
                try:
                    yield response
                finally:
                    response.close()
            except httpx.HTTPError as error:
                raise self._no_answer(error, target, seconds) from error
            if (
                self._watch.passed
            ):  # an answer without a length ends with its connection: it looks complete when we close that
                raise NoAnswerError(*explain_timeout(target, seconds)[:2], may_have_arrived=True)

    def check(self, response: httpx.Response) -> None:
        """ReceiverError unless it is a success from the service itself."""
        if not self.is_good(response):
            raise self.error(response)

    def error(self, response: httpx.Response, fix: str | None = None) -> ReceiverError:
        """The error for an answer that is not a success: RefusedError if a retry would get the same answer.

        fix: what to do, if the caller knows more than the status says.
        """
        kind = ReceiverError if passing(response.status_code) else RefusedError
        if self.fix(response) == _TENANT_FIX:
            kind = NoTenantError
        return kind(self.problem(response), fix or self.fix(response))

    def is_good(self, response: httpx.Response) -> bool:
        """Whether it is a success from the service itself; an HTML page is not a valid answer."""
        return response.is_success and not is_html(response)

    def explain(self, response: httpx.Response) -> str:
        """One line: the URL, the status, the server's message, and the fix if one is known."""
        fix = self.fix(response)
        return f"{self.problem(response)}{f' ({fix})' if fix else ''}"

    def problem(self, response: httpx.Response) -> str:
        """The URL, the status and the server's message."""
        said = self.words(response)
        answer = f"{show_url(str(response.url))} answered {response.status_code} {response.reason_phrase}".rstrip()
        return self.destination.mask(f"{answer}{': ' if said else ''}{said}")

    def fix(self, response: httpx.Response) -> str:
        """What to do about an answer; empty if that depends on the request."""
        if response.status_code in (400, 401) and _NO_TENANT in text_of(response):
            return _TENANT_FIX
        if response.status_code == 400 and any(words in text_of(response) for words in _PLAIN_TO_TLS):
            return _TLS_FIX
        return _FIXES.get(response.status_code, "")

    def words(self, response: httpx.Response) -> str:
        """The server's message on one line, shortened, without our secrets; for an HTML page its title."""
        line = first_words(response, self.destination.mask)
        return line if len(line) <= LONGEST_TEXT else line[: LONGEST_TEXT - 1] + "…"

    def break_off(self) -> None:
        """End the request that another thread is waiting for, as if its deadline had passed, and all later ones."""
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
        """The first answer that is not a redirect."""
        for _ in range(MAX_REDIRECTS + 1):
            request = self._client.build_request(
                method, url, content=content, headers=headers, extensions=self._extensions
            )
            response = self._client.send(request, stream=True)
            self._answered = True
            if not response.has_redirect_location:
                return response
            response.close()
            url = self._follow(response, method)
        raise RefusedError(f"{show_url(str(url))} redirects in a loop", "use the final address")

    def _no_answer(self, error: httpx.HTTPError, target: httpx.URL, seconds: float) -> NoAnswerError:
        """The error for a failed request."""
        if self._watch.passed:
            failure = explain_timeout(target, seconds)
        else:
            failure = explain_failure(error, target, min(seconds, self._timeout))
            if isinstance(error, httpx.RemoteProtocolError | httpx.ReadError) and self._meets_tls(target):
                failure = Failure(failure.problem, _TLS_FIX, is_final=True)
        is_final = failure.is_final and not self._answered  # the server has answered before, so it may answer again
        problem, fix = map(self.destination.mask, failure[:2])
        if is_final:
            return UnreachableError(problem, fix, may_have_arrived=False)
        return NoAnswerError(problem, fix, may_have_arrived=not isinstance(error, _NOT_SENT))

    def _meets_tls(self, target: httpx.URL) -> bool:
        """Whether a server that closed the connection on our first plain HTTP request expects TLS."""
        if self._answered or target.scheme != "http" or self.destination.http.proxy:
            return False
        return speaks_tls(target.host, target.port or 80)

    def _follow(self, response: httpx.Response, method: str) -> httpx.URL:
        """The redirect's URL, on the same server. RefusedError: another server, or the request would lose its body."""
        here = response.request.url
        there = here.join(response.headers["Location"])
        keeps_body = response.status_code in (307, 308) or method == "GET"
        same = (here.scheme, here.host, here.port) == (there.scheme, there.host, there.port)
        if not (same and keeps_body and self.destination.http.follow_redirects):
            to = self.destination.mask(show_url(str(there)))
            status = f"{response.status_code} {response.reason_phrase}"
            raise RefusedError(
                f"{show_url(str(here))} redirects to {to} ({status})", "use that address if it is the right server"
            )
        return there


def make_client(destination: Destination, timeout: float = 30.0) -> HttpClient:
    """A client whose requests may take `timeout` seconds each. InputError: a TLS file or a proxy is unusable."""
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
    """The headers of every request."""
    pairs = [("User-Agent", f"promfill/{__version__}")]
    if destination.http.auth:
        pairs.append(("Authorization", destination.http.auth.header.reveal()))
    if destination.tenant is not None:
        pairs.append((TENANT_HEADER, destination.tenant))
    pairs += ((name, value.reveal()) for name, value in destination.http.headers)
    return [(name.encode(), value.encode()) for name, value in pairs]
