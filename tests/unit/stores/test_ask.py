from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from promfill.errors import ReceiverError
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.rules.limits import Limits
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.times import DAY_MS, UNITS_MS
from promfill.stores.api import Api
from promfill.stores.ask import ask_store
from tests.support.receiver import Answer, Receiver, Taken

HOUR = UNITS_MS["h"]


def ask(
    answers: Mapping[str, object], headers: Mapping[str, str] | None = None, prefix: str = "/prometheus"
) -> StoreFacts:
    """The facts of a store that gives these answers: JSON data, or text as it is."""

    def answer(taken: Taken) -> Answer:
        said = answers.get(taken.path.partition("?")[0])
        if said is None:
            return Answer(404, b"404 page not found")
        if isinstance(said, Answer):
            return said
        body = said if isinstance(said, str) else json.dumps({"status": "success", "data": said})
        return Answer(200, body.encode(), headers or {})

    with Receiver(answer) as receiver:
        base = receiver.url.removesuffix("/api/v1/write") + prefix
        with make_client(build_destination(base)) as client:
            return ask_store(Api(client))


P = "/prometheus/api/v1"


def prometheus(**other: object) -> StoreFacts:
    answers: dict[str, object] = {
        f"{P}/status/buildinfo": {"version": "2.42.0+ds"},
        f"{P}/status/runtimeinfo": {"storageRetention": "15d or 10GB"},
        f"{P}/status/tsdb": {"headStats": {"minTime": 9223372036854775807, "maxTime": -9223372036854775808}},
        f"{P}/status/flags": {"web.enable-remote-write-receiver": "true"},
        f"{P}/status/config": {"yaml": "global: {}\n"},
        f"{P}/targets": {"activeTargets": []},
    }
    return ask({**answers, **{f"{P}/{path}": said for path, said in other.items()}})


def test_an_empty_prometheus_refuses_nothing() -> None:
    facts = prometheus()
    assert facts.name == "Prometheus"
    assert (facts.retention, facts.retention_size) == (15 * DAY_MS, "10GB")
    assert (facts.newest, facts.newest_block, facts.targets, facts.out_of_order) == (None, None, 0, 0)
    assert (facts.receives, facts.version_2, facts.keeps_at_border) == (True, False, True)


def test_a_prometheus_that_scrapes_holds_newer_samples() -> None:
    facts = prometheus(
        **{
            "status/tsdb": {"headStats": {"minTime": 1_000, "maxTime": 2_000}},
            "targets": {"activeTargets": [{}, {}]},
            "status/config": {"yaml": "storage:\n  tsdb:\n    out_of_order_time_window: 1d12h\n"},
        }
    )
    assert (facts.newest, facts.newest_block, facts.targets, facts.out_of_order) == (2_000, 1_000, 2, 36 * HOUR)


@pytest.mark.parametrize(
    ("version", "flags", "version_2", "border"),
    [
        ("2.51.2", {}, False, True),
        ("2.52.0", {}, False, False),
        ("3.5.0", {}, None, False),
        ("3.5.0", {"web.remote-write-receiver.accepted-protobuf-messages": "prometheus.WriteRequest"}, False, False),
        (
            "3.5.0",
            {
                "web.remote-write-receiver.accepted-protobuf-messages": "prometheus.WriteRequest,"
                "io.prometheus.write.v2.Request",
                "web.enable-remote-write-receiver": "false",
            },
            True,
            False,
        ),
        ("", {}, None, False),
    ],
)
def test_what_depends_on_the_version(version: str, flags: dict[str, str], version_2: bool | None, border: bool) -> None:
    facts = prometheus(**{"status/buildinfo": {"version": version}, "status/flags": flags})
    assert (facts.version_2, facts.keeps_at_border) == (version_2, border)
    assert facts.receives is (False if "web.enable-remote-write-receiver" in flags else None)


VM_HEADERS = {"X-Server-Hostname": "vm"}
VM_TODAY = {  # of the page /metrics of VictoriaMetrics 1.150
    "retentionPeriod": "1M",
    "futureRetention": "2d",
    "maxBackfillAge": "0",
    "dedup.minScrapeInterval": "0s",
    "maxLabelsPerTimeseries": "40",
    "maxLabelNameLen": "256",
    "maxLabelValueLen": "4096",
    "storage.maxHourlySeries": "0",
    "relabelConfig": "",
    "streamAggr.config": "",
    "downsampling.period": "",
    "retentionFilter": "",
}
DROPS_SERIES = 'vm_rows_ignored_total{reason="too_many_labels"} 0\n'
VM_1_79 = {  # of the page /metrics of VictoriaMetrics 1.79.5
    "retentionPeriod": "1",
    "dedup.minScrapeInterval": "0s",
    "maxLabelsPerTimeseries": "30",
    "maxLabelValueLen": "16384",
}


