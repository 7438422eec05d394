"""The YAML file that configures the HTTP clients of Prometheus and its tools.

promfill supports a part of its format (prometheus/common: config/http_config.go). Any other key is an error: if it
were ignored silently, a push might go without the credentials that the user meant.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from promfill.errors import InputError
from promfill.net.credentials import check_header, check_line, read_secret
from promfill.net.destination import BasicAuth, Header, HttpConfig, Secret, Tls, TokenAuth

TLS_VERSIONS = ("TLS10", "TLS11", "TLS12", "TLS13")
_FIELD = "http_config_file"
_KEYS = frozenset(
    (
        "authorization",
        "basic_auth",
        "bearer_token",
        "bearer_token_file",
        "enable_http2",  # allows HTTP/2; HTTP/1.1 is allowed always
        "follow_redirects",
        "http_headers",
        "proxy_url",
        "tls_config",
    )
)
_TLS_KEYS = frozenset(("ca_file", "cert_file", "key_file", "server_name", "insecure_skip_verify", "min_version"))
_ELSEWHERE = {
    "oauth2": "get a token and set it under authorization",
    "sigv4": "send through a signing proxy and use its address",
    "azuread": "get a token and set it under authorization",
    "google_iam": "get a token and set it under authorization",
}


class _Section:
    """One mapping of the file: reads values, with messages that name file and key and never show a value."""

    def __init__(self, file: Path, name: str, values: object, allowed: Collection[str] | None) -> None:
        self._file, self._name = file, name
        if not isinstance(values, Mapping):
            raise InputError(f"{file}: {name or 'the file'} must be a mapping of names to values", field=_FIELD)
        self._values: Mapping[str, Any] = values
        for key in values:
            if allowed is not None and key not in allowed:
                raise self.error(str(key), f"is not supported: {_ELSEWHERE.get(str(key), 'remove it')}")

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def error(self, key: str, text: str) -> InputError:
        """The error for a key."""
        return InputError(f"{self._file}: {self._path(key)} {text}", field=_FIELD)

    def section(self, key: str, allowed: Collection[str] | None) -> _Section:
        """The mapping under a key, empty if it is missing. allowed: its names; None for any."""
        return _Section(self._file, self._path(key), self._values.get(key) or {}, allowed)

    def text(self, key: str) -> str:
        """The text of a key, empty if it is missing."""
        value = self._values.get(key, "")
        if not isinstance(value, str):
            raise self.error(key, "must be text")
        return value

    def texts(self, key: str) -> list[str]:
        """The list of texts of a key, empty if it is missing."""
        values = self._values.get(key) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self.error(key, "must be a list of texts")
        return values

    def flag(self, key: str, *, default: bool) -> bool:
        """The boolean of a key."""
        value = self.text(key).lower()
        if value not in ("", "true", "false"):
            raise self.error(key, "must be true or false")
        return value == "true" if value else default

    def path(self, key: str) -> Path | None:
        """The path of a key, relative to the folder of the file."""
        value = self.text(key)
        return self.resolve(value) if value else None

    def resolve(self, path: str) -> Path:
        """A path in the file, which is relative to the folder of the file."""
        return self._file.parent / path

    def secret(self, key: str) -> Secret | None:
        """The secret of a key, or of the file that ``<key>_file`` names."""
        value, file = self.text(key), self.path(f"{key}_file")
        if value and file:
            raise self.error(key, f"and {key}_file exclude each other: remove one")
        if file:
            return read_secret(file, f"{key}_file", field=_FIELD)
        return Secret(value) if value and check_line(value, f"{self._file}: {self._path(key)}", field=_FIELD) else None

    @property
    def title(self) -> str:
        """The section's name in messages."""
        return f"{self._file}: {self._name}"

    def _path(self, key: str) -> str:
        return f"{self._name}.{key}" if self._name else key


def read_http_config(file: Path) -> HttpConfig:
    """The settings of the client file. InputError names the file, and the key if one is wrong."""
    top = _Section(file, "", _load(file), _KEYS)
    top.flag("enable_http2", default=True)
    return HttpConfig(
        auth=_auth(top),
        headers=tuple(_headers(top.section("http_headers", None))),
        tls=_tls(top.section("tls_config", _TLS_KEYS)),
        proxy=_proxy(top),
        follow_redirects=top.flag("follow_redirects", default=True),
    )


def _load(file: Path) -> object:
    """The file as mappings, lists and texts: a password of digits stays text."""
    try:
        with file.open(encoding="utf-8") as stream:
            return yaml.load(stream, yaml.BaseLoader) or {}
    except OSError as error:
        words = f"{file} cannot be read: {error.strerror}"
        raise InputError.about(_FIELD, words, "check the path and its permissions") from None
    except UnicodeDecodeError:
        raise InputError.about(_FIELD, f"{file} is not text", "use a YAML file in UTF-8") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark else ""
        raise InputError.about(_FIELD, f"{file} is not valid YAML{where}", "fix the file") from None


def _auth(top: _Section) -> BasicAuth | TokenAuth | None:
    """basic_auth, authorization or bearer_token: at most one of them."""
    basic = top.section("basic_auth", ("username", "password", "password_file"))
    other = top.section("authorization", ("type", "credentials", "credentials_file"))
    token = top.secret("bearer_token")
    if sum((bool([*basic]), bool([*other]), token is not None)) > 1:
        raise top.error("basic_auth, authorization and bearer_token", "exclude each other: keep only one")
    if [*basic]:
        return BasicAuth(_username(basic), basic.secret("password") or Secret(""))
    if [*other]:
        return _authorization(other)
    return TokenAuth(token) if token else None


def _username(basic: _Section) -> str:
    username = basic.text("username")
    if not username or ":" in username or not username.isprintable():
        raise basic.error("username", "must be a single line, not empty, and without a colon")
    return username


def _authorization(section: _Section) -> TokenAuth:
    scheme, credentials = section.text("type").strip() or "Bearer", section.secret("credentials")
    check_line(scheme, f"{section.title}.type", field=_FIELD)
    if scheme.lower() == "basic":
        raise section.error("type", "must not be Basic: use basic_auth")
    if credentials is None:
        raise section.error("credentials", "are missing")
    return TokenAuth(credentials, scheme)


def _headers(headers: _Section) -> Iterator[Header]:
    """Every value of every header: plain values, secrets, and the contents of files."""
    for name in headers:
        header = headers.section(name, ("values", "secrets", "files"))
        where = header.title
        for value in (*header.texts("values"), *header.texts("secrets")):
            yield check_header(name, value, where, field=_FIELD)
        for path in header.texts("files"):
            secret = read_secret(header.resolve(path), where, field=_FIELD)
            yield check_header(name, secret.reveal(), where, field=_FIELD)


def _tls(section: _Section) -> Tls:
    version = section.text("min_version")
    if version and version not in TLS_VERSIONS:
        raise section.error("min_version", f"must be one of {', '.join(TLS_VERSIONS)}")
    return Tls(
        ca=section.path("ca_file"),
        cert=section.path("cert_file"),
        key=section.path("key_file"),
        server_name=section.text("server_name") or None,
        insecure=section.flag("insecure_skip_verify", default=False),
        min_version=version or None,
    )


def _proxy(top: _Section) -> Secret | None:
    url = top.text("proxy_url")
    if url and not url.startswith(("http://", "https://")):
        raise top.error("proxy_url", "must begin with http:// or https://")
    return Secret(url) if url else None
