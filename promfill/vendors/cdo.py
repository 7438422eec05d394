"""The CDO platform: gets the Grafana Cloud Metrics stack of a tenant with the tenant's token.

    stack = fetch_stack(base_url("scale", None), Secret(token))
    stack.push_url, stack.base, stack.user, stack.password

The token is sent in one header of one request and used nowhere else. The answer holds a password, so no part of a
successful answer is ever shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

import orjson

from promfill.errors import InputError, ReceiverError, RefusedError, setting
from promfill.net.destination import Destination, HttpConfig, Secret, Tls, TokenAuth, show_url
from promfill.net.http import HttpClient, make_client
from promfill.net.resolve import split_url
from promfill.net.retry import Retry

TOKEN_VARIABLE = "CDO_TOKEN"  # noqa: S105  (its name)
ENVIRONMENT_VARIABLE = "ENV"
URL_VARIABLE = "CDO_BASE_URL"

PATH = "/api/platform/ai-ops-tenant-services/v2/timeseries-stack"
QUERY_PATH = "/api/prom"
PUSH_PATH = f"{QUERY_PATH}/push"
RETRIES = 3
EDGE = frozenset(("scale", "staging", "ci"))

_ADDRESS_FIX = f"check {setting('cdo_url')} (or {URL_VARIABLE})"
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?")
_API_PATH = re.compile(rf"(?:{QUERY_PATH}(?:/push)?)?/*$")
_URL_FIELD, _USER_FIELD, _PASSWORD_FIELD = "hmInstancePromUrl", "hmInstancePromId", "prometheusToken"
_FIXES = {
    401: f"{TOKEN_VARIABLE} is not valid, or has expired: make a new token in CDO",
    403: f"{TOKEN_VARIABLE} has no permission to read the timeseries stack: use the token of a user who has",
    404: "this tenant has no timeseries stack, or the address is not CDO's: check "
    f"{ENVIRONMENT_VARIABLE}, and {setting('cdo_url')} if it is given",
}


@dataclass(frozen=True, slots=True)
class Stack:
    """A tenant's metrics stack: base address, user and password."""

    base: str
    user: str
    password: Secret

    @property
    def push_url(self) -> str:
        """The address for remote write."""
        return self.base + PUSH_PATH

    @property
    def query_url(self) -> str:
        """The base address of the Prometheus API."""
        return self.base + QUERY_PATH


def base_url(environment: str | None, url: str | None) -> str:
    """CDO's base address: the URL if it is set, else the environment's. InputError if neither is valid."""
    if url:
        address, user, _ = split_url(url, "cdo_url")
        if user or "?" in address:
            raise InputError.about(
                "cdo_url", f"(or {URL_VARIABLE}) {show_url(url)!r} must be an address only", "remove user and query"
            )
        return address.rstrip("/")
    if not environment:
        raise InputError(
            f"{TOKEN_VARIABLE} is set, but not the CDO environment that it belongs to",
            f"set {setting('env')} (or {ENVIRONMENT_VARIABLE}), or {setting('cdo_url')}",
            field="env",
        )
    name = environment.strip().lower()
    if not _NAME.fullmatch(name):
        words = f"(or {ENVIRONMENT_VARIABLE}) {environment!r} is not a valid CDO environment"
        raise InputError.about("env", words, "write one such as scale")
    return f"https://{'edge' if name in EDGE else 'www'}.{name}.cdo.cisco.com"


def fetch_stack(
    base: str,
    token: Secret,
    *,
    timeout: float = 30.0,
    tls: Tls | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Stack:
    """Get the stack from CDO. 5xx, 429 and failed connections are retried three times, with growing pauses.

    ReceiverError, in one line: no answer, an invalid one, or one without a needed field; RefusedError if a retry
    would get the same.
    """
    destination = Destination(base + PATH, http=HttpConfig(auth=TokenAuth(token), tls=tls or Tls()))
    with make_client(destination, timeout) as client:
        try:
            response = Retry(float("inf"), RETRIES, first_pause=0.5, sleep=sleep).run(lambda: client.request("GET"))
        except ReceiverError as error:
            error.blame("CDO")
            raise
        if response.status_code in _FIXES:
            status = f"{response.status_code} {response.reason_phrase}"
            raise RefusedError(f"CDO at {show_url(base)} answered {status}", _FIXES[response.status_code])
        try:
            client.check(response)
        except ReceiverError as error:
            error.blame("CDO")
            raise
        return _read(client, response.content)


def _read(client: HttpClient, body: bytes) -> Stack:
    where = f"CDO's answer from {client.destination}"
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise RefusedError(f"{where} is not JSON", _ADDRESS_FIX) from None
    if not isinstance(answer, dict):
        raise RefusedError(f"{where} is not a JSON object", _ADDRESS_FIX)
    missing = [name for name in (_URL_FIELD, _USER_FIELD, _PASSWORD_FIELD) if _text(answer.get(name)) is None]
    if missing:
        raise ReceiverError(f"{where} lacks {' and '.join(missing)}", "the tenant's stack may not be set up yet")
    address, user, password = (str(_text(answer[name])) for name in (_URL_FIELD, _USER_FIELD, _PASSWORD_FIELD))
    try:
        split_url(address, "")
    except InputError:
        raise RefusedError(f"{where}: {_URL_FIELD} is not a valid URL") from None
    return Stack(_API_PATH.sub("", address), user, Secret(password))


def _text(value: object) -> str | None:
    """A field (a text or a number) as text; None if it is missing, empty, or of another type."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return None
    return str(value).strip() or None
