"""Remote write into real receivers: every sample of the original's examples and of a fleet is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from promfill.errors import ReceiverError
from promfill.model.batch import LabelSet
from promfill.model.grid import Tile
from promfill.net.http import HttpClient, make_client
from promfill.net.resolve import build_destination
from promfill.pipeline.push import push
from promfill.protocols import SinkReport
from promfill.sinks.remote_write.plan import Limits
from promfill.sinks.remote_write.sink import Sending, open_remote_write
from promfill.sources.generated import Source
from tests.support.remote_write import samples_of
from tests.support.servers import Server, start_prometheus
from tests.support.sources import source_of

pytestmark = pytest.mark.server

VPN = (
    "instance=127.0.0.2:9273,job=metrics_generator:8123,"
    "tenant_uuid=abc123,uuid=device-uuid-123,vpn=active_ravpn_tunnels"
)
DAYS_21 = 6048


def example_1() -> Source:
    """21 days of metric vpn, as the original's first example makes them."""
    return source_of(VPN, DAYS_21, metric="vpn", description="Active RAVPN tunnels")


def example_2() -> Source:
    """The fixed range of metric cpu."""
    labels = "cpu=lina_cp_avg,tenant_uuid=xyz789,uuid=device-xyz"
    signal = {"trend_coefficient": 0.5, "flat_base": 10.0}
    return source_of(labels, DAYS_21, metric="cpu", start=1_702_800_000_000, signal=signal)


def send(source: Source, server: Server, limits: Limits | None = None) -> SinkReport:
    sending = Sending(limits=limits or Limits())
    return push(source, open_remote_write(source, client_of(f"{server.url}/api/v1/write"), sending))


def client_of(url: str) -> Callable[[], HttpClient]:
    return lambda: make_client(build_destination(url, environment={}))


def whole(source: Source) -> dict[LabelSet, list[tuple[int, int]]]:
    return samples_of(source.batch(Tile(0, source.grid.steps, 0, len(source.fleet))))


def held_by(server: Server, source: Source) -> dict[LabelSet, list[tuple[int, int]]]:
    """(time, bits) of every sample that the query API shows: a range selector returns raw samples."""
    grid = source.grid
    span = f"{(grid.steps * grid.step) // 1000 + 1}s"
    query = {"query": f"{source.scenario.metric}[{span}]", "time": str(grid.last / 1000)}
    answer: Any = httpx.get(f"{server.url}/api/v1/query", params=query, timeout=60, trust_env=False).json()
    return {tuple(sorted(row["metric"].items())): as_bits(row["values"]) for row in answer["data"]["result"]}


def as_bits(values: list[tuple[float, str]]) -> list[tuple[int, int]]:
    bits = np.array([float(value) for _, value in values]).view(np.uint64).tolist()
    return [(round(time * 1000), value) for (time, _), value in zip(values, bits, strict=True)]


@pytest.mark.parametrize("example", [example_1, example_2])
def test_the_original_s_examples_are_in_prometheus_by_bits(prometheus: Server, example: Any) -> None:
    source = example()
    report = send(source, prometheus)
    assert report.samples == DAYS_21
    assert report.details["requests"] == 1
    assert held_by(prometheus, source) == whole(source)


def test_a_fleet_is_in_prometheus_by_bits(prometheus: Server) -> None:
    """Several requests a window, since 300 series do not fit one; and labels that need quoting anywhere else."""
    source = source_of('host=h{1..100},rack="a,\\"b\\"",zone={x,ü,→}', 100)
    report = send(source, prometheus, Limits(samples=1500))
    assert report.samples == 30_000
    assert report.details["requests"] > 100 / 12 * 2
    assert held_by(prometheus, source) == whole(source)