def page(flags: Mapping[str, str], more: str = "") -> str:
    lines = (f'flag{{name="{name}", value="{value}", is_set="false"}} 1\n' for name, value in flags.items())
    return more + "".join(lines)


def victoriametrics(flags: Mapping[str, str], more: str = DROPS_SERIES) -> StoreFacts:
    return ask({f"{P}/status/buildinfo": {}, "/metrics": page(flags, more)}, VM_HEADERS)


def test_victoriametrics_tells_by_its_metrics_beside_the_prefix() -> None:
    facts = victoriametrics({"retentionPeriod": "1", "dedup.minScrapeInterval": "0s", "futureRetention": "3d"})
    assert facts.name == "VictoriaMetrics"
    assert (facts.retention, facts.future) == (31 * DAY_MS, 3 * DAY_MS)
    assert facts.doubles
    assert facts.rounds


def test_a_default_victoriametrics_of_today_keeps_a_month() -> None:
    facts = victoriametrics(VM_TODAY)
    assert (facts.retention, facts.retention_set_by) == (31 * DAY_MS, "-retentionPeriod")
    assert facts.limits == Limits(labels=40, name_bytes=256, value_bytes=4096)
    assert facts.unread == ""


def test_before_1_108_labels_are_cut_off() -> None:
    facts = victoriametrics(VM_1_79, "")
    assert facts.limits == Limits(labels=30, name_bytes=256, value_bytes=16384, drops_series=False)


@pytest.mark.parametrize(
    ("backfill", "retention", "by"),
    [
        ("30d", 30 * DAY_MS, "-maxBackfillAge"),
        ("1", 31 * DAY_MS, "-maxBackfillAge"),
        ("2M", 62 * DAY_MS, "-maxBackfillAge"),
        ("0", 36_500 * DAY_MS, "-retentionPeriod"),
        ("", 36_500 * DAY_MS, "-retentionPeriod"),
    ],
)
def test_the_shorter_of_retention_and_backfill_age_holds(backfill: str, retention: int, by: str) -> None:
    facts = victoriametrics({"retentionPeriod": "100y", "maxBackfillAge": backfill, "dedup.minScrapeInterval": "1ms"})
    assert (facts.retention, facts.retention_set_by) == (retention, by)
    assert not facts.doubles


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retentionPeriod", "5q"),
        ("retentionPeriod", "1d5q"),
        ("maxBackfillAge", "soon"),
        ("futureRetention", "2 days"),
        ("dedup.minScrapeInterval", "1fortnight"),
        ("maxLabelsPerTimeseries", "many"),
        ("downsampling.period", "{env=dev}:30d:5m"),
    ],
)
def test_what_is_not_understood_is_named(name: str, value: str) -> None:
    facts = victoriametrics({**VM_TODAY, name: value})
    assert facts.limits.odd == (f'-{name}="{value}"',)


def test_minus_one_is_no_limit() -> None:
    names = ("maxLabelsPerTimeseries", "maxLabelValueLen", "storage.maxDailySeries", "storage.maxHourlySeries")
    assert victoriametrics({**VM_TODAY, **dict.fromkeys(names, "-1")}).limits == Limits(name_bytes=256)


def test_rules_and_read_only_are_read() -> None:
    flags = {
        **VM_TODAY,
        "relabelConfig": "r.yml",
        "retentionFilter": '{env=\\"dev\\"}:3d',
        "storage.maxDailySeries": "7",
    }
    facts = victoriametrics(flags, DROPS_SERIES + 'vm_storage_is_read_only{path="vm"} 1\n')
    assert [rule.split()[0] for rule in facts.limits.rules] == ["-relabelConfig", "-retentionFilter"]
    assert facts.limits.series == (("storage.maxDailySeries", 7),)
    assert facts.limits.read_only


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("precisionBits", "64", False),
        ("precisionBits", "20", True),
        ("remoteWrite.shardByURL", "false", False),
        ("remoteWrite.shardByURL", "true", True),
        ("remoteWrite.dropSamplesOnOverload", "false,false", False),
        ("remoteWrite.roundDigits", "0,0", False),
        ("remoteWrite.roundDigits", "3", True),
        ("streamAggr.config", "a.yml", True),
        ("remoteWrite.maxDiskUsagePerURL", "1GB", True),
    ],
)
def test_flags_that_change_samples_are_named_where_they_are_set(name: str, value: str, told: bool) -> None:
    assert [rule.split()[0] for rule in victoriametrics({**VM_TODAY, name: value}).limits.rules] == [f"-{name}"] * told


