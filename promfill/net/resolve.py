"""Options, files and environment to a `Destination`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

from promfill.errors import InputError
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
    option: str = "--remote-write-url",
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
    environment: Mapping[str, str] = os.environ,
) -> Destination:
    """The destination that the options say; `option` is the name of the one that holds the URL.

    InputError: a URL that is none, a file that cannot be read, credentials given twice, a header that is none or ours.
    """
    address, url_user, url_password = split_url(url, option)
    http = HttpConfig()
    if http_config_file is not None:
        from promfill.net.http_config import read_http_config

        http = read_http_config(Path(http_config_file))
    if url_user is not None and username is not None:
        raise InputError(f"--username and the user in {option} exclude each other", "leave one out")
    own = [parse_header(header) for header in headers]
    basic = _basic_auth(username or url_user, password_file, url_password or environment.get(PASSWORD_VARIABLE))
    auth = _only_one(
        {
            f"--username (or a user in {option})": basic,
            f"--bearer-token-file (or {TOKEN_VARIABLE})": _token_auth(
                bearer_token_file, environment.get(TOKEN_VARIABLE)
            ),
            f"the credentials in {http_config_file}": http.auth,
            "the header Authorization": _find(own, "Authorization"),
        }
    )
    if tenant is not None and _find([*http.headers, *own], TENANT_HEADER):
        raise InputError(f"--tenant and the header {TENANT_HEADER} exclude each other", "leave one out")
    config = replace(
        http,
        auth=None if isinstance(auth, Secret) else auth,
        headers=(*(header for header in http.headers if not _find(own, header[0])), *own),
        tls=_tls(http.tls, tls_ca, tls_cert, tls_key, tls_insecure),
    )
    return Destination(address, check_line(tenant, "--tenant"), config)


def parse_header(text: str) -> Header:
    """Name and value of ``K: V``; InputError where it is none, or one of those that promfill sets itself."""
    name, colon, value = text.partition(":")
    name = name.strip()
    if not colon or not _HEADER_NAME.fullmatch(name):
        raise InputError("--header must be 'Name: value', the name of letters, digits and hyphens")
    return check_header(name, value.strip(), f"--header {name}")


def split_url(url: str, option: str) -> tuple[str, str | None, str | None]:
    """The URL without its user and password, and these two; InputError, which names the option, where it is none."""
    url = url.strip()
    harmless = url.rpartition("@")[2].partition("?")[0]
    if "://" not in url:
        raise InputError(f"{option} {harmless!r} has no scheme", "put http:// or https:// before it")
    try:
        parts = urlsplit(url)
        whole = bool(parts.hostname) and parts.port != 0 and not re.search(r"[\s\x00-\x1f]", url)
    except ValueError:
        whole = False
    if not whole:
        raise InputError(f"{option} {harmless!r} is no URL", "write it as https://host:port/path")
    if parts.scheme not in ("http", "https"):
        raise InputError(f"{option} {show_url(url)!r} must begin with http:// or https://")
    user, password = (None if part is None else unquote(part) for part in (parts.username, parts.password))
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=netloc, fragment="")), user or None, password or None


def _basic_auth(username: str | None, password_file: PathLike | None, password: str | None) -> BasicAuth | None:
    if username is None:
        if password_file is not None:
            raise InputError("--password-file needs --username beside it")
        return None
    if ":" in username or not username:
        raise InputError("--username must be neither empty nor hold a colon: basic authentication cannot carry that")
    if password_file is not None:
        return BasicAuth(username, read_secret(Path(password_file), "--password-file"))
    if not password:
        raise InputError("--username needs a password", f"give --password-file, or set {PASSWORD_VARIABLE}")
    return BasicAuth(username, Secret(password))


def _token_auth(token_file: PathLike | None, token: str | None) -> TokenAuth | None:
    if token_file is not None:
        return TokenAuth(read_secret(Path(token_file), "--bearer-token-file"))
    if not token:
        return None
    check_line(token, TOKEN_VARIABLE)
    return TokenAuth(Secret(token.strip()))


def _only_one(candidates: Mapping[str, Auth | None]) -> Auth | None:
    given = {name: auth for name, auth in candidates.items() if auth is not None}
    if len(given) > 1:
        raise InputError(f"{' and '.join(given)} exclude each other", "leave one out")
    return next(iter(given.values()), None)


def _tls(tls: Tls, ca: PathLike | None, cert: PathLike | None, key: PathLike | None, insecure: bool) -> Tls:
    """The file's settings under those of the command line."""
    merged = replace(
        tls,
        ca=tls.ca if ca is None else Path(ca),
        cert=tls.cert if cert is None else Path(cert),
        key=tls.key if key is None else Path(key),
        insecure=tls.insecure or insecure,
    )
    if (merged.cert is None) != (merged.key is None):
        raise InputError("a client certificate needs both --tls-cert and --tls-key")
    return merged


def _find(headers: Iterable[Header], name: str) -> Secret | None:
    return next((value for key, value in headers if key.lower() == name.lower()), None)
