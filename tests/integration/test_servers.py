"""The helpers that the other tests stand on: a server that is up, gone, missing or broken is told as such."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.support.servers import Server, answers, require, run_promtool, start_prometheus

pytestmark = pytest.mark.server


def test_prometheus_takes_remote_writes_on_loopback(prometheus: Server) -> None:
    # An empty request: 204 where the receiver is switched on, 404 where it is not.
    answer = httpx.post(f"{prometheus.url}/api/v1/write", content=b"\x00", headers={"Content-Encoding": "snappy"})
    assert answer.status_code == 204, answer.text


def test_victoriametrics_answers(victoriametrics: Server) -> None:
    assert httpx.get(f"{victoriametrics.url}/api/v1/labels").json()["status"] == "success"


def test_a_stopped_server_is_gone(tmp_path: Path) -> None:
    with start_prometheus(tmp_path / "data") as server:
        assert answers(f"{server.url}/-/ready")
    assert server.process.poll() == 0
    assert not answers(f"{server.url}/-/ready")


def test_a_server_that_cannot_start_shows_its_log(tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="no-such-key"):
        start_prometheus(tmp_path / "data", config="no-such-key: 1\n")


def test_promtool_runs() -> None:
    assert run_promtool("--version").returncode == 0


def test_a_missing_program_fails_in_ci_and_is_skipped_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="install"):
        require("no-such-program")
    monkeypatch.delenv("CI")
    with pytest.raises(pytest.skip.Exception, match="install"):
        require("no-such-program")
