"""What a real Prometheus does with blocks that end after now, and with text whose range its retention cuts."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest

from tests.support.cli import Promfill, runner
from tests.support.servers import Server, start_prometheus

pytestmark = pytest.mark.server

COMMAND = ("tsdb", "create-blocks-from", "openmetrics")
DAY = 86_400


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str]) -> Promfill:
    return runner(capsys)


def stored(server: Server, metric: str) -> int:
    """All samples of a metric that the server still has."""
    query = {"query": f"sum(count_over_time({metric}[90d]))"}
    result = httpx.get(f"{server.url}/api/v1/query", params=query, timeout=30).json()["data"]["result"]
    return int(result[0]["value"][1]) if result else 0


def test_a_server_that_starts_on_a_block_of_the_future(promfill: Promfill, tmp_path: Path) -> None:
    data, text = tmp_path / "data", tmp_path / "late.txt"
    now = int(time.time())
    what = ("--metric-name", "good", "--start", str(now - 5 * DAY), "--end", str(now - 4 * 3_600))
    assert promfill("push", *what, "--output-dir", str(data)).code == 0
    text.write_bytes(b"late 1 %d\n# EOF\n" % (now + 400 * DAY))
    told = promfill(*COMMAND, "--allow-future", "-q", str(text), str(data))
    assert "will delete blocks" in told.err
    assert "(1,392 samples)" in told.err  # all that is there
    live = ("--metric-name", "live", "--start", str(now - 600), "--end", str(now), "--step", "1m")
    with start_prometheus(data, retention="15d") as server:
        assert stored(server, "good") == 0
        push = ("--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write")
        refused = promfill("push", *live, *push, "--accept-loss")
        assert refused.code != 0
        assert "out of bounds" in refused.err
        assert stored(server, "live") == 0


def test_the_retention_that_is_assumed_is_that_of_a_default_server(promfill: Promfill, tmp_path: Path) -> None:
    """Noon by noon, so that one block lies on the border, which moved in 2.52: both counts are told."""
    data, text = tmp_path / "data", tmp_path / "sparse.txt"
    first = int(time.time()) // DAY * DAY - 40 * DAY
    lines = [b"balance %d %d\n" % (k, first + k * DAY) for k in range(40)]
    text.write_bytes(b"# HELP balance at noon\n# TYPE balance gauge\n" + b"".join(lines) + b"# EOF\n")
    told = promfill(*COMMAND, str(text), str(data)).err
    assert "25 of 40 samples (62.5 %)" in told
    assert "15 remain (16 before Prometheus 2.52)" in told
    assert "HELP and TYPE will not be kept" in told
    with start_prometheus(data, retention="15d") as server:
        assert stored(server, "balance") in (15, 16)


def test_remote_write_ahead_of_the_clock(promfill: Promfill, tmp_path: Path) -> None:
    """A Prometheus before 2.54 takes it, and then refuses the present; a later one refuses it."""
    now = int(time.time())
    ahead = ("--metric-name", "m", "--start", str(now), "--end", str(now + 3 * 3_600), "--allow-future")
    live = ("--metric-name", "live", "--start", str(now - 600), "--end", str(now), "--step", "1m")
    with start_prometheus(tmp_path / "data") as server:
        push = ("--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write", "--accept-loss")
        told = promfill("check", *ahead, *push, "--json").json["findings"]
        pushed = promfill("push", *ahead, *push)
        refused = promfill("push", *live, *push)
    (future,) = [finding for finding in told if finding["kind"] == "future"]
    assert future["loses"]
    takes = "accepts samples up to" in future["text"]
    assert (pushed.code == 0) is takes
    assert (refused.code != 0) is takes
    assert "--mode blocks" not in pushed.err
    assert takes or "use an earlier --end" in pushed.err
