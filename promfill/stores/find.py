"""Find out which store is at an address, by asking the server."""

from __future__ import annotations

from urllib.parse import urlsplit, urlunsplit

from promfill.errors import setting
from promfill.net.http import HttpClient
from promfill.protocols import Store
from promfill.rules.forwarders import Forwarder
from promfill.rules.victoriametrics import HEADER
from promfill.stores.api import Api
from promfill.stores.forwarders import (
    ForwarderError,
    NoQueryApiError,
    find_agent,
    find_other_forwarder,
    find_victoria_forwarder,
)
from promfill.stores.query import QueryStore
from promfill.stores.remote_read import RemoteReadStore, answers_remote_read
from promfill.stores.victoriametrics import VictoriaMetricsStore

_PUSH_PATHS = (
    ("/api/prom/push", "/api/prom"),  # Grafana Cloud
    ("/insert/{tenant}/prometheus/api/v1/write", "/select/{tenant}/prometheus"),  # VictoriaMetrics cluster
    ("/api/v1/write", ""),
    ("/api/v1/push", "/prometheus"),  # Mimir, Cortex
)
"""Known ends of push addresses, each with the path that the query API has in its place."""
_UNKNOWN_PATH = (404, 405, 410, 501)


def open_store(api: Api) -> Store:
    """Open the store at this address. ReceiverError: no answer, or the server has no Prometheus query API."""
    name = store_name(api)
    if name == "VictoriaMetrics":
        return VictoriaMetricsStore(api)
    if answers_remote_read(api):
        return RemoteReadStore(api, name)
    return QueryStore(api, name)


def store_name(api: Api) -> str:
    """The store's name: VictoriaMetrics, Prometheus, or the name that it reports.

    ForwarderError: the server only forwards samples. NoQueryApiError: it has no query API. ReceiverError: no answer, or
    an error status.
    """
    response = api.client.request("GET", f"{api.base}/api/v1/status/buildinfo")
    if HEADER in response.headers:
        unknown = response.status_code in (400, *_UNKNOWN_PATH)
        if unknown and (forwarder := find_victoria_forwarder(api)):
            raise ForwarderError(forwarder)
        return "VictoriaMetrics"
    data = api.get_data("/api/v1/status/buildinfo") if response.is_success else None
    if isinstance(data, dict):
        name = str(data.get("application") or "Prometheus")
        if name == "Prometheus" and "goVersion" not in data and _shows_victoriametrics(api):
            return "VictoriaMetrics"
    else:
        name = "" if api.get_data("/api/v1/query", query="vector(1)") is None else "a Prometheus-like store"
    if name in ("", "Prometheus") and (agent := find_agent(api)):
        raise ForwarderError(agent)
    if not name:
        if response.status_code not in _UNKNOWN_PATH and not response.is_success:
            api.client.check(response)
        answered = "" if api.client.is_good(response) else f" ({api.client.explain(response)})"
        raise NoQueryApiError(
            f"{api} has no Prometheus API{answered}",
            f"set {setting('query_url')} to its base address, without /api/v1 (a path before /api/v1 belongs to it)",
        )
    return name


def _shows_victoriametrics(api: Api) -> bool:
    """Whether this is a VictoriaMetrics whose header a proxy removed. Its build information has almost no fields."""
    page = api.try_get_root("/metrics")
    return page is not None and b"vm_app_version{" in page.content


def find_forwarder(client: HttpClient, push_url: str) -> Forwarder | None:
    """The forwarder that receives what is pushed to this address; None if it is a store, or if nothing shows which.

    ReceiverError: the server cannot be asked.
    """
    base = query_url_beside(push_url)
    if base:
        try:
            store_name(Api(client, base))
        except ForwarderError as error:
            return error.forwarder
        except NoQueryApiError:
            pass
        else:
            return None
    return find_other_forwarder(client, push_url, base)


def query_url_beside(push_url: str) -> str | None:
    """The base address of the query API that belongs to a push address; None if the push path is not a known one."""
    parts = urlsplit(push_url)
    for push_end, query_end in _PUSH_PATHS:
        pattern, _, rest = push_end.partition("{tenant}")
        path = parts.path.rstrip("/")
        if not rest and path.endswith(push_end):
            return _with_path(push_url, path.removesuffix(push_end) + query_end)
        head, found, tail = path.partition(pattern)
        tenant = tail.removesuffix(rest)
        if rest and found and tail.endswith(rest) and "/" not in tenant:
            return _with_path(push_url, head + query_end.replace("{tenant}", tenant))
    return None


def _with_path(url: str, path: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=path, query="", fragment=""))
