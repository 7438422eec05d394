"""Who forwards is told from who stores, by what each of them answers.

Recorded, or put down from its source where it says so: status, headers, body of the answers that tell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.rules.forwarders import AGENT, ALLOY, COLLECTOR, UNKNOWN, VICTORIA, VMAGENT, Forwarder
from promfill.rules.limits import Limits
from promfill.stores.api import Api
from promfill.stores.find import find_forwarder, open_store
from promfill.stores.forwarders import ForwarderError, remote_write_urls
from tests.support.receiver import Answer, Receiver, Taken

Exchanges = Mapping[str, Answer]

PLAIN = {"Content-Type": "text/plain; charset=utf-8"}
VM = {**PLAIN, "X-Server-Hostname": "vm"}
NOT_FOUND = Answer(404, b"404 page not found\n", PLAIN)


def data(value: object) -> Answer:
    return Answer(200, json.dumps({"status": "success", "data": value}).encode(), {"Content-Type": "application/json"})


UNAVAILABLE = Answer(
    422,
    b'{"status":"error","errorType":"execution","error":"unavailable with Prometheus Agent"}',
    {"Content-Type": "application/json"},
)
AGENT_CONFIG = """\
global:
  scrape_interval: 15s
remote_write:
- url: http://127.0.0.1:19102/api/v1/write
  remote_timeout: 30s
- name: second
  url: https://user:xxxxx@store.example/api/v1/push
