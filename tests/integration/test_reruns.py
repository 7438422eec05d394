"""The same command again, into real stores: nothing is doubled or mixed without a word before the first byte."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.support.cli import Promfill
from tests.support.servers import Server, start_prometheus, start_victoriametrics
from tests.support.waiting import wait_for

pytestmark = pytest.mark.server

FLEET = ("--metric-name", "vpn", "--labels", "host={1..3},job=x")
NOON = int(time.time()) // 86_400 * 86_400 - 43_200  # of yesterday
SETTLED = 11  # seconds until the store's silence is believed


def push_to(server: Server, *what: str) -> tuple[str, ...]:
    return (*FLEET, *what, "--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write")


def day(shift: int = 0) -> tuple[str, ...]:
    """A day of explicit times, so many seconds later."""
    return "--start", str(NOON - 86_400 + shift), "--end", str(NOON + shift)


def stored(server: Server) -> int:
    """Samples of the metric, doubles counted."""
    if server.name == "victoria-metrics":
        httpx.get(f"{server.url}/internal/force_flush")
        lines = httpx.get(f"{server.url}/api/v1/export", params={"match[]": "vpn"}).text.splitlines()
        return sum(line.partition('"timestamps"')[2].count(",") + 1 for line in lines)
    query = {"query": "sum(count_over_time(vpn[10d]))", "time": str(NOON + 2 * 86_400)}
    result = httpx.get(f"{server.url}/api/v1/query", params=query).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def shown(server: Server, samples: int) -> None:
    wait_for(lambda: stored(server) == samples)


def on_grid() -> None:
    """Wait out the end of a step: what follows lies in one."""
    while time.time() % 300 > 280:
        time.sleep(1)


def test_two_pushes_seconds_apart_are_one_in_victoriametrics(promfill: Promfill, victoriametrics: Server) -> None:
    on_grid()
    push = ("push", *push_to(victoriametrics, "--start", "now-1d"))
    assert promfill(*push).code == 0
    time.sleep(3)
    again = promfill(*push)
    assert again.code == 2
    assert "Nothing was sent" in again.err
    shown(victoriametrics, 3 * 288)
    assert promfill("verify", *FLEET, "--start", "now-1d", "--query-url", victoriametrics.url).code == 0


def test_two_pushes_seconds_apart_are_one_in_prometheus(promfill: Promfill, prometheus: Server) -> None:
    on_grid()
    push = ("push", *push_to(prometheus, "--start", "now-1d"))
    assert promfill(*push).code == 0
    time.sleep(3)
    again = promfill(*push, "--verify", "--json")
    assert again.code == 0
    assert (again.json["written"], again.json["there_before"], again.json["verified"]["found"]) == (0, 864, 864)
    assert stored(prometheus) == 3 * 288
    assert "864 samples: the store already holds the whole push" in promfill(*push).out
    assert promfill("check", *push[1:]).code == 0


def test_two_pushes_seconds_apart_are_one_in_blocks(promfill: Promfill, tmp_path: Path) -> None:
    on_grid()
    push = ("push", *FLEET, "--start", "now-1d", "--output-dir", str(tmp_path / "data"))
    assert promfill(*push).code == 0
    time.sleep(3)
    assert promfill(*push).code == 0
    with start_prometheus(tmp_path / "data") as server:
        assert stored(server) == 3 * 288


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (
            3600,
            "828 samples of these series in this range at the same times with other values: VictoriaMetrics keeps both",
        ),
        (7, "861 samples of these series in this range at other times: the push would interleave"),
        (-7, "861 samples of these series in this range at other times: the push would interleave"),
        (0, "864 of 864 samples of this push with the same values: VictoriaMetrics would keep them twice"),
    ],
)
def test_a_rerun_into_victoriametrics_is_refused_with_counts(
    promfill: Promfill, victoriametrics: Server, tmp_path: Path, shift: int, words: str
) -> None:
    assert promfill("push", *push_to(victoriametrics, *day())).code == 0
    shown(victoriametrics, 864)
    here = ("--checkpoint", str(tmp_path / "other.json"))  # nothing but the store knows of the first
    for again in (
        promfill("push", *push_to(victoriametrics, *day(shift)), *here),
        promfill("check", *push_to(victoriametrics, *day(shift)), *here),
    ):
        assert again.code == 2
        assert words in again.err
        assert "--again" in again.err
    time.sleep(2)  # whatever had been sent could be read by now
    assert stored(victoriametrics) == 864
    assert not (tmp_path / "other.json").exists()
    again = promfill("push", *push_to(victoriametrics, *day(shift)), *here, "--again")
    assert again.code == 0
    shown(victoriametrics, 2 * 864)


def test_blocks_beside_a_store_are_warned_of_alone(promfill: Promfill, victoriametrics: Server) -> None:
    """--again is not of their mode, and whoever serves them merges them."""
    assert promfill("push", *push_to(victoriametrics, *day())).code == 0
    shown(victoriametrics, 864)
    blocks = (*FLEET, *day(3600), "--query-url", victoriametrics.url)
    for command in ("check", "push"):
        told = promfill(command, *blocks)
        assert told.code == 0
        assert "828 samples of these series in this range at the same times with other values" in told.err + told.out
        assert "serves the directory" not in told.err + told.out


@pytest.mark.parametrize(
    ("shift", "words"),
    [
        (3600, "828 samples of these series in this range at the same times with other values: Prometheus refuses"),
        (7, "861 samples of these series in this range at other times: the push would interleave"),
    ],
)
def test_a_rerun_into_prometheus_is_warned_of_with_counts(
    promfill: Promfill, tmp_path: Path, shift: int, words: str
) -> None:
    window = "global: {}\nstorage: {tsdb: {out_of_order_time_window: 5d}}\n"
    with start_prometheus(tmp_path / "p", config=window) as server:
        assert promfill("push", *push_to(server, *day())).code == 0
        told = promfill("push", *push_to(server, *day(shift)))
        assert words in told.err.splitlines()[0]
        assert told.err.startswith("promfill: warning: Prometheus at")
        kinds = [one["kind"] for one in promfill("check", *push_to(server, *day(shift + 1)), "--json").json["findings"]]
        assert "interleaves" in kinds
        quiet = promfill("push", *push_to(server, *day(shift + 1)), "-q")
        assert "the push would interleave" in quiet.err


def test_the_earlier_times_are_named(
    promfill: Promfill, victoriametrics: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_grid()
    push = ("push", *push_to(victoriametrics, "--start", "now-1d"))
    first = promfill(*push, "--json").json
    shown(victoriametrics, 864)
    now = time.time() + 3600
    monkeypatch.setattr("promfill.cli.options.shared.time.time", lambda: now)
    again = promfill(*push, "--allow-future")
    assert again.code == 2
    times = f"--start {first['start_epoch']} --end {first['end_epoch']}"
    assert f"the same command with {times} is the same push as before" in again.err


def test_deduplication_makes_a_rerun_harmless(promfill: Promfill, tmp_path: Path) -> None:
    with start_victoriametrics(tmp_path / "vm", "-dedup.minScrapeInterval=1ms") as server:
        push = ("push", *push_to(server, *day()))
        assert promfill(*push).code == 0
        shown(server, 864)
        again = promfill(*push)
        assert again.code == 0
        assert "sending them again changes nothing" in again.err
        for shift, words in ((7, "the push would interleave"), (3600, "VictoriaMetrics keeps one of the two")):
            between = promfill("push", *push_to(server, *day(shift)))
            assert between.code == 2
            assert words in between.err
        assert stored(server) == 864


def test_series_that_were_deleted_can_be_pushed_again(promfill: Promfill, victoriametrics: Server) -> None:
    push = ("push", *push_to(victoriametrics, *day()))
    assert promfill(*push).code == 0
    shown(victoriametrics, 864)
    time.sleep(SETTLED)
    httpx.get(f"{victoriametrics.url}/api/v1/admin/tsdb/delete_series", params={"match[]": "vpn"})
    again = promfill(*push)
    assert again.code == 0
    assert "belongs to a finished run and is overwritten" in again.err
    shown(victoriametrics, 864)


def test_a_resumed_push_is_no_rerun(promfill: Promfill, victoriametrics: Server) -> None:
    push = ("push", *push_to(victoriametrics, *day(), "--max-samples-per-send", "100"))
    assert promfill(*push).code == 0
    (path,) = Path(".promfill").glob("*.json")
    text = path.read_text()
    path.write_text(text.replace('"finished": true', '"finished": false'))  # as if it had been ended before the end
    shown(victoriametrics, 864)
    resumed = promfill(*push, "--resume")
    assert resumed.code == 0
    assert "already holds" not in resumed.err
    assert stored(victoriametrics) == 864
