"""Options of servers: where, as whom, and how much at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.errors import InputError
from promfill.times import parse_duration

if TYPE_CHECKING:
    from promfill.destination import Destination
    from promfill.http import HttpClient

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
"""The names of the options that `promfill.config.build_destination` takes as they are."""


def build_destination(url: str | None, values: Mapping[str, Any], console: Console, option: str) -> Destination:
    """The destination of a URL and the options; InputError where there is none or it cannot be used."""
    from promfill import config

    if not url:
        raise InputError(f"{option} is missing: give the address of the server")
    destination = config.build_destination(url, option=option, **{name: values[name] for name in CREDENTIALS})
    for warning in destination.warnings:
        console.warn(warning)
    return destination


def open_client(destination: Destination, values: Mapping[str, Any]) -> HttpClient:
    """A client of the destination; nothing is sent yet."""
    from promfill.http import make_client

    return make_client(destination, parse_duration(values["timeout"], "--timeout") / 1000)
