"""Servers: their addresses, credentials and TLS settings, and checks of these values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Protocol

from promfill.api.names import python_names
from promfill.api.values import Duration, FrozenDict, duration_ms, flag, path, seconds, text, whole
from promfill.errors import InputError
from promfill.net.destination import Secret, show_url
from promfill.net.resolve import parse_header, split_url
from promfill.operations import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """TLS settings: how to check the server's certificate, and an optional client certificate.

    ca: a CA bundle (PEM file) to trust instead of the default one. cert, key: PEM files of a client certificate and its
    key, both or neither. insecure: do not check the server's certificate.

    >>> RemoteWrite("https://mimir.example.com/api/v1/push", tls=Tls(ca="ca.pem"))
    RemoteWrite('https://mimir.example.com/api/v1/push')
    """

    ca: str | Path | None = None
    cert: str | Path | None = None
    key: str | Path | None = None
    insecure: bool = False

    def __post_init__(self) -> None:
        for name in ("ca", "cert", "key"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, path(getattr(self, name), f"tls.{name}"))
        flag(self.insecure, "tls.insecure")
        if (self.cert is None) != (self.key is None):
            missing = "key" if self.key is None else "cert"
            raise InputError("a client certificate needs both cert and key", f"give {missing}", field=f"tls.{missing}")


@dataclass(frozen=True, repr=False)
class Server:
    """The settings that `RemoteWrite`, `Store` and `Mimir` have in common: an address and credentials.

    url: http or https; a user and password in it are used as `auth`. auth: (user, password). token: a bearer token,
    instead of auth. tenant: sent as X-Scope-OrgID. headers: sent with every request. tls: a `Tls`. timeout: how long to
    wait for one answer. InputError, with the field: a value is not valid, or cannot be sent.
    """

    url: str = field(repr=False)
    _: KW_ONLY
    auth: tuple[str, str] | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    tenant: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls: Tls = Tls()
    timeout: Duration = "30s"

    def __post_init__(self) -> None:
        _check_server(self)
        object.__setattr__(self, "headers", FrozenDict(self.headers))

    def __repr__(self) -> str:
        tenant = "" if self.tenant is None else f", tenant={self.tenant!r}"
        return f"{type(self).__name__}({show_url(self.url)!r}{tenant})"

    def _server(self) -> settings.Server:
        """Convert to the settings that operations take."""
        with python_names():
            url, user, password = split_url(self.url, "url")
        if self.auth is not None:
            user, password = self.auth
        credentials = settings.Credentials(
            username=user,
            password=None if password is None else Secret(password),
            bearer_token=None if self.token is None else Secret(self.token),
            headers=tuple(f"{name}: {value}" for name, value in self.headers.items()),
            tenant=self.tenant,
            tls_ca=_path(self.tls.ca),
            tls_cert=_path(self.tls.cert),
            tls_key=_path(self.tls.key),
            tls_insecure=self.tls.insecure,
        )
        return settings.Server(url, credentials, timeout=seconds(self.timeout, "timeout"))


@dataclass(frozen=True, repr=False)
class Store(Server):
    """The query API of a store, to read samples back. `url` is the part of the address before ``/api/v1``.

    >>> Store("http://127.0.0.1:9090", auth=("user", "secret"))
    Store('http://127.0.0.1:9090')
    """


@dataclass(frozen=True, repr=False)
class Mimir(Server):
    """A Mimir that accepts uploads of blocks. `url` is its base address.

    concurrency: how many blocks to send at once, None to choose automatically. retry_for: how long to retry one
    request.

    >>> Mimir("https://mimir.example.com", tenant="team-a")
    Mimir('https://mimir.example.com', tenant='team-a')
    """

    concurrency: int | None = None
    retry_for: Duration = "5m"

    def __post_init__(self) -> None:
        Server.__post_init__(self)
        check_sending(self)
        if "?" in self.url:
            raise InputError("url is the base address of a Mimir, without a query", "leave it out", field="url")

    def _upload(self, *, keep: bool) -> settings.Upload:
        lanes, retry_for = self.concurrency, seconds(self.retry_for, "retry_for")
        return settings.Upload(self._server(), lanes=lanes, retry_for=retry_for, keep=keep)


def as_store(store: object, field: str = "store") -> settings.Server | None:
    """The settings of a `Store`, which may be given as an address; None for None."""
    if store is None:
        return None
    if isinstance(store, str):
        store = Store(store)
    if not isinstance(store, Store):
        raise InputError(f"{field} {store!r} is not a pf.Store", "give one, or its address", field=field)
    return store._server()


def _path(value: str | Path | None) -> Path | None:
    return None if value is None else Path(value)


def _check_server(server: Server) -> None:
    text(server.url, "url")
    with python_names():
        _, user, password = split_url(server.url, "url")
    if user is not None and password is None:
        raise InputError("url has a user and no password", "give auth=(user, password)", field="auth")
    _check_auth(server, user)
    for name in ("token", "tenant"):
        value = getattr(server, name)
        if value is not None and not (_hidden_text(value, name) and value.isprintable()):
            raise InputError(f"{name} must be one line of printable characters, and not empty", field=name)
    if not isinstance(server.headers, Mapping):
        raise InputError("headers must be a mapping of names to values", field="headers")
    for name, value in server.headers.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InputError(f"header {name!r} and its value must be texts (str)", field="headers")
        with python_names(header="headers"):
            parse_header(f"{name}: {value}")
        _check_header_is_free(server, name)
    if not isinstance(server.tls, Tls):
        raise InputError(f"tls {server.tls!r} is not a pf.Tls", "use pf.Tls(ca=…)", field="tls")
    duration_ms(server.timeout, "timeout")


def _check_auth(server: Server, user: str | None) -> None:
    if server.auth is not None:
        if not isinstance(server.auth, tuple) or [type(part) for part in server.auth] != [str, str]:
            raise InputError("auth must be a tuple of two texts: (user, password)", field="auth")
        if not all(server.auth) or ":" in server.auth[0]:
            fix = "the user must not hold a colon, and neither may be empty"
            raise InputError("auth cannot be sent by basic authentication", fix, field="auth")
        if user is not None:
            raise InputError("auth and the user in url exclude each other", "leave one out", field="auth")
    if server.token is not None and (server.auth is not None or user is not None):
        raise InputError("token and auth exclude each other", "leave one out", field="token")


def _check_header_is_free(server: Server, name: str) -> None:
    if name.lower() == "authorization" and (server.auth or server.token):
        raise InputError("headers holds Authorization beside auth or token", "leave one out", field="headers")
    if name.lower() == "x-scope-orgid" and server.tenant is not None:
        raise InputError("headers holds X-Scope-OrgID beside tenant", "leave one out", field="headers")


def _hidden_text(value: object, field: str) -> str:
    """Check that this is a str. The error does not show the value, because it may be a secret."""
    if not isinstance(value, str):
        raise InputError(f"{field} must be a text (str), not {type(value).__name__}", field=field)
    return value


class Sending(Protocol):
    """A target that is sent in several concurrent requests."""

    @property
    def concurrency(self) -> int | None:
        """How many requests may be in flight at once; None to choose automatically."""

    @property
    def retry_for(self) -> Duration:
        """How long to retry one request."""


def check_sending(server: Sending) -> None:
    """Check concurrency and retry_for. InputError, with the field: a value is not valid."""
    if server.concurrency is not None:
        whole(server.concurrency, "concurrency", 1, 256)
    duration_ms(server.retry_for, "retry_for")
