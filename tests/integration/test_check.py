"""check foretells what real stores do with a push: delete, drop, refuse."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import snappy

from promfill.pb.remote_write_1_pb2 import WriteRequest
from promfill.scenario.times import UNITS_MS
from tests.support.cli import Promfill, runner
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.servers import Server, start_prometheus, start_victoriametrics

pytestmark = pytest.mark.server

STEP, SERIES = 300_000, 4
SCRAPES_ITSELF = (
    "global: {scrape_interval: 5s}\n"
    "scrape_configs: [{job_name: prometheus, static_configs: [{targets: ['127.0.0.1:{port}']}]}]\n"
)


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Promfill:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


def days(count: int) -> tuple[str, ...]:
    """What is pushed: 4 series, from so many days ago until a moment ago; times as numbers, so that all runs agree."""
    end = int(time.time())  # so no sample comes near the border of a retention, which moves on while a test runs
    return (
        "--metric-name",
        "m",
        "--labels",
        f"host={{1..{SERIES}}}",
        "--start",
        str(end - count * 86_400 + 150),
        "--end",
        str(end),
    )


def stored(server: Server) -> int:
    """All samples of the metric that the server still has."""
    query = {"query": "sum(count_over_time(m[90d]))", "time": str(int(time.time()) + 60), "nocache": "1"}
    result = httpx.get(f"{server.url}/api/v1/query", params=query, timeout=30).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def foretold(report: dict[str, object]) -> int:
    """Samples that check says are lost."""
    findings = report["findings"]
    assert isinstance(findings, list)
    return sum(finding["samples"] for finding in findings if finding["loses"])


def settles(read: Callable[[], int]) -> int:
    """What `read` gives once it gives it twice."""
    last = -1
    for _ in range(100):
        value = read()
        if value == last:
            return value
        last = value
        time.sleep(0.2)
    raise AssertionError("it never settles")


def wait_until(reached: Callable[[], bool]) -> None:
    """Return once it is so."""
    deadline = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize("count", [21, 60])
def test_blocks_that_are_too_old_are_deleted_at_the_start(promfill: Promfill, tmp_path: Path, count: int) -> None:
    what, data = days(count), tmp_path / "data"
    with start_prometheus(data, retention="15d") as server:
        ask = (*what, "--output-dir", str(data), "--query-url", server.url)
        told = promfill("check", *ask, "--json")
        assert told.code == 2
        assert "--storage.tsdb.retention.time" in told.err
        assert promfill("check", *ask, "--accept-loss").code == 0
    assert promfill("push", *what, "--output-dir", str(data)).code == 0  # nobody is asked, so the default is assumed
    lost = foretold(told.json)
    assert lost > 5 * 288 * SERIES
    with start_prometheus(data, retention="15d") as server:
        assert settles(lambda: stored(server)) == SERIES * (count * 288 - 1) - lost


@pytest.mark.parametrize("count", [21, 60])
def test_victoriametrics_drops_what_is_too_old(promfill: Promfill, tmp_path: Path, count: int) -> None:
    with start_victoriametrics(tmp_path / "vm", retention="1") as server:
        what = days(count)
        push = (*what, "--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write")
        told = promfill("check", *push, "--json")
        lost = foretold(told.json)
        assert told.code == (2 if lost else 0)
        assert abs(lost - SERIES * max(0, count - 31) * 288) <= SERIES
        if lost:
            assert promfill("push", *push).code == 2
        assert promfill("push", *push, "--accept-loss").code == 0
        wait_until(lambda: ignored(server) == lost)
        seen = promfill("verify", *what, "--query-url", server.url, "--json")
        assert seen.json["missing"] == lost
        assert seen.code == (1 if lost else 0)


def head_span(server: Server) -> int:
    """How much time the head holds (ms): it is cut into blocks of two hours while that is more than three."""
    head = httpx.get(f"{server.url}/api/v1/status/tsdb").json()["data"]["headStats"]
    return int(head["maxTime"] - head["minTime"])


def ignored(server: Server) -> int:
    """Samples that were too old for VictoriaMetrics, by its own count, which it brings up to date now and then."""
    found = re.search(
        r'vm_rows_ignored_total\{reason="small_timestamp"\} (\d+)', httpx.get(f"{server.url}/metrics").text
    )
    return int(found[1]) if found else 0


def test_remote_written_history_is_kept_to_a_block(promfill: Promfill, tmp_path: Path) -> None:
    what, data = days(21), tmp_path / "data"
    with start_prometheus(data, retention="15d") as server:
        push = (*what, "--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write")
        told = promfill("check", *push, "--json")
        assert told.code == 2
        assert promfill("push", *push, "--accept-loss").code == 0
        wait_until(lambda: head_span(server) <= 3 * UNITS_MS["h"])
    with start_prometheus(data, retention="15d") as server:
        kept = settles(lambda: stored(server))
    bound = SERIES * (21 * 288 - 1) - foretold(told.json)
    largest = 18 * 12 * SERIES  # Prometheus's blocks are of 2, 6 and 18 hours within a retention of 15 days
    assert bound <= kept <= bound + largest


def test_a_receiver_that_is_off_is_seen(promfill: Promfill, tmp_path: Path) -> None:
    with start_prometheus(tmp_path / "data") as server:
        url = f"{server.url}/api/v1/write"
        assert promfill("check", *days(1), "--mode", "remote-write", "--remote-write-url", url).code == 0
        told = promfill("check", *days(1), "--mode", "remote-write", "--remote-write-url", f"{server.url}/nowhere")
        assert told.code == 0
        assert "its limits were not checked" in told.out


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus that scrapes itself, and has done so once."""
    with start_prometheus(tmp_path_factory.mktemp("scraping") / "data", config=SCRAPES_ITSELF) as server:
        wait_until(lambda: head_span(server) >= 0)
        yield server