def test_three_weeks_of_a_thousand_series_are_taken_whole(prometheus: Server) -> None:
    """6,048,000 samples, time-major, into a Prometheus without an out-of-order window: counted, and none refused."""
    source = source_of("host=h{1..1000}", DAYS_21)
    assert send(source, prometheus).samples == 6_048_000
    window = f"{DAYS_21 * source.grid.step // 1000}s"
    query = {"query": f"sum(count_over_time(m[{window}]))", "time": str(source.grid.last / 1000)}
    answer: Any = httpx.get(f"{prometheus.url}/api/v1/query", params=query, timeout=60, trust_env=False).json()
    assert answer["data"]["result"][0]["value"][1] == "6048000"
    metrics = httpx.get(f"{prometheus.url}/metrics", trust_env=False).text
    assert 'prometheus_tsdb_head_samples_appended_total{type="float"} 6.048e+06' in metrics
    refused = [line for line in metrics.splitlines() if line.startswith("prometheus_tsdb_out_of_")]
    assert refused
    assert all(line.endswith(" 0") for line in refused)


def test_a_wide_window_of_one_request_is_taken(prometheus: Server) -> None:
    """1,000 steps a window, 3.5 days: a window of one request may be wider than an hour."""
    source = source_of("host=h{1..20}", 3000)
    assert send(source, prometheus).details["requests"] == 3
    assert held_by(prometheus, source) == whole(source)


def test_metadata_that_the_receiver_does_not_keep(prometheus: Server) -> None:
    """A receiver that does not keep metadata takes the request all the same."""
    assert send(source_of("", 10, description="of\nlines", unit="seconds"), prometheus).samples == 10


def test_a_prometheus_that_holds_newer_samples_names_the_ways_out(prometheus: Server) -> None:
    send(source_of("", 10, metric="newer", start=1_702_800_000_000), prometheus)
    with pytest.raises(ReceiverError) as caught:
        send(source_of("", 100), prometheus)
    words = str(caught.value)
    assert "400 Bad Request: out of bounds" in words
    assert "mode=blocks" in words
    assert "out_of_order_time_window" in words
    assert "No samples were accepted" in words


def test_the_same_push_again_is_recognised(prometheus: Server) -> None:
    source = source_of("", 10)
    send(source, prometheus)
    with pytest.raises(ReceiverError, match="if an earlier push sent them, nothing is missing"):
        send(source, prometheus)


def test_an_out_of_order_window_takes_history_beside_newer_samples(tmp_path: Path) -> None:
    config = "storage: {tsdb: {out_of_order_time_window: 100000h}}\n"
    with start_prometheus(tmp_path / "data", config=config) as prometheus:
        send(source_of("", 10, metric="newer", start=1_702_800_000_000), prometheus)
        source = source_of("", 100)
        send(source, prometheus)
        assert held_by(prometheus, source) == whole(source)


def test_a_prometheus_without_the_receiver_names_its_flag(prometheus: Server) -> None:
    source = source_of("", 10)
    with pytest.raises(ReceiverError, match=r"404 Not Found.*--web.enable-remote-write-receiver"):
        push(source, open_remote_write(source, client_of(f"{prometheus.url}/api/v1/push")))


@pytest.mark.parametrize("example", [example_1, example_2])
def test_the_original_s_examples_are_in_victoriametrics(victoriametrics: Server, example: Any) -> None:
    """Every timestamp; values as near as a store of 12 digits keeps them."""
    source = example()
    report = send(source, victoriametrics)
    assert report.details["receiver"] == "VictoriaMetrics"
    httpx.get(f"{victoriametrics.url}/internal/force_flush", trust_env=False).raise_for_status()
    query = {"match[]": source.scenario.metric, "nocache": "1"}
    (line,) = httpx.get(f"{victoriametrics.url}/api/v1/export", params=query, trust_env=False).text.splitlines()
    held: Any = httpx.Response(200, content=line).json()
    batch = source.batch(Tile(0, DAYS_21, 0, 1))
    assert held["metric"] == dict(source.fleet.label_set(0))
    assert held["timestamps"] == batch.timestamps.tolist()
    np.testing.assert_allclose(held["values"], batch.values[:, 0], rtol=2e-12)
