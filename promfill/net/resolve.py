"""Builds a `Destination` from settings, files and a mapping of secrets, such as the environment."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from urllib.parse import unquote, urlsplit, urlunsplit

from promfill.errors import InputError, setting
from promfill.net.credentials import check_header, check_line, read_secret
from promfill.net.destination import (
    TENANT_HEADER,
    Auth,
    BasicAuth,
    Destination,
    Header,
    HttpConfig,
    Secret,
    Tls,
    TokenAuth,
    show_url,
)

PASSWORD_VARIABLE = "PROMFILL_PASSWORD"  # noqa: S105  (its name)
TOKEN_VARIABLE = "PROMFILL_BEARER_TOKEN"  # noqa: S105

PathLike = str | Path

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


def build_destination(
    url: str,
    *,
    field: str = "remote_write_url",
    username: str | None = None,
    password_file: PathLike | None = None,
    bearer_token_file: PathLike | None = None,
    headers: Iterable[str] = (),
    tenant: str | None = None,
    tls_ca: PathLike | None = None,
    tls_cert: PathLike | None = None,
    tls_key: PathLike | None = None,
    tls_insecure: bool = False,
    http_config_file: PathLike | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Destination:
    """The destination for these settings. field: the setting that holds the URL, "" if none does.

    InputError: an invalid URL, an unreadable file, credentials given twice, an invalid header, one that promfill sets.
    """
    address, url_user, url_password = split_url(url, field)
    address_name = _name(field)
    http = HttpConfig()
    if http_config_file is not None:
        from promfill.net.http_config import read_http_config

        http = read_http_config(Path(http_config_file))
    if url_user is not None and username is not None:
        raise InputError.about("username", f"and the user in {address_name} exclude each other", "leave one out")
    own = [parse_header(header) for header in headers]
    basic = _basic_auth(username or url_user, password_file, url_password or environment.get(PASSWORD_VARIABLE))
    token = _token_auth(bearer_token_file, environment.get(TOKEN_VARIABLE))
    auth = _only_one(
        ("username", f"{setting('username')} (or a user in {address_name})", basic),
        ("bearer_token_file", f"{setting('bearer_token_file')} (or {TOKEN_VARIABLE})", token),
        ("http_config_file", f"the credentials in {http_config_file}", http.auth),
        ("headers", "the header Authorization", _find(own, "Authorization")),
    )
    if tenant is not None and _find([*http.headers, *own], TENANT_HEADER):
        raise InputError.about("tenant", f"and the header {TENANT_HEADER} exclude each other", "leave one out")
    config = replace(
        http,
        auth=None if isinstance(auth, Secret) else auth,
        headers=(*(header for header in http.headers if not _find(own, header[0])), *own),
        tls=_tls(http.tls, tls_ca, tls_cert, tls_key, tls_insecure),
    )
    return Destination(address, check_line(tenant, setting("tenant"), field="tenant"), config)


def parse_header(text: str) -> Header:
    """Name and value of ``K: V``. InputError if it is not valid, or a header that promfill sets itself."""
    name, colon, value = text.partition(":")
    name = name.strip()
    if not colon or not _HEADER_NAME.fullmatch(name):
        raise InputError.about("headers", "must be 'Name: value'; the name has letters, digits and hyphens")
    return check_header(name, value.strip(), f"{setting('headers')} {name}", field="headers")


def _name(field: str) -> str:
    """The name of the setting that holds an address, for messages."""
    return setting(field) if field else "the address"


def split_url(url: str, field: str) -> tuple[str, str | None, str | None]:
    """The URL without its user and password, and these two. InputError, with the field, if it is not valid.

    field: the setting that holds it, "" if none does.
    """
    name = _name(field)
    url = url.strip()
    harmless = url.rpartition("@")[2].partition("?")[0]
    if "://" not in url:
        raise InputError(f"{name} {harmless!r} has no scheme", "begin it with http:// or https://", field=field)
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f]", url)
    except ValueError:
        whole = False
    if not whole:
        raise InputError(f"{name} {harmless!r} is not a valid URL", "write it as https://host:port/path", field=field)
    if parts.scheme not in ("http", "https"):
        raise InputError(f"{name} {show_url(url)!r} must begin with http:// or https://", field=field)
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=netloc, fragment="")), user or None, password or None


def _basic_auth(username: str | None, password_file: PathLike | None, password: str | None) -> BasicAuth | None:
    if username is None:
        if password_file is not None:
            raise InputError.about("password_file", f"works only together with {setting('username')}")
        return None
    if ":" in username or not username:
        words = "must not be empty or contain a colon: basic authentication does not allow it"
        raise InputError.about("username", words)
    if password_file is not None:
        return BasicAuth(username, read_secret(Path(password_file), setting("password_file"), field="password_file"))
    if not password:
        fix = f"set {setting('password_file')} or {PASSWORD_VARIABLE}"
        raise InputError.about("username", "needs a password", fix)
    return BasicAuth(username, Secret(password))


def _token_auth(token_file: PathLike | None, token: str | None) -> TokenAuth | None:
    if token_file is not None:
        return TokenAuth(read_secret(Path(token_file), setting("bearer_token_file"), field="bearer_token_file"))
    if not token:
        return None
    check_line(token, TOKEN_VARIABLE, field="bearer_token_file")
    return TokenAuth(Secret(token.strip()))


def _only_one(*candidates: tuple[str, str, Auth | None]) -> Auth | None:
    """The only credentials among the candidates (field, name, credentials or None)."""
    given = [(field, name, auth) for field, name, auth in candidates if auth is not None]
    if len(given) > 1:
        names = " and ".join(name for _, name, _ in given)
        raise InputError(f"{names} exclude each other", "leave one out", field=given[0][0])
    return given[0][2] if given else None


def _tls(tls: Tls, ca: PathLike | None, cert: PathLike | None, key: PathLike | None, insecure: bool) -> Tls:
    """The TLS settings of the file, overridden by those of the command line."""
    merged = replace(
        tls,
        ca=tls.ca if ca is None else Path(ca),
        cert=tls.cert if cert is None else Path(cert),
        key=tls.key if key is None else Path(key),
        insecure=tls.insecure or insecure,
    )
    if (merged.cert is None) != (merged.key is None):
        missing = "tls_cert" if merged.cert is None else "tls_key"
        raise InputError(
            f"a client certificate needs both {setting('tls_cert')} and {setting('tls_key')}", field=missing
        )
    return merged


def _find(headers: Iterable[Header], name: str) -> Secret | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)