"""
AGENT_2_42: Exchanges = {  # Prometheus 2.42.0, --enable-feature=agent
    "/api/v1/status/buildinfo": data({"version": "2.42.0+ds", "goVersion": "go1.19.8"}),
    "/api/v1/status/flags": data({"enable-feature": "agent", "storage.agent.path": "ag", "web.read-timeout": "5m"}),
    "/api/v1/status/runtimeinfo": data({"startTime": "2026-11-28T11:02:56.639894424Z", "storageRetention": ""}),
    "/api/v1/status/tsdb": UNAVAILABLE,
    "/api/v1/status/config": data({"yaml": AGENT_CONFIG}),
    "/api/v1/query": UNAVAILABLE,
    "/-/ready": Answer(200, b"Prometheus Agent is Ready.\n"),
    "/api/v1/write": Answer(405, b"Method Not Allowed\n", {"Allow": "OPTIONS, POST"}),
}
AGENT_3_14: Exchanges = {  # Prometheus 3.14.0, --agent; its flags from its source
    **AGENT_2_42,
    "/api/v1/status/buildinfo": data({"version": "3.14.0"}),
    "/api/v1/status/flags": data({"agent": "true", "enable-feature": "", "storage.agent.path": "data-agent/"}),
}
SERVER_3_14: Exchanges = {  # Prometheus 3.14.0 as a server: agent is a flag of it, too
    "/api/v1/status/buildinfo": data({"version": "3.14.0"}),
    "/api/v1/status/flags": data({"agent": "false", "enable-feature": "", "storage.agent.path": "data-agent/"}),
    "/api/v1/query": data({"resultType": "vector", "result": []}),
}


def unsupported(path: str) -> Answer:
    return Answer(
        400, f'remoteAddr: "127.0.0.1:1"; requestURI: {path}; unsupported path requested: "{path}"\n'.encode(), VM
    )


VMAGENT_PAGE = """\
vmagent_remotewrite_queues{url="1:secret-url"} 4
vm_app_version{version="vmagent-20260810-1-tags-v1.150.0-0-gabc", short_version="v1.150.0"} 1
flag{name="maxLabelsPerTimeseries", value="30", is_set="true"} 1
flag{name="remoteWrite.maxDiskUsagePerURL", value="0", is_set="false"} 1
flag{name="remoteWrite.relabelConfig", value="", is_set="false"} 1
flag{name="remoteWrite.url", value="secret", is_set="true"} 1
vm_rows_ignored_total{reason="too_many_labels"} 0
"""
VMAGENT_1_150: Exchanges = {  # vmagent 1.150.0; whatever it does not know is answered as buildinfo is
    "/api/v1/status/buildinfo": unsupported("/api/v1/status/buildinfo"),
    "/api/v1/query": unsupported("/api/v1/query"),
    "/": Answer(200, b"<h2>vmagent</h2>Version vmagent-20260810<br>", {**VM, "Content-Type": "text/html"}),
    "/metrics": Answer(200, VMAGENT_PAGE.encode(), VM),
    "/flags": Answer(200, b'-remoteWrite.url="secret"\n', VM),
}
CLOSED = Answer(401, b"The provided authKey doesn't match -metricsAuthKey", VM)
VMINSERT: Exchanges = {  # vminsert of a cluster, 1.150.0, from its source
    "/select/0/prometheus/api/v1/status/buildinfo": unsupported("/select/0/prometheus/api/v1/status/buildinfo"),
    "/select/0/prometheus/api/v1/query": unsupported("/select/0/prometheus/api/v1/query"),
    "/metrics": Answer(200, b'flag{name="storageNode", value="vmstorage-1", is_set="true"} 1\n', VM),
}
ALLOY_1_11: Exchanges = {"/api/v1/metrics/write": Answer(405, b"")}  # prometheus.receive_http, from its source
COLLECTOR_0_140: Exchanges = {  # prometheusremotewritereceiver, from its source
    "/api/v1/write": Answer(415, b"Content-Type header is required\n", PLAIN)
}


def find(exchanges: Exchanges, path: str = "/api/v1/write", other: Answer = NOT_FOUND) -> Forwarder | None:
    """Who is found at the push address of a server with these answers, `other` to every other path."""

    def answer(taken: Taken) -> Answer:
        assert taken.method == "GET"
        return exchanges.get(taken.path.partition("?")[0], other)

    with Receiver(answer) as receiver:
        url = receiver.url.removesuffix("/api/v1/write") + path
        with make_client(build_destination(url)) as client:
            return find_forwarder(client, url)


def without(exchanges: Exchanges, *paths: str) -> Exchanges:
    return {path: answer for path, answer in exchanges.items() if path not in paths}


@pytest.mark.parametrize("exchanges", [AGENT_2_42, AGENT_3_14])
def test_a_prometheus_agent(exchanges: Exchanges) -> None:
    found = find(exchanges)
    assert found is not None
    assert (found.kind, found.only_new, found.since) == (AGENT, True, 1_795_863_776_639)
    assert found.version in ("2.42.0+ds", "3.14.0")
    first, second = found.sends_to
    assert first == "http://127.0.0.1:19102/api/v1/write"
    assert "store.example" in second
    assert "xxxxx" not in second


@pytest.mark.parametrize(
    "exchanges",
    [
        without(AGENT_2_42, "/api/v1/status/flags"),
        without(AGENT_2_42, "/api/v1/status/flags", "/api/v1/status/buildinfo"),
        without(AGENT_2_42, "/api/v1/status/flags", "/api/v1/query"),
        {**AGENT_2_42, "/api/v1/status/flags": data({"enable-feature": "exemplar-storage,agent"})},
        {**AGENT_2_42, "/api/v1/status/runtimeinfo": data({"startTime": "yesterday"})},
    ],
)
def test_an_agent_is_known_by_any_of_its_answers(exchanges: Exchanges) -> None:
    found = find(exchanges)
    assert found is not None
    assert found.kind == AGENT


@pytest.mark.parametrize(
    "exchanges",
    [
        SERVER_3_14,
        without(SERVER_3_14, "/api/v1/status/flags"),
        {**SERVER_3_14, "/api/v1/status/flags": data({"enable-feature": "agent-like,reagent"})},
        {"/prometheus/api/v1/status/buildinfo": data({"application": "Grafana Mimir"})},
    ],
)
def test_a_store_is_no_forwarder(exchanges: Exchanges) -> None:
    path = "/api/v1/push" if "/api/v1/query" not in exchanges else "/api/v1/write"
    assert find(exchanges, path) is None


@pytest.mark.parametrize(
    "exchanges",
    [
        VMAGENT_1_150,
        without(VMAGENT_1_150, "/", "/flags"),
        {**VMAGENT_1_150, "/metrics": CLOSED},
        {**without(VMAGENT_1_150, "/flags"), "/metrics": CLOSED},
        {**without(VMAGENT_1_150, "/"), "/metrics": CLOSED},
    ],
)
def test_a_vmagent(exchanges: Exchanges) -> None:
    found = find(exchanges)
    assert found is not None
    assert (found.kind, found.only_new, found.may_double) == (VMAGENT, False, True)


def test_a_vmagent_tells_its_own_limits() -> None:
    found = find(VMAGENT_1_150)
    assert found is not None
    assert found.version.startswith("vmagent-")
    assert found.limits == Limits(labels=30)


def test_a_part_of_a_cluster_that_only_takes() -> None:
    found = find(VMINSERT, "/insert/0/prometheus/api/v1/write")
    assert found is not None
    assert found.kind == VICTORIA


def test_an_old_victoriametrics_without_buildinfo_is_a_store() -> None:
    page = Answer(200, b'flag{name="retentionPeriod", value="1"} 1\n', VM)
    assert find({"/metrics": page}, other=unsupported("/x")) is None
    assert find({"/api/v1/query": data({"result": []}), "/metrics": CLOSED}, other=unsupported("/x")) is None


@pytest.mark.parametrize(
    ("exchanges", "path", "kind"),
    [
        (ALLOY_1_11, "/api/v1/metrics/write", ALLOY),
        ({}, "/agent/api/v1/metrics/instance/0a1b/write", ALLOY),
        (COLLECTOR_0_140, "/api/v1/write", COLLECTOR),
        ({"/api/v1/write": Answer(405)}, "/api/v1/write", UNKNOWN),
        ({}, "/api/v1/push", UNKNOWN),
        ({}, "/somewhere/else", None),
        ({}, "/api/v1/receive", None),
    ],
)
def test_who_has_no_query_api(exchanges: Exchanges, path: str, kind: str | None) -> None:
    found = find(exchanges, path)
    assert (found.kind if found else None) == kind


def test_a_gateway_that_says_good_to_everything_is_no_store() -> None:
    found = find({}, other=Answer(200, b"OK"))
    assert found is not None
    assert found.kind == UNKNOWN


@pytest.mark.parametrize("exchanges", [AGENT_2_42, VMAGENT_1_150])
def test_a_forwarder_is_not_opened_as_a_store(exchanges: Exchanges) -> None:
    with Receiver(lambda taken: exchanges.get(taken.path.partition("?")[0], NOT_FOUND)) as receiver:
        base = receiver.url.removesuffix("/api/v1/write")
        with make_client(build_destination(base)) as client, pytest.raises(ForwarderError) as raised:
            open_store(Api(client))
    assert raised.value.exit_code == 3
    assert "query_url" in raised.value.fix


@pytest.mark.parametrize(
    ("config", "urls"),
    [
        ("", ()),
        ("global: {}\nscrape_configs:\n- url: http://a\n", ()),
        ("remote_write:\n- url: http://a/w\n  name: x\nremote_read:\n- url: http://b/r\n", ("http://a/w",)),
        ("remote_write:\n- name: x\n  url: 'http://a/w'\n  queue_config:\n    url: http://no\n", ("http://a/w",)),
    ],
)
def test_where_an_agent_sends_to(config: str, urls: tuple[str, ...]) -> None:
    assert remote_write_urls(config) == urls