def test_every_interval_that_keeps_one_sample_is_read() -> None:
    flags = {**VM_TODAY, "dedup.minScrapeInterval": "1m30s", "downsampling.period": "30d:5m,180d:1h"}
    found = [(thinning.age, thinning.interval) for thinning in victoriametrics(flags).limits.thinning]
    assert found == [(0, 90_000), (30 * DAY_MS, 300_000), (180 * DAY_MS, HOUR)]


def test_a_closed_page_is_said_and_the_flags_are_read_elsewhere() -> None:
    """As VictoriaMetrics 1.79.5 answers with -metricsAuthKey; /flags names what was given."""
    closed = Answer(401, b"The provided authKey doesn't match -metricsAuthKey", VM_HEADERS)
    answers = {f"{P}/status/buildinfo": {}, "/metrics": closed}
    facts = ask(answers, VM_HEADERS)
    assert facts.retention is None
    assert "401" in facts.unread
    assert "-metricsAuthKey" in facts.unread
    assert "retention" in facts.unread
    told = '-dedup.minScrapeInterval="10m0s"\n-storageDataPath="vm"\n'
    facts = ask({**answers, "/flags": told}, VM_HEADERS)
    assert facts.retention == 31 * DAY_MS
    assert [thinning.interval for thinning in facts.limits.thinning] == [600_000]
    assert "labels" in facts.unread


def test_a_selector_of_a_cluster_does_not_know_the_retention() -> None:
    """vmselect has the query API, and its page lies at its root; the retention is its storage nodes'."""
    answers = {
        "/select/0/prometheus/api/v1/status/buildinfo": {},
        "/metrics": page({"search.maxQueueDuration": "10s"}),
    }
    facts = ask(answers, VM_HEADERS, "/select/0/prometheus")
    assert facts.retention is None
    assert "-retentionPeriod" in facts.unread


CONFIG_3_14 = """\
global:
  scrape_interval: 1m
storage:
  tsdb:
    out_of_order_time_window: 0s
    retention:
      time: 15d
  exemplars:
    max_exemplars: 100000
"""


@pytest.mark.parametrize(
    ("text", "config", "retention", "size", "by"),
    [
        ("15d", "global: {}\n", 15 * DAY_MS, "", "--storage.tsdb.retention.time"),
        ("15d", CONFIG_3_14, 15 * DAY_MS, "", "storage.tsdb.retention.time in its configuration file"),
        ("512MiB", "global: {}\n", None, "512MiB", "--storage.tsdb.retention.time"),
        ("30d or 80%", CONFIG_3_14, 30 * DAY_MS, "80%", "storage.tsdb.retention.time in its configuration file"),
        ("15d", "scrape_configs:\n- job_name: retention\n", 15 * DAY_MS, "", "--storage.tsdb.retention.time"),
        (
            "15d",
            "storage:\n  tsdb:\n    out_of_order_time_window: 1d\n",
            15 * DAY_MS,
            "",
            "--storage.tsdb.retention.time",
        ),
    ],
)
def test_where_the_retention_is_set(text: str, config: str, retention: int | None, size: str, by: str) -> None:
    facts = prometheus(**{"status/runtimeinfo": {"storageRetention": text}, "status/config": {"yaml": config}})
    assert (facts.retention, facts.retention_size, facts.retention_set_by) == (retention, size, by)
    assert facts.limits.odd == ()


def test_a_retention_of_prometheus_that_is_not_understood_is_named() -> None:
    facts = prometheus(**{"status/runtimeinfo": {"storageRetention": "3 moons"}})
    assert (facts.retention, facts.limits.odd) == (None, ('storageRetention="3 moons"',))


def test_another_store_is_called_by_its_name() -> None:
    assert ask({f"{P}/status/buildinfo": {"application": "Grafana Mimir", "version": "3.0"}}).name == "Grafana Mimir"
    assert ask({f"{P}/query": {"resultType": "vector", "result": []}}).name == "a Prometheus-like store"


def test_an_address_without_the_api_is_named() -> None:
    with pytest.raises(ReceiverError, match="404"):
        ask({})
    with pytest.raises(ReceiverError, match="query_url"):
        ask({f"{P}/status/buildinfo": "not json"})
