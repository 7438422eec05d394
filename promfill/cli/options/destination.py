"""Options of servers: where, as whom, and how much at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.errors import InputError
from promfill.scenario.times import parse_duration

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.net.http import HttpClient
    from promfill.vendors.cdo import Stack

CDO_TOKEN = "CDO_TOKEN"  # noqa: S105  (its name)

_FILE = click.Path(path_type=Path)

DESTINATION = (
    click.option("--remote-write-url", metavar="URL", help="The receiver's full push URL."),
    click.option("--username", metavar="USER", help="Basic authentication; the password comes from a file."),
    click.option("--password-file", type=_FILE, metavar="FILE", help="Holds the password; or PROMFILL_PASSWORD."),
    click.option("--bearer-token-file", type=_FILE, metavar="FILE", help="Holds the token; or PROMFILL_BEARER_TOKEN."),
    click.option("--header", "headers", multiple=True, metavar="'K: V'", help="A header to send; may be repeated."),
    click.option("--tenant", metavar="ID", help="Sent as X-Scope-OrgID."),
    click.option(
        "--http.config.file", "http_config_file", type=_FILE, metavar="FILE", help="Prometheus's HTTP client file."
    ),
    click.option("--tls-ca", type=_FILE, metavar="FILE", help="Certificates that the server's is checked against."),
    click.option("--tls-cert", type=_FILE, metavar="FILE", help="Our own certificate."),
    click.option("--tls-key", type=_FILE, metavar="FILE", help="Its key."),
    click.option("--tls-insecure", is_flag=True, help="Do not check the server's certificate."),
    click.option(
        "--timeout", default="30s", show_default=True, metavar="DURATION", help="How long one answer may take."
    ),
)
"""A server and our credentials there."""

UPLOAD = (
    click.option(
        "--upload",
        metavar="URL",
        help="Upload the blocks to the Mimir at this base address; none keeps them here.  [default: CDO's, if any]",
    ),
)
CDO = (
    click.option("--cdo-url", envvar="CDO_BASE_URL", metavar="URL", help="Base address of CDO; or CDO_BASE_URL."),
    click.option(
        "--env",
        envvar="ENV",
        metavar="NAME",
        help="Environment of CDO; or ENV. With CDO_TOKEN set and no URL given, CDO names the destination.",
    ),
)
RETRY = (
    click.option(
        "--retry-for", default="5m", show_default=True, metavar="DURATION", help="How long one request is tried again."
    ),
)
"""Block upload, and the platform that knows its address."""

AUTO = "auto"
CONCURRENCY = (
    click.option(
        "--concurrency", default=AUTO, show_default=True, metavar="N", help="Requests in flight; of an upload, blocks."
    ),
)

CREDENTIALS = (
    "username",
    "password_file",
    "bearer_token_file",
    "headers",
    "tenant",
    "tls_ca",
    "tls_cert",
    "tls_key",
    "tls_insecure",
    "http_config_file",
)
"""The names of the options that `promfill.net.resolve.build_destination` takes as they are."""


def build_destination(url: str | None, values: Mapping[str, Any], console: Console, option: str) -> Destination:
    """The destination of a URL and the options; InputError where there is none or it cannot be used."""
    from promfill.net import resolve

    if not url:
        raise InputError(f"{option} is missing", "give the address of the server")
    destination = resolve.build_destination(url, option=option, **{name: values[name] for name in CREDENTIALS})
    for warning in destination.warnings:
        console.warn(warning)
    return destination


def push_destination(values: Mapping[str, Any], console: Console) -> Destination:
    """--remote-write-url, or what CDO names in its place; InputError where neither is there."""
    url = values["remote_write_url"]
    if not url and CDO_TOKEN not in os.environ:
        raise InputError("--remote-write-url is missing", f"give the address of the server, or set {CDO_TOKEN} and ENV")
    if url or not has_cdo_token():
        return build_destination(url, values, console, "--remote-write-url")
    return _cdo_destination(values, console, lambda stack: stack.push_url)


def goes_by_cdo(values: Mapping[str, Any]) -> bool:
    """Whether CDO names the receiver of a push by remote write."""
    return values.get("mode") == "remote-write" and not values["remote_write_url"] and has_cdo_token()


def upload_destination(values: Mapping[str, Any], console: Console) -> Destination | None:
    """--upload, or what CDO names in its place; None where blocks stay here."""
    if not uploads(values):
        return None
    url = values["upload"]
    if not url:
        return _cdo_destination(values, console, lambda stack: stack.base)
    if "?" in url:
        raise InputError("--upload is the base address of a Mimir, without a query", "leave out what follows the ?")
    return build_destination(url, values, console, "--upload")


def uploads(values: Mapping[str, Any]) -> bool:
    """Whether blocks are to go up: by --upload, or because CDO_TOKEN is set."""
    return bool(values["upload"] != "none") if values["upload"] else has_cdo_token()


def has_cdo_token() -> bool:
    """Whether CDO can be asked; a blank token is none."""
    return bool(os.environ.get(CDO_TOKEN, "").strip())


def _cdo_destination(values: Mapping[str, Any], console: Console, address: Callable[[Stack], str]) -> Destination:
    """The stack's address, with its user and password. A dry run asks nobody: it gets CDO's own address."""
    from promfill.net import resolve
    from promfill.net.credentials import check_line
    from promfill.net.destination import BasicAuth, Destination, HttpConfig, Secret, Tls, show_url
    from promfill.vendors import cdo

    base = cdo.base_url(values["env"], values["cdo_url"])
    if values.get("dry_run"):
        return Destination(base, http=HttpConfig(auth=BasicAuth("CDO's", Secret(""))))
    own = [name for name in ("username", "password_file", "bearer_token_file") if values[name]]
    if own:
        option = f"--{own[0].replace('_', '-')}"
        raise InputError(f"{option} and {CDO_TOKEN} exclude each other: CDO names user and password", "leave one out")
    tls = Tls(ca=values["tls_ca"], insecure=values["tls_insecure"])
    token = os.environ[CDO_TOKEN].strip()
    check_line(token, CDO_TOKEN)
    stack = cdo.fetch_stack(base, Secret(token), timeout=seconds(values, "timeout"), tls=tls)
    console.detail(f"CDO at {show_url(base)} names {show_url(stack.base)}, user {stack.user}")
    credentials = {name: values[name] for name in CREDENTIALS} | {"username": stack.user}
    environment = {resolve.PASSWORD_VARIABLE: stack.password.reveal()}
    destination = resolve.build_destination(
        address(stack), option="the address that CDO names", environment=environment, **credentials
    )
    for warning in destination.warnings:
        console.warn(warning)
    return destination


def lanes(values: Mapping[str, Any]) -> int | None:
    """What --concurrency says, None for auto. InputError where it is neither."""
    text = values["concurrency"]
    if text == AUTO:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 256):
        raise InputError(f"--concurrency {text} must be auto, or a number from 1 to 256")
    return int(text)


def seconds(values: Mapping[str, Any], name: str) -> float:
    """A duration option in seconds."""
    return parse_duration(values[name], f"--{name.replace('_', '-')}") / 1000


def open_client(destination: Destination, values: Mapping[str, Any]) -> HttpClient:
    """A client of the destination; nothing is sent yet."""
    from promfill.net.http import make_client

    return make_client(destination, seconds(values, "timeout"))
