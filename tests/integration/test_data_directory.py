"""Blocks into directories that others use: what is said, and what the system allows."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from promfill.files.claims import is_locked
from tests.support.cli import Promfill, runner
from tests.support.servers import require, start_prometheus

RECENT = ("--metric-name", "vpn", "--start", "now-6h", "--end", "now-1h")
OLD = ("--metric-name", "vpn", "--start", "now-12h", "--end", "now-4h")
DANGER = "the newest block ends within the last 3 hours"


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str]) -> Promfill:
    return runner(capsys)


@pytest.mark.server
def test_a_running_prometheus_is_seen_by_its_lock(promfill: Promfill, tmp_path: Path) -> None:
    data = tmp_path / "data"
    known = subprocess.run([require("prometheus"), "--help"], capture_output=True, text=True, check=True)
    lock = ["--storage.tsdb.use-lockfile"] if "use-lockfile" in known.stdout + known.stderr else []  # off in Debian
    with start_prometheus(data, *lock):
        assert is_locked(data / "lock")
        result = promfill("push", *RECENT, "--output-dir", str(data))
        assert (result.code, DANGER in result.err) == (0, True)
        assert f"a Prometheus runs on {data}" in result.err
        assert "now-3h" in result.err
        assert DANGER not in promfill("push", *OLD, "--output-dir", str(data)).err
    assert not is_locked(data / "lock")


def test_without_a_lock_its_log_tells(promfill: Promfill, tmp_path: Path) -> None:
    (tmp_path / "wal").mkdir()
    segment = tmp_path / "wal" / "00000000"
    segment.write_bytes(b"")
    assert DANGER not in promfill("push", *RECENT, "--output-dir", str(tmp_path), "--dry-run").err
    segment.write_bytes(b"x")
    assert f"has written to {tmp_path / 'wal'}" in promfill("push", *RECENT, "--output-dir", str(tmp_path)).err
    os.utime(segment, (0, time.time() - 4 * 3600))
    assert DANGER not in promfill("push", *RECENT, "--output-dir", str(tmp_path)).err


def test_files_of_another_user_are_named_with_the_mend(
    promfill: Promfill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "wal").mkdir()
    assert "chown" not in promfill("push", *OLD, "--output-dir", str(tmp_path)).err
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    result = promfill("push", *OLD, "--output-dir", str(tmp_path))
    assert result.code == 0
    assert f"{tmp_path / 'wal'} belongs to user {os.getuid()}" in result.err
    assert f"chown -R {os.getuid()}:{os.getgid()} {tmp_path}" in result.err


def test_many_blocks_under_a_low_limit_of_open_files(tmp_path: Path) -> None:
    words = ["push", "--metric-name", "vpn", "--start", "1700006400", "--end", "1701158400", "--step", "1h"]
    command = [sys.executable, "-m", "promfill", *words, "--block-duration", "2h", "--output-dir", str(tmp_path / "d")]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))

    for _ in range(2):
        done = subprocess.run(command, preexec_fn=limit, capture_output=True, text=True, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "d").iterdir())) == 160
    assert "160 blocks already" in done.stdout


def test_files_take_the_room_of_what_they_hold(promfill: Promfill, tmp_path: Path) -> None:
    labels = "i={1..500}"
    promfill("push", *OLD, "--labels", labels, "--step", "30s", "--output-dir", str(tmp_path / "data"))
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    page = os.statvfs(tmp_path).f_bsize
    assert len(files) >= 4
    for path in files:
        status = path.stat()
        assert status.st_blocks * 512 < status.st_size + 2 * page, path
