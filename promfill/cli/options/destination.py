"""The options for servers: address, credentials, timeouts and concurrency."""

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
    click.option("--remote-write-url", metavar="URL", help="The receiver's full remote-write URL."),
    click.option("--username", metavar="USER", help="User for basic authentication."),
    click.option(
        "--password-file", type=_FILE, metavar="FILE", help="File with the password; or set PROMFILL_PASSWORD."
    ),
    click.option(
        "--bearer-token-file",
        type=_FILE,
        metavar="FILE",
        help="File with the bearer token; or set PROMFILL_BEARER_TOKEN.",
    ),
    click.option("--header", "headers", multiple=True, metavar="'K: V'", help="HTTP header to send; may be repeated."),
    click.option("--tenant", metavar="ID", help="Tenant, sent as X-Scope-OrgID."),
    click.option(
        "--http.config.file",
        "http_config_file",
        type=_FILE,
        metavar="FILE",
        help="Prometheus HTTP client configuration file.",
    ),
    click.option(
        "--tls-ca", type=_FILE, metavar="FILE", help="CA bundle that the server's certificate is checked against."
    ),
    click.option("--tls-cert", type=_FILE, metavar="FILE", help="Client certificate."),
    click.option("--tls-key", type=_FILE, metavar="FILE", help="Client key."),
    click.option("--tls-insecure", is_flag=True, help="Do not check the server's certificate."),
    click.option("--timeout", default="30s", show_default=True, metavar="DURATION", help="Timeout of one request."),
)
"""A server and our credentials for it."""

UPLOAD = (
    click.option(
        "--upload",
        metavar="URL",
        help="Upload the blocks to the Mimir at this base URL; none keeps them here.  [default: CDO's, if any]",
    ),
)
CDO = (
    click.option("--cdo-url", envvar="CDO_BASE_URL", metavar="URL", help="Base URL of CDO; or set CDO_BASE_URL."),
    click.option(
        "--env",
        envvar="ENV",
        metavar="NAME",
        help="CDO environment; or set ENV. If CDO_TOKEN is set and no URL is given, CDO provides the destination.",
    ),
)
RETRY = (
    click.option(
        "--retry-for", default="5m", show_default=True, metavar="DURATION", help="How long to retry a failed request."
    ),
)
"""How long one request is retried."""

AUTO = "auto"
CONCURRENCY = (
    click.option(
        "--concurrency",
        default=AUTO,
        show_default=True,
        metavar="N",
        help="Requests (for uploads: blocks) in flight at once.",
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
"""The options with our credentials."""


def server_from(values: Values, url: str | None, setting: str) -> Server:
    """The server at a URL from the option `setting`. If the URL is None, CDO may provide one."""
    return Server(url, _credentials(values), _cdo(values), seconds(values, "timeout"), setting)


def receiver_from(values: Values) -> Server:
    """The server of --remote-write-url, or the one that CDO provides instead."""
    return server_from(values, values["remote_write_url"], "remote_write_url")


def upload_from(values: Values) -> Upload | None:
    """The server of --upload, or the one that CDO provides instead. None if blocks stay here."""
    if not uploads(values):
        return None
    server = server_from(values, values["upload"], "upload")
    return Upload(server, lanes(values), seconds(values, "retry_for"), values["keep"])


def query_from(values: Values) -> Server | None:
    """The server of --query-url; None if it is not given."""
    return server_from(values, values["query_url"], "query_url") if values["query_url"] else None


def uploads(values: Values) -> bool:
    """Whether blocks are uploaded: because of --upload, or because CDO_TOKEN is set."""
    return bool(values["upload"] != "none") if values["upload"] else has_cdo_token()


def has_cdo_token() -> bool:
    """Whether CDO can be queried. A blank token counts as not set."""
    return bool(os.environ.get(CDO_TOKEN, "").strip())


def lanes(values: Values) -> int | None:
    """The value of --concurrency, None for auto. InputError if it is neither auto nor a valid number."""
    text = values["concurrency"]
    if text == AUTO:
        return None
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 256):
        raise InputError.about("concurrency", f"{text} must be auto or between 1 and 256")
    return int(text)


def seconds(values: Values, name: str) -> float:
    """A duration option in seconds."""
    return parse_duration(values[name], name) / 1000


def _credentials(values: Values) -> Credentials:
    """Credentials from the options, with secrets from the environment."""
    from promfill.net.resolve import PASSWORD_VARIABLE, TOKEN_VARIABLE

    given = {name: values[name] for name in CREDENTIALS}
    return Credentials(password=_secret(PASSWORD_VARIABLE), bearer_token=_secret(TOKEN_VARIABLE), **given)


def _cdo(values: Values) -> Cdo | None:
    token = _secret(CDO_TOKEN)
    return Cdo(token, values["env"], values["cdo_url"]) if token and "cdo_url" in values else None


def _secret(variable: str) -> Secret | None:
    """The secret in a variable; None if it is empty. A blank CDO token counts as empty."""
    from promfill.net.destination import Secret

    text = os.environ.get(variable, "")
    if variable == CDO_TOKEN:
        text = text.strip()
    return Secret(text) if text else None
