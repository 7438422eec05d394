from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from promfill.config import build_destination
from promfill.errors import ReceiverError
from promfill.http import make_client
from promfill.stores.api import Api
from promfill.stores.ask import ask_store, parse_store_duration
from promfill.stores.facts import StoreFacts
from promfill.times import DAY_MS, UNITS_MS
from tests.support.receiver import Answer, Receiver, Taken

HOUR = UNITS_MS["h"]


def ask(answers: Mapping[str, object], headers: Mapping[str, str] | None = None) -> StoreFacts:
    """The facts of a store that gives these answers: JSON data, or text as it is."""

    def answer(taken: Taken) -> Answer:
        said = answers.get(taken.path.partition("?")[0])
        if said is None:
            return Answer(404, b"404 page not found")
        body = said if isinstance(said, str) else json.dumps({"status": "success", "data": said})
        return Answer(200, body.encode(), headers or {})

    with Receiver(answer) as receiver:
        base = receiver.url.removesuffix("/api/v1/write") + "/prometheus"
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


def test_victoriametrics_tells_by_its_metrics_beside_the_prefix() -> None:
    flags = {"retentionPeriod": "1", "dedup.minScrapeInterval": "0s", "futureRetention": "3d"}
    lines = "".join(f'flag{{name="{name}", value="{value}", is_set="false"}} 1\n' for name, value in flags.items())
    facts = ask({f"{P}/status/buildinfo": {}, "/metrics": lines}, {"X-Server-Hostname": "vm"})
    assert facts.name == "VictoriaMetrics"
    assert (facts.retention, facts.future) == (31 * DAY_MS, 3 * DAY_MS)
    assert facts.doubles
    assert facts.rounds


def test_the_shorter_of_retention_and_backfill_age_holds() -> None:
    lines = 'flag{name="retentionPeriod", value="100y"} 1\nflag{name="maxBackfillAge", value="30d"} 1\n'
    lines += 'flag{name="dedup.minScrapeInterval", value="1ms"} 1\n'
    facts = ask({f"{P}/status/buildinfo": {}, "/metrics": lines}, {"X-Server-Hostname": "vm"})
    assert facts.retention == 30 * DAY_MS
    assert not facts.doubles


def test_another_store_is_called_by_its_name() -> None:
    assert ask({f"{P}/status/buildinfo": {"application": "Grafana Mimir", "version": "3.0"}}).name == "Grafana Mimir"
    assert ask({f"{P}/query": {"resultType": "vector", "result": []}}).name == "a Prometheus-like store"


def test_an_address_without_the_api_is_named() -> None:
    with pytest.raises(ReceiverError, match="404"):
        ask({})
    with pytest.raises(ReceiverError, match="--query-url"):
        ask({f"{P}/status/buildinfo": "not json"})


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("15d", 15 * DAY_MS),
        ("1h30m", 90 * 60_000),
        ("100y", 36_500 * DAY_MS),
        ("2w", 14 * DAY_MS),
        ("3", 93 * DAY_MS),
        ("1.5", 31 * 36 * HOUR),
        ("0s", 0),
        ("", 0),
        ("nonsense", 0),
        ("500ms", 500),
    ],
)
def test_durations_as_stores_write_them(text: str, ms: int) -> None:
    assert parse_store_duration(text, 31 * DAY_MS) == ms
