"""Recognise servers that only forward samples. Their answers prove nothing about the store behind them.

Prometheus agent    its flags say so, and its query API answers 422; it forwards nothing older than its start
vmagent             it answers like VictoriaMetrics (X-Server-Hostname) without a query API; its page /metrics says so
Grafana Alloy       the path of its push address is known; its prometheus.remote_write forwards as an agent does
OpenTelemetry       its remote-write receiver requires a Content-Type even for a GET
anything else       it has no query API beside the push address: a proxy, a gateway, or a store that hides it
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx

from promfill.errors import RefusedError, setting
from promfill.net.destination import show_url
from promfill.net.http import HttpClient
from promfill.rules.forwarders import AGENT, ALLOY, COLLECTOR, UNKNOWN, VICTORIA, VMAGENT, Forwarder
from promfill.rules.limits import page_flags, read_limits, set_flags
from promfill.stores.api import Api

_ALLOY_PATHS = re.compile(r"/api/v1/metrics/write/?$|/agent/api/v1/metrics/instance/[^/]+/write/?$")
_AGENT_WORDS = "unavailable with Prometheus Agent"
_AGENT_READY = "Prometheus Agent is Ready"
_COLLECTOR_WORDS = "Content-Type header is required"
_VERSION = re.compile(r'^vm_app_version\{version="([^"]*)"', re.MULTILINE)
_REMOTE_WRITE = re.compile(r"^remote_write:\n((?:[ -].*\n?)*)", re.MULTILINE)
_URL = re.compile(r"^(?:- |  )url: [\"']?([^\s\"']+)", re.MULTILINE)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,3})\d*)?(Z|[+-]\d\d:\d\d)")


class ForwarderError(RefusedError):
    """The address belongs to a forwarder, not to a store: there are no samples to read."""

    def __init__(self, forwarder: Forwarder) -> None:
        super().__init__(
            f"{forwarder.where} is {forwarder.name}, which forwards samples and keeps none that can be queried",
            f"set {setting('query_url')} to the store behind it",
        )
        self.forwarder = forwarder


class NoQueryApiError(RefusedError):
    """The server answers, but it has no query API."""


def find_agent(api: Api) -> Forwarder | None:
    """The Prometheus agent at this address; None if it is another server, or if nothing shows what it is."""
    flags = api.get_data("/api/v1/status/flags")
    if isinstance(flags, dict) and flags:
        features = re.split(r"[^\w-]+", str(flags.get("enable-feature", "")))
        is_agent = "agent" in features or str(flags.get("agent")) == "true"
    else:
        is_agent = _says_agent(api)
    if not is_agent:
        return None
    info, build = (_dict(api.get_data(f"/api/v1/status/{name}")) for name in ("runtimeinfo", "buildinfo"))
    config = str(_dict(api.get_data("/api/v1/status/config")).get("yaml", ""))
    return Forwarder(
        AGENT,
        str(api),
        version=str(build.get("version", "")),
        only_new=True,
        since=_parse_start(str(info.get("startTime", ""))),
        sends_to=remote_write_urls(config),
    )


def find_victoria_forwarder(api: Api) -> Forwarder | None:
    """The vmagent, or another VictoriaMetrics component without a query API; None if it is a store."""
    response = api.get_root("/metrics")
    page = response.text if response.is_success else ""
    flags = page_flags(page) or _flags_given(api)
    if "retentionPeriod" in flags or api.get_data("/api/v1/query", query="vector(1)") is not None:
        return None
    is_vmagent = "vmagent_" in page or any(name.startswith("remoteWrite.") for name in flags) or _is_vmagent_page(api)
    version = _VERSION.search(page)
    return Forwarder(
        VMAGENT if is_vmagent else VICTORIA,
        str(api),
        version=version[1] if version else "",
        may_double=True,
        limits=read_limits(flags, page),
    )


def find_other_forwarder(client: HttpClient, push_url: str, base: str | None) -> Forwarder | None:
    """The forwarder at a push address that has no query API beside it; None if the query API's address is not known."""
    where = show_url(push_url)
    if _ALLOY_PATHS.search(urlsplit(push_url).path):
        return Forwarder(ALLOY, where, only_new=True)
    if not base:
        return None
    return Forwarder(COLLECTOR if _is_collector(client, push_url) else UNKNOWN, where)


def _is_collector(client: HttpClient, push_url: str) -> bool:
    response = client.request("GET", push_url)
    return response.status_code == httpx.codes.UNSUPPORTED_MEDIA_TYPE and _COLLECTOR_WORDS in response.text


def remote_write_urls(config: str) -> tuple[str, ...]:
    """The addresses that a Prometheus configuration forwards samples to, without secrets."""
    section = _REMOTE_WRITE.search(config)
    return tuple(map(show_url, _URL.findall(section[1]))) if section else ()


def _flags_given(api: Api) -> Mapping[str, str]:
    response = api.get_root("/flags")
    return set_flags(response.text) if response.is_success else {}


def _is_vmagent_page(api: Api) -> bool:
    response = api.get_root("/")
    return response.is_success and "<h2>vmagent</h2>" in response.text


def _says_agent(api: Api) -> bool:
    if _AGENT_WORDS in api.get("/api/v1/query", {"query": "vector(1)"}).text:
        return True
    ready = api.try_get("/-/ready")
    return ready is not None and _AGENT_READY in ready.text


def _parse_start(text: str) -> int | None:
    found = _TIME.match(text)
    if not found:
        return None
    moment = datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))
    return int(moment.astimezone(UTC).timestamp()) * 1000 + int((found[2] or "0").ljust(3, "0"))


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
