"""Options of servers: where, as whom, and how much at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from promfill.cli.options.shared import Values
from promfill.errors import InputError
from promfill.operations.settings import Cdo, Credentials, Server, Upload
from promfill.scenario.times import parse_duration

if TYPE_CHECKING:
    from promfill.net.destination import Secret

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
"""The names of the options that say who we are."""


def server_from(values: Values, url: str | None, setting: str) -> Server:
    """The server at a URL that the option `setting` gives, or None; then CDO may name it."""
    return Server(url, _credentials(values), _cdo(values), seconds(values, "timeout"), setting)


def receiver_from(values: Values) -> Server:
    """--remote-write-url, or what CDO names in its place."""
    return server_from(values, values["remote_write_url"], "remote_write_url")


def upload_from(values: Values) -> Upload | None:
    """--upload, or what CDO names in its place; None where blocks stay here."""
    if not uploads(values):
        return None
    server = server_from(values, values["upload"], "upload")
    return Upload(server, lanes(values), seconds(values, "retry_for"), values["keep"])


def query_from(values: Values) -> Server | None:
    """--query-url; None where it is not given."""
    return server_from(values, values["query_url"], "query_url") if values["query_url"] else None


def uploads(values: Values) -> bool:
    """Whether blocks are to go up: by --upload, or because CDO_TOKEN is set."""
    return bool(values["upload"] != "none") if values["upload"] else has_cdo_token()


def has_cdo_token() -> bool:
    """Whether CDO can be asked; a blank token is none."""
    return bool(os.environ.get(CDO_TOKEN, "").strip())


def lanes(values: Values) -> int | None:
    """What --concurrency says, None for auto. InputError where it is neither."""
    text = values["concurrency"]
    if text == AUTO:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 256):
        raise InputError.about("concurrency", f"{text} must be auto, or a number from 1 to 256")
    return int(text)


def seconds(values: Values, name: str) -> float:
    """A duration option in seconds."""
    return parse_duration(values[name], name) / 1000


def _credentials(values: Values) -> Credentials:
    """The options, and the environment's secrets."""
    from promfill.net.resolve import PASSWORD_VARIABLE, TOKEN_VARIABLE

    given = {name: values[name] for name in CREDENTIALS}
    return Credentials(password=_secret(PASSWORD_VARIABLE), bearer_token=_secret(TOKEN_VARIABLE), **given)


def _cdo(values: Values) -> Cdo | None:
    token = _secret(CDO_TOKEN)
    return Cdo(token, values["env"], values["cdo_url"]) if token and "cdo_url" in values else None


def _secret(variable: str) -> Secret | None:
    """What a variable holds, None where that is nothing; a blank token of CDO's is none."""
    from promfill.net.destination import Secret

    text = os.environ.get(variable, "")
    if variable == CDO_TOKEN:
        text = text.strip()
    return Secret(text) if text else None