def passes(server: Server, paths: str) -> Callable[[Taken], Answer]:
    """A proxy before the server for what begins with one of these paths, separated by blanks."""

    def answer(taken: Taken) -> Answer:
        if not taken.path.startswith(tuple(paths.split())):
            return Answer(404, b"404 page not found")
        headers = {name: taken.headers[name] for name in ("content-encoding", "content-type") if name in taken.headers}
        said = httpx.request(taken.method, server.url + taken.path, content=taken.body, headers=headers)
        return Answer(said.status_code, said.content)

    return answer


def test_a_push_into_a_prometheus_that_scrapes_itself_sends_nothing(promfill: Promfill, scraping: Server) -> None:
    with Receiver(passes(scraping, "/api/v1/")) as proxy:
        push = (*days(21), "--mode", "remote-write", "--remote-write-url", proxy.url)
        for told in (promfill("push", *push), promfill("check", *push)):
            assert told.code == 2
            assert "--mode blocks" in told.err
            assert "out_of_order_time_window" in told.err
            assert "Nothing was sent" in told.err
    assert not [taken for taken in proxy.taken if taken.path.startswith("/api/v1/write")]
    assert {taken.path for taken in proxy.taken if taken.method == "POST"} == {"/api/v1/read"}  # what it holds already


def test_behind_a_proxy_the_first_request_tells(promfill: Promfill, scraping: Server) -> None:
    with Receiver(passes(scraping, "/api/v1/write")) as proxy:
        push = (*days(21), "--mode", "remote-write", "--remote-write-url", proxy.url)
        assert promfill("check", *push).code == 0
        told = promfill("push", *push)
        posts = [taken for taken in proxy.taken if taken.method == "POST"]
    assert told.code == 3
    assert len([taken for taken in posts if WriteRequest.FromString(snappy.uncompress(taken.body)).timeseries]) == 1
    assert "--mode blocks" in told.err
    assert "out_of_order_time_window" in told.err
    assert stored(scraping) == 0


def test_samples_far_ahead_are_refused(promfill: Promfill, tmp_path: Path) -> None:
    start = int(time.time()) // 300 * 300
    what = ("--metric-name", "m", "--start", str(start), "--end", str(start + 3 * 3_600), "--allow-future")
    with start_prometheus(tmp_path / "data") as server:
        url = f"{server.url}/api/v1/write"
        told = promfill("check", *what, "--mode", "remote-write", "--remote-write-url", url, "--json")
    assert told.code == 2
    assert [finding["kind"] for finding in told.json["findings"] if finding["loses"]] == ["future"]
