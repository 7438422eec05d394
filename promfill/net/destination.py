"""A server and our credentials for it. Nothing here shows a secret by accident.

Secrets are kept in `Secret`, which prints as dots; what a server says is passed through `Destination.mask` before
anybody sees it.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from promfill.errors import setting

TENANT_HEADER = "X-Scope-OrgID"

_MASK = "•••"
_SHORTEST_MASKED = 4  # characters of a possible secret: masking every "1" of an answer would make it unreadable


class Secret:
    """Text that only `reveal` shows."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself: to be sent, never to be shown."""
        return self._text

    def __repr__(self) -> str:
        return _MASK

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)


Header = tuple[str, Secret]
"""Name and value. The values of the user's headers are never shown: they may be secrets."""


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User and password."""

    username: str
    password: Secret

    @property
    def header(self) -> Secret:
        """The value of the header Authorization."""
        pair = f"{self.username}:{self.password.reveal()}"
        return Secret("Basic " + base64.b64encode(pair.encode()).decode())


@dataclass(frozen=True, slots=True)
class TokenAuth:
    """A token, of the scheme Bearer by default."""

    token: Secret
    scheme: str = "Bearer"

    @property
    def header(self) -> Secret:
        """The value of the header Authorization."""
        return Secret(f"{self.scheme} {self.token.reveal()}")


Auth = BasicAuth | TokenAuth | Secret
"""Credentials of any kind; the last is a ready-made header Authorization."""


@dataclass(frozen=True, slots=True)
class Tls:
    """CA bundle, client certificate and client key. `server_name` replaces the URL's host in the certificate check."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    server_name: str | None = None
    insecure: bool = False
    min_version: str | None = None  # TLS10 … TLS13


@dataclass(frozen=True, slots=True)
class HttpConfig:
    """The settings of Prometheus's HTTP client file (`promfill.net.http_config`); each of them may be missing."""

    auth: BasicAuth | TokenAuth | None = None
    headers: tuple[Header, ...] = ()
    tls: Tls = Tls()
    proxy: Secret | None = None
    follow_redirects: bool = True


@dataclass(frozen=True, slots=True, repr=False)
class Destination:
    """A server and how to connect to it. Printed, it is only the address."""

    url: str  # without user and password; its query may hold a secret
    tenant: str | None = None
    http: HttpConfig = HttpConfig()

    def __str__(self) -> str:
        return show_url(self.url)

    def __repr__(self) -> str:
        return f"Destination({self})"

    @property
    def warnings(self) -> list[str]:
        """Warnings to show to the user before anything is sent."""
        if not self.http.tls.insecure:
            return []
        why = setting("tls_insecure")
        return [f"TLS certificates of {self} are not checked ({why}): others on the network can read and answer"]

    def mask(self, text: str) -> str:
        """The text with our secrets replaced by dots."""
        for secret in sorted(self._secrets(), key=len, reverse=True):
            text = text.replace(secret, _MASK)
        return text

    def _secrets(self) -> Iterator[str]:
        http = self.http
        if http.auth:
            credentials = http.auth.password if isinstance(http.auth, BasicAuth) else http.auth.token
            yield from filter(None, (credentials.reveal(), http.auth.header.reveal().split(" ", 1)[1]))
        maybe = [value.reveal() for _, value in http.headers]
        maybe += [part.partition("=")[2] for part in urlsplit(self.url).query.split("&")]
        if http.proxy:
            maybe.append(urlsplit(http.proxy.reveal()).password or "")
        yield from (text for text in maybe if len(text) >= _SHORTEST_MASKED)


def show_url(url: str) -> str:
    """A URL without user, password and query, safe to show. A text that is not a URL is not shown."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "…"
    shown = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))
    return f"{shown}?…" if parts.query else shown
