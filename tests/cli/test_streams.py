"""Standard streams that are closed, full or gone: exit codes stay, and no file is written into by mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.cli import PUSH

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")

PUSHED = f"{' '.join(PUSH)} --labels 'i={{1..3}}'"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def shell(line: str) -> subprocess.CompletedProcess[str]:
    """A line of bash, in which promfill is a function; a failed part of a pipe is the pipe's exit code."""
    promfill = f'set -o pipefail; promfill() {{ "{sys.executable}" -m promfill "$@"; }}; '
    words = ["bash", "-c", promfill + line]
    return subprocess.run(words, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


@pytest.mark.parametrize("streams", ["2>&-", ">&-", "2>&- >&- <&-", "2>/dev/full"])
def test_a_push_without_its_streams_is_whole(streams: str) -> None:
    ended = shell(f"promfill {PUSHED} {streams}")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert shell(f"promfill verify {PUSHED.removeprefix('push ')} --blocks data {streams}").returncode == 0
    assert shell("promfill tsdb verify data").returncode == 0


@pytest.mark.parametrize("streams", ["2>&-", "2>/dev/full", "2>&1 | true"])
def test_bad_input_keeps_its_exit_code_where_nobody_hears_it(streams: str) -> None:
    assert shell(f"promfill tsdb list nowhere {streams}").returncode == 2


def test_a_dump_into_a_closed_stream() -> None:
    assert shell(f"promfill {PUSHED} >&-; promfill tsdb dump data >&-").stderr == ""


def test_a_reader_who_leaves_early_ends_a_dump_silently() -> None:
    ended = shell(f"promfill {PUSHED} --step 1s >/dev/null; promfill tsdb dump data | head -n 1")
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ended.stdout.count("\n") == 1


def test_text_of_a_closed_standard_input() -> None:
    ended = shell("promfill tsdb create-blocks-from openmetrics - <&-")
    assert (ended.returncode, ended.stderr) == (2, "promfill: error: line 1: the text does not end with # EOF\n")
    assert not Path("data").exists()
