"""Mode script: what backfill.sh is called with, what it leaves, and where the password is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from promfill.net.destination import BasicAuth, Secret
from promfill.vendors.script import MARK, _end, own_script
from tests.support.cli import END, START, Promfill
from tests.support.mimir import Mimir
from tests.support.servers import require
from tests.support.waiting import wait_for

PASSWORD = "s3cr3t-p4ssw0rd"
ROOT = Path(__file__).parents[3]
PUSH = ("push", "--mode", "script", "--metric-name", "vpn", "--start", START, "--end", END, "--output-dir", "utils")
TO = ("--remote-write-url", "http://127.0.0.1:9/api/prom/push", "--username", "me", "--password-file", "password")

RECORDER = """#!{python}
import json, os, sys
with open({log!r}, "a") as log:
    log.write(json.dumps({{"argv": sys.argv, "env": dict(os.environ), "cwd": os.getcwd()}}) + "\\n")
{body}
"""
MAKES_TWO_BLOCKS = "for name in 'AB': os.makedirs(os.path.join(sys.argv[-1], name))"


def record(path: Path, log: Path, body: str = "", comment: str = "") -> None:
    """A program that writes down how it was called."""
    path.write_text(RECORDER.format(python=sys.executable, log=str(log), body=f"{comment}\n{body}"))
    path.chmod(0o755)


def calls(log: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in log.read_text().splitlines()]


@pytest.fixture
def log(promfill: Promfill, tmp_path: Path) -> Path:
    Path("password").write_text(PASSWORD + "\n")
    Path("utils").mkdir()
    return tmp_path / "calls"


def test_own_script_calls_the_tools_of_the_original(promfill: Promfill, log: Path) -> None:
    record(Path("utils/promtool"), log, MAKES_TWO_BLOCKS)
    record(Path("utils/mimirtool"), log)
    result = promfill(*PUSH, *TO)
    assert result.code == 0, result.err
    utils = Path("utils").absolute()
    promtool, *mimirtool = calls(log)
    blocks = f"{utils}/vpn_backfill_data/"
    text = f"{utils}/vpn_backfill_{START}.txt"
    assert promtool["argv"] == [
        f"{utils}/promtool",
        *("tsdb", "create-blocks-from", "--max-block-duration=12h", "openmetrics", text, blocks),
    ]
    assert [call["argv"] for call in mimirtool] == [
        [f"{utils}/mimirtool", "backfill", "--address=http://127.0.0.1:9", "--id=me", f"{blocks}{name}"]
        for name in "AB"
    ]
    assert all(call["env"]["MIMIR_API_KEY"] == PASSWORD for call in mimirtool)  # type: ignore[index]
    assert PASSWORD not in json.dumps(promtool)
    assert {call["cwd"] for call in calls(log)} == {str(Path.cwd())}
    assert Path(text).exists()
    assert not Path(blocks).exists()
    assert PASSWORD not in result.out + result.err


def test_keep_keeps_the_blocks(promfill: Promfill, log: Path) -> None:
    record(Path("utils/promtool"), log, MAKES_TWO_BLOCKS)
    record(Path("utils/mimirtool"), log)
    assert promfill(*PUSH, *TO, "--keep").code == 0
    assert sorted(path.name for path in Path("utils/vpn_backfill_data").iterdir()) == ["A", "B"]


@pytest.mark.parametrize("marked", [True, False])
def test_a_users_own_script(promfill: Promfill, log: Path, marked: bool) -> None:
    record(Path("utils/backfill.sh"), log, comment=MARK if marked else "")
    result = promfill(*PUSH, *TO)
    assert result.code == 0, result.err
    (call,) = calls(log)
    utils = str(Path("utils").absolute())
    password = "" if marked else PASSWORD
    name = f"vpn_backfill_{START}.txt"
    assert call["argv"] == [
        *(f"{utils}/backfill.sh", "http://127.0.0.1:9", "me", password, utils, "/vpn_backfill_data/", name)
    ]
    assert ("PROMFILL_PASSWORD" in call["env"]) is marked  # type: ignore[operator]
    assert ("ps shows it" in result.err) is not marked
    assert PASSWORD not in result.out + result.err


def test_a_script_that_fails(promfill: Promfill, log: Path) -> None:
    record(Path("utils/promtool"), log, MAKES_TWO_BLOCKS)
    record(Path("utils/mimirtool"), log, "sys.exit(3)")
    result = promfill(*PUSH, *TO)
    assert result.code == 1
    assert "ended with exit code 3" in result.err
    assert f"vpn_backfill_{START}.txt is whole and 2 blocks in" in result.err
    assert "run the same command again" in result.err
    assert result.err.startswith("288 of 288 samples are complete in the text for the script; to continue,")


def test_the_environment_holds_no_secret_for_a_script_that_asks_for_none(
    promfill: Promfill, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMFILL_PASSWORD", PASSWORD)
    record(Path("utils/backfill.sh"), log)
    assert promfill(*PUSH, *TO[:4]).code == 0
    assert PASSWORD not in json.dumps(calls(log)[0]["env"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "--remote-write-url is missing"),
        (TO[:2], "--mode script needs --username and --password-file"),
        ((*TO, "--backfill-script", "nowhere.sh"), "nowhere.sh does not exist"),
        ((*TO, "--backfill-script", "password"), "chmod +x password"),
        ((*TO, "--tenant", "t"), "--tenant only works with --mode remote-write or --upload"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_written(
    promfill: Promfill, log: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = promfill(*PUSH, *arguments)
    assert result.code == 2
    assert words in result.err
    assert list(Path("utils").iterdir()) == []


@pytest.fixture
def no_go_tools(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tools = Path("bin")
    tools.mkdir()
    for name in ("rm", "mkdir", "ls"):
        (tools / name).symlink_to(str(shutil.which(name)))
    monkeypatch.setenv("PATH", str(tools.absolute()))


def test_promfill_does_the_work_of_missing_tools(promfill: Promfill, no_go_tools: None, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket", authorization=BasicAuth("me", Secret(PASSWORD)).header.reveal()) as mimir:
        to = ("--remote-write-url", f"{mimir.url}/api/prom/push", "--username", "me", "--password-file", "password")
        result = promfill(*PUSH, *to)
        assert result.code == 0, result.err
    assert len(mimir.completed) == 5  # 24 hours from 08:00 in blocks of 6 hours
    assert {request.tenant for request in mimir.requests} == {"me"}  # as mimirtool, which sends --id as the tenant
    assert not Path("utils/vpn_backfill_data").exists()


def test_our_script_works_in_folders_with_spaces(promfill: Promfill, no_go_tools: None, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        to = ("--remote-write-url", f"{mimir.url}/api/prom/push", "--username", "me", "--password-file", "password")
        result = promfill(*PUSH[:-1], "my utils/$(a)", *to)
    assert result.code == 0, result.err
    assert len(mimir.completed) == 5


@pytest.mark.parametrize("folder", ["", "/", "/../", "/_backfill_data/", "/other/"])
def test_our_script_empties_no_folder_but_its_own(no_go_tools: None, folder: str) -> None:
    Path("utils/kept").touch()
    words = ["http://127.0.0.1:9", "me", "", str(Path("utils").absolute()), folder, "a.txt"]
    run = subprocess.run(["/bin/sh", own_script(), *words], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "usage: backfill.sh URL USER PASSWORD UTILS_DIR" in run.stderr
    assert Path("utils/kept").exists()


def test_what_ends_the_push_ends_the_tools_of_the_script(promfill: Promfill, log: Path) -> None:
    record(Path("utils/promtool"), log, MAKES_TWO_BLOCKS)
    at_work = "import time\nprint(os.getpid(), file=open('pid.new', 'w')); os.rename('pid.new', 'pid'); time.sleep(60)"
    record(Path("utils/mimirtool"), log, at_work)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "promfill", *PUSH, *TO]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as push:
        wait_for(lambda: Path("pid").exists())
        push.terminate()
        assert push.wait(30) == 143
    tool = int(Path("pid").read_text())
    wait_for(lambda: not is_running(tool))


def is_running(process: int) -> bool:
    """Whether it is there; one that has ended may wait for its parent, as a zombie."""
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return not Path("/proc/self/status").exists()  # no /proc at all, as on macOS: then it is there
    except ProcessLookupError:
        return False


def test_what_outlives_its_shell_is_ended_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promfill.vendors.script._GRACE_SECONDS", 0.5)
    tool = "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    shell = ["sh", "-c", '"$0" -c "$1" & wait', sys.executable, tool]
    child = subprocess.Popen(shell, stdout=subprocess.PIPE, process_group=0)
    assert child.stdout
    with child.stdout as output:
        assert output.readline() == b"up\n"
        _end(child)
        assert output.read() == b"", "its end is closed when the last of them is gone"


def test_a_missing_tool_is_named(no_go_tools: None) -> None:
    text = Path("utils/a.txt")
    text.write_text("# EOF\n")
    words = ["http://127.0.0.1:9", "me", "", str(Path("utils").absolute()), "/a_backfill_data/", "a.txt"]
    run = subprocess.run(["/bin/sh", own_script(), *words], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "no promtool, mimirtool or promfill in" in run.stderr


@pytest.mark.server
def test_with_the_real_promtool(promfill: Promfill, log: Path) -> None:
    require("promtool")
    record(Path("utils/mimirtool"), log)
    assert promfill(*PUSH, *TO).code == 0
    uploaded = [str(call["argv"][-1]) for call in calls(log)]  # type: ignore[index]
    assert len(uploaded) == 5  # 24 hours from 08:00 in blocks of 6 hours
    assert {len(Path(path).name) for path in uploaded} == {26}


def test_both_copies_of_our_script_are_the_same() -> None:
    assert (ROOT / "utils" / "backfill.sh").read_bytes() == own_script().read_bytes()
    assert MARK in own_script().read_text()
    assert os.access(ROOT / "utils" / "backfill.sh", os.X_OK)
