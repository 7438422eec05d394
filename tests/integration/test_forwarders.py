"""Real forwarders before a real store: what check foretells of a push through them is what arrives."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.cli import Promfill
from tests.support.servers import Server, start_agent, start_prometheus, start_victoriametrics, start_vmagent

pytestmark = pytest.mark.server

SERIES = 4


def push_of(start: int, end: int, *more: str) -> tuple[str, ...]:
    return ("--metric-name", "m", "--labels", f"host={{1..{SERIES}}}", "--start", str(start), "--end", str(end), *more)


def through(server: Server) -> tuple[str, ...]:
    return ("--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write")


def stored(server: Server) -> int:
    """Samples of the metric that a VictoriaMetrics holds."""
    httpx.get(f"{server.url}/internal/force_flush")
    lines = httpx.get(f"{server.url}/api/v1/export", params={"match[]": "m"}, timeout=30).text.splitlines()
    return sum(line.count(",") + 1 for line in (text[text.index('"timestamps":[') :] for text in lines))


def wait_until(reached: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Server]:
    with start_victoriametrics(tmp_path / "vm") as server:
        yield server


@pytest.fixture
def agent(tmp_path: Path, store: Server) -> Iterator[Server]:
    with start_agent(tmp_path / "agent", f"{store.url}/api/v1/write") as server:
        yield server


@pytest.fixture
def vmagent(tmp_path: Path, store: Server) -> Iterator[Server]:
    with start_vmagent(tmp_path / "vmagent", f"{store.url}/api/v1/write") as server:
        yield server


def test_nothing_is_sent_into_an_agent(promfill: Promfill, agent: Server, store: Server) -> None:
    now = int(time.time())
    what = (*push_of(now - 21_600, now - 18_000), *through(agent))
    told = promfill("check", *what, "--json")
    assert told.code == 2
    assert [(found["kind"], found["samples"]) for found in told.json["findings"]] == [("forwarder", 48)]
    assert told.json["forwarder"]["sends_to"] == [f"{store.url}/api/v1/write"]
    told = promfill("push", *what)
    assert told.code == 2
    assert "agent" in told.err
    assert f"{store.url}/api/v1/write" in told.err
    assert "Nothing was sent" in told.err


def test_an_agent_forwards_what_is_newer_than_its_start(promfill: Promfill, agent: Server, store: Server) -> None:
    started = time.time()
    wait_until(lambda: time.time() > started + 6)
    now = int(time.time())
    what = (*push_of(now - 20, now, "--step-size", "1s"), *through(agent))
    (found,) = promfill("check", *what, "--json").json["findings"]
    assert found["loses"]
    assert 10 * SERIES <= found["samples"] < 18 * SERIES
    pushed = promfill("push", *what, "--accept-loss")
    assert pushed.code == 0
    assert "promfill verify --" not in pushed.out
    wait_until(lambda: stored(store) == 20 * SERIES - found["samples"])
    time.sleep(1)
    assert stored(store) == 20 * SERIES - found["samples"]


def test_an_agent_is_no_store_to_verify(promfill: Promfill, agent: Server) -> None:
    told = promfill("verify", *push_of(1_700_000_000, 1_700_003_600), "--query-url", agent.url)
    assert told.code == 3
    assert "Prometheus agent" in told.err
    assert "--query-url" in told.err
    told = promfill("check", *push_of(1_700_000_000, 1_700_003_600), "--query-url", agent.url)
    assert told.code == 2
    assert "Prometheus agent" in told.err


def test_a_vmagent_is_told_from_a_store(promfill: Promfill, vmagent: Server) -> None:
    now = int(time.time())
    what = (*push_of(now - 21_600, now - 18_000), *through(vmagent))
    told = promfill("check", *what)
    assert told.code == 0
    assert "vmagent, not a store" in told.out
    assert "--query-url" in told.out
    refused = promfill("push", *what, "--verify")
    assert refused.code == 2
    assert "--verify has nothing to read" in refused.err
    pushed = promfill("push", *what)
    assert pushed.code == 0
    assert "vmagent" in pushed.err
    assert "promfill verify --metric-name" not in pushed.out
    asked = promfill("verify", *push_of(now - 21_600, now - 18_000), "--query-url", vmagent.url)
    assert asked.code == 3
    assert "vmagent" in asked.err


def test_a_push_through_a_vmagent_is_judged_by_the_store_behind(
    promfill: Promfill, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = int(time.time())
    what = push_of(now - 60 * 86_400 + 150, now)
    with (
        start_victoriametrics(tmp_path / "vm", retention="1") as store,
        start_vmagent(tmp_path / "va", f"{store.url}/api/v1/write") as vmagent,
    ):
        push = (*what, *through(vmagent), "--query-url", store.url)
        told = promfill("check", *push, "--json")
        assert told.code == 2
        lost = sum(found["samples"] for found in told.json["findings"] if found["loses"])
        assert abs(lost - SERIES * 29 * 288) <= SERIES
        pushed = promfill("push", *push, "--accept-loss")
        assert pushed.code == 0
        assert "receiver only forwards" not in pushed.out
        (address,) = re.findall(r"promfill verify .* --query-url (\S+)", pushed.out)
        assert address == store.url
        wait_until(lambda: stored(store) == SERIES * (60 * 288 - 1) - lost)


def test_what_went_through_a_vmagent_is_waited_for(promfill: Promfill, vmagent: Server, store: Server) -> None:
    now = int(time.time())
    push = (*push_of(now - 86_400, now), *through(vmagent), "--query-url", store.url)
    assert promfill("push", *push, "--verify").code == 0


def ordered(server: Server) -> int:
    """Samples of the metric that a Prometheus holds."""
    query = {"query": "sum(count_over_time(m[90d]))", "time": str(int(time.time()) + 60)}
    result = httpx.get(f"{server.url}/api/v1/query", params=query, timeout=30).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def test_a_vmagent_that_takes_its_time(promfill: Promfill, tmp_path: Path, store: Server) -> None:
    now = int(time.time())
    with start_vmagent(tmp_path / "va", f"{store.url}/api/v1/write", "-remoteWrite.flushInterval=6s") as vmagent:
        push = (*push_of(now - 86_400, now), *through(vmagent), "--query-url", store.url)
        told = promfill("push", *push, "--verify", "--json")
    assert told.code == 0, told.err
    assert told.json["verified"]["waited_seconds"] > 1
    assert "waiting up to 30s" in told.err


@pytest.mark.parametrize(("window", "code"), [("", 2), ("storage: {tsdb: {out_of_order_time_window: 30d}}\n", 0)])
def test_a_vmagent_before_a_store_that_wants_order(promfill: Promfill, tmp_path: Path, window: str, code: int) -> None:
    now = int(time.time())
    what = ("--metric-name", "m", "--labels", "host={1..200}", "--start", str(now - 864_000), "--end", str(now))
    with (
        start_prometheus(tmp_path / "data", config=window or "global: {}\n") as store,
        start_vmagent(tmp_path / "va", f"{store.url}/api/v1/write") as vmagent,
    ):
        push = (*what, *through(vmagent), "--query-url", store.url)
        told = promfill("check", *push)
        assert told.code == code
        assert ("out of order" in told.out) is bool(code)
        assert promfill("push", *push, "--accept-loss").code == 0
        if not code:
            wait_until(lambda: ordered(store) == 576_000)


def test_a_vmagent_with_limits_of_its_own_says_them(promfill: Promfill, tmp_path: Path, store: Server) -> None:
    flags = ("-remoteWrite.maxHourlySeries=10", "-remoteWrite.label=dc=x")
    now = int(time.time())
    what = ("--metric-name", "m", "--labels", "host={1..40}", "--start", str(now - 7_200), "--end", str(now - 3_600))
    with start_vmagent(tmp_path / "va", f"{store.url}/api/v1/write", *flags) as vmagent:
        push = (*what, *through(vmagent), "--query-url", store.url)
        told = promfill("check", *push, "--json")
        found = {finding["kind"]: finding for finding in told.json["findings"]}
        assert found["series"]["samples"] == 30 * 12
        assert "-remoteWrite.label" in found["rules"]["text"]
        assert promfill("push", *push, "--accept-loss").code == 0
        wait_until(lambda: stored(store) >= 10 * 12)
    assert stored(store) < 20 * 12


def test_a_store_that_is_closed_but_for_its_flags(promfill: Promfill, tmp_path: Path) -> None:
    now = int(time.time())
    with start_victoriametrics(tmp_path / "vm", "-metricsAuthKey=k", retention="1") as store:
        told = promfill("check", *push_of(now - 60 * 86_400 + 150, now), *through(store), "--json")
    assert told.code == 2
    found = {finding["kind"]: finding for finding in told.json["findings"]}
    assert abs(found["retention"]["samples"] - SERIES * 29 * 288) <= SERIES
    assert "metricsAuthKey" in found["unread"]["text"]


@pytest.mark.parametrize(
    ("flags", "labels", "kind"),
    [
        (("-dedup.minScrapeInterval=7m",), "host={1..4}", "deduplication"),
        (("-maxLabelsPerTimeseries=2",), "host={1..2},b=x", "labels"),
        (("-maxLabelValueLen=4",), "host={998..1001},b=x{y,yyyy}", "label-value"),
        ((), "host={1..2}," + "l" * 257 + "=x", "label-name"),
    ],
)
def test_the_other_limits_of_a_store_drop_what_is_foretold(
    promfill: Promfill, tmp_path: Path, flags: tuple[str, ...], labels: str, kind: str
) -> None:
    now = int(time.time())
    what = ("--metric-name", "m", "--labels", labels, "--start", str(now - 86_400), "--end", str(now - 3_600))
    with start_victoriametrics(tmp_path / "vm", *flags) as store:
        told = promfill("check", *what, *through(store), "--json")
        assert told.code == 2
        (loss,) = [finding for finding in told.json["findings"] if finding["loses"]]
        assert loss["kind"] == kind
        assert promfill("push", *what, *through(store), "--accept-loss").code == 0
        seen = promfill("verify", *what, "--query-url", store.url, "--json")
    assert seen.json["missing"] == loss["samples"]


def test_more_new_series_than_a_store_takes(promfill: Promfill, tmp_path: Path) -> None:
    """It remembers the series by a filter that takes a few for old ones: the count is a bound."""
    now = int(time.time())
    what = ("--metric-name", "m", "--labels", "host={1..40}", "--start", str(now - 86_400), "--end", str(now - 3_600))
    with start_victoriametrics(tmp_path / "vm", "-storage.maxHourlySeries=10") as store:
        told = promfill("check", *what, *through(store), "--json")
        (loss,) = [finding for finding in told.json["findings"] if finding["loses"]]
        assert (loss["kind"], loss["samples"]) == ("series", 30 * 276)
        assert promfill("push", *what, *through(store), "--accept-loss").code == 0
        seen = promfill("verify", *what, "--query-url", store.url, "--json")
    assert 20 * 276 < seen.json["missing"] <= loss["samples"]


def test_a_prometheus_behind_a_proxy_is_no_forwarder(promfill: Promfill, tmp_path: Path) -> None:
    now = int(time.time())
    with start_prometheus(tmp_path / "data") as server:
        told = promfill("check", *push_of(now - 7_200, now - 3_600), *through(server), "--json")
    assert told.json["forwarder"] is None
    assert "forwarder" not in [finding["kind"] for finding in told.json["findings"]]
