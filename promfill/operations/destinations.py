"""Turns the servers in the settings into destinations. The address is the given one, or comes from CDO."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from promfill.errors import InputError, setting
from promfill.operations.settings import Cdo, Credentials, Server

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.net.http import HttpClient
    from promfill.operations.notices import Notices
    from promfill.stores.api import Api
    from promfill.vendors.cdo import Stack

_OWN = ("username", "password_file", "bearer_token_file")


def push_destination(server: Server, notices: Notices, *, ask: bool = True) -> Destination:
    """The destination for samples. ask: if False, CDO is not queried, and its own address replaces the stack's.

    InputError: the address is missing or not valid.
    """
    return _destination(server, notices, lambda stack: stack.push_url, ask)


def upload_destination(server: Server, notices: Notices, *, ask: bool = True) -> Destination:
    """The destination for blocks: the base address of a Mimir. Otherwise this works like `push_destination`."""
    if server.url and "?" in server.url:
        problem = f"{setting('upload')} must be the base address of a Mimir, without a query"
        raise InputError(problem, "remove the ? and everything after it", field="upload")
    return _destination(server, notices, lambda stack: stack.base, ask)


def query_destination(server: Server, notices: Notices) -> Destination:
    """The destination for queries: the given base address of a query API. InputError: the address is not valid."""
    return _build(server, server.url, notices)


def open_client(destination: Destination, server: Server) -> HttpClient:
    """Make an HTTP client for the destination; nothing is sent yet."""
    from promfill.net.http import make_client

    return make_client(destination, server.timeout)


@contextmanager
def open_api(destination: Destination, server: Server) -> Iterator[Api]:
    """Open the query API at a destination, and close its client afterwards."""
    from promfill.stores.api import Api

    with open_client(destination, server) as client:
        yield Api(client)


def _destination(server: Server, notices: Notices, address: Callable[[Stack], str], ask: bool) -> Destination:
    if server.url or server.cdo is None:
        return _build(server, server.url, notices)
    return _of_cdo(server, server.cdo, notices, address, ask)


def _build(server: Server, url: str | None, notices: Notices) -> Destination:
    from promfill.net import resolve

    if not url:
        by_cdo = ", or set CDO_TOKEN and ENV" if server.setting == "remote_write_url" else ""
        raise InputError.about(server.setting, "is missing", f"set it to the address of the server{by_cdo}")
    credentials = server.credentials
    environment = {
        name: secret.reveal()
        for name, secret in (
            (resolve.PASSWORD_VARIABLE, credentials.password),
            (resolve.TOKEN_VARIABLE, credentials.bearer_token),
        )
        if secret
    }
    destination = resolve.build_destination(url, field=server.setting, environment=environment, **_plain(credentials))
    _warn(destination, notices)
    return destination


def _of_cdo(server: Server, cdo: Cdo, notices: Notices, address: Callable[[Stack], str], ask: bool) -> Destination:
    """Ask CDO for the stack, and use the stack's address, user and password."""
    from promfill.net import resolve
    from promfill.net.credentials import check_line
    from promfill.net.destination import BasicAuth, Destination, HttpConfig, Secret, Tls, show_url
    from promfill.vendors.cdo import TOKEN_VARIABLE, base_url, fetch_stack

    base = base_url(cdo.environment, cdo.url)
    if not ask:
        return Destination(base, http=HttpConfig(auth=BasicAuth("CDO's", Secret(""))))
    credentials = server.credentials
    own = [name for name in _OWN if getattr(credentials, name)]
    if own:
        words = f"and {TOKEN_VARIABLE} exclude each other: CDO sets user and password"
        raise InputError.about(own[0], words, "leave one out")
    tls = Tls(ca=credentials.tls_ca, insecure=credentials.tls_insecure)
    check_line(cdo.token.reveal(), TOKEN_VARIABLE)
    stack = fetch_stack(base, cdo.token, timeout=server.timeout, tls=tls)
    notices.detail(f"the stack from CDO at {show_url(base)} is {show_url(stack.base)}, user {stack.user}")
    destination = resolve.build_destination(
        address(stack),
        field="",
        environment={resolve.PASSWORD_VARIABLE: stack.password.reveal()},
        **{**_plain(credentials), "username": stack.user},
    )
    _warn(destination, notices)
    return destination


def _plain(credentials: Credentials) -> Mapping[str, Any]:
    """The arguments for `resolve.build_destination` that need no change."""
    return {
        "username": credentials.username,
        "password_file": credentials.password_file,
        "bearer_token_file": credentials.bearer_token_file,
        "headers": credentials.headers,
        "tenant": credentials.tenant,
        "tls_ca": credentials.tls_ca,
        "tls_cert": credentials.tls_cert,
        "tls_key": credentials.tls_key,
        "tls_insecure": credentials.tls_insecure,
        "http_config_file": credentials.http_config_file,
    }


def _warn(destination: Destination, notices: Notices) -> None:
    for warning in destination.warnings:
        notices.warn(warning)
