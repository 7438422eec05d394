"""What lies after now: refused by every command, taken with --allow-future, and then told what that does."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

import pytest

from tests.support.cli import Promfill

COMMAND = ("tsdb", "create-blocks-from", "openmetrics")
GOOD = ("push", "-q", "--metric-name", "good", "--start", "now-5d", "--end", "now-4h", "--output-dir", "data")
LATE = ("--metric-name", "late", "--start", "now-1h", "--end", "now+40d", "--step", "6h", "--output-dir", "data")
BOTH = ("a running Prometheus", "a starting one")


@pytest.fixture
def text(promfill: Promfill) -> str:
    Path("late.txt").write_bytes(b'# HELP p x\n# TYPE p gauge\np{n="3"} 900 1700000000\np 901 4083264000\n# EOF\n')
    return "late.txt"


def names(directory: str = "data") -> set[str]:
    return {path.name for path in Path(directory).iterdir()} if Path(directory).exists() else set()


def run_a_server(directory: str) -> None:
    """Let it look as if a Prometheus worked there."""
    (Path(directory) / "wal").mkdir(parents=True, exist_ok=True)
    (Path(directory) / "wal" / "00000000").write_bytes(b"x")


@pytest.mark.parametrize("words", [(), ("-q",), ("--json",), ("--utc-days",), ("--max-block-duration=54h",)])
def test_text_after_now_is_refused_by_line_and_file(words: tuple[str, ...], text: str, promfill: Promfill) -> None:
    assert promfill(*GOOD).code == 0
    before = names()
    result = promfill(*COMMAND, *words, text, "data")
    assert (result.code, bool(result.out)) == (2, words == ("--json",))
    assert "line 4 of late.txt is at 2099-05-24T00:00:00Z (4083264000), after now" in result.err
    assert "--allow-future" in result.err
    assert result.err.count("\n") == 1
    assert names() == before


def test_text_after_now_is_taken_where_it_is_allowed(text: str, promfill: Promfill) -> None:
    assert promfill(*GOOD).code == 0
    result = promfill(*COMMAND, "--allow-future", text, "data")
    assert result.code == 0
    assert "line 4 is the first one in the future: 2099-05-24T00:00:00Z" in result.err
    assert all(words in result.err for words in BOTH)
    assert "(1,392 samples) because of the block that ends at 2099-05-24T00:00:00Z" in result.err


def test_what_is_there_is_never_lost_in_silence(text: str, promfill: Promfill) -> None:
    assert promfill(*COMMAND, "--allow-future", "-q", text, "new").err == ""
    assert promfill(*GOOD).code == 0
    quiet = promfill(*COMMAND, "--allow-future", "-q", text, "data").err
    assert quiet.count("\n") == 1
    assert "will delete blocks data/" in quiet
    run_a_server("live")
    quiet = promfill(*COMMAND, "--allow-future", "-q", text, "live").err
    assert quiet.count("\n") == 1
    assert "refuses every new sample until 2099-05-24" in quiet


def test_an_innocent_push_beside_a_block_after_now(text: str, promfill: Promfill) -> None:
    assert promfill(*COMMAND, "--allow-future", "-q", text, "data").code == 0
    quiet = promfill(*GOOD).err
    assert quiet.count("\n") == 1
    assert (
        "after now up to 2099-05-24T00:00:00Z, and 1,392 of the 1,392 new samples would be lost because of that"
        in quiet
    )
    assert "remove the blocks that end after now" in quiet
    told = promfill("push", *GOOD[2:])
    assert "is already there, with samples after now up to 2099-05-24T00:00:00Z" in told.err
    assert "--storage.tsdb.retention.time=74y" in told.out  # 2y would delete all that was pushed
    assert "is already there, with samples after now" in promfill("check", *GOOD[2:]).out
    Path("old.txt").write_bytes(b"p 1 1700000300\n# EOF\n")
    assert "is already there, with samples after now" in promfill(*COMMAND, "old.txt", "data").err


@pytest.mark.parametrize("command", ["push", "check"])
def test_push_and_check_say_it_too(command: str, promfill: Promfill) -> None:
    assert promfill(*GOOD).code == 0
    before = names()
    refused = promfill(command, *LATE)
    assert (refused.code, names()) == (2, before)
    told = promfill(command, *LATE, "--allow-future")
    assert told.code == 0
    said = told.err + told.out
    assert all(words in said for words in BOTH)
    assert re.search(r"4\d of 4\d blocks end after now", said)
    assert "(1,392 samples) because of the block that ends at" in said
    assert (names() == before) == (command == "check")


def test_a_dry_run_says_what_the_push_would(promfill: Promfill) -> None:
    assert promfill(*GOOD).code == 0
    told = promfill("push", *LATE, "--allow-future", "--dry-run")
    assert (told.code, len(names())) == (0, 6)
    assert all(words in told.err for words in BOTH)


def test_a_quiet_push_says_what_others_lose(promfill: Promfill) -> None:
    assert promfill("push", "-q", *LATE[:-1], "new", "--allow-future").err == ""
    assert promfill(*GOOD).code == 0
    assert "(1,392 samples) because of" in promfill("push", "-q", *LATE, "--allow-future").err


def test_text_of_the_future_is_told_of(promfill: Promfill) -> None:
    for told in (
        promfill("push", *LATE[:-2], "--mode", "openmetrics", "--allow-future"),
        promfill("check", *LATE[:-2], "--mode", "openmetrics", "--allow-future"),
    ):
        assert told.code == 0
        assert "after now" in told.err + told.out
        assert all(words in told.err + told.out for words in BOTH)


def test_no_script_and_no_upload_is_given_what_mimir_refuses(promfill: Promfill) -> None:
    Path("password").write_text("secret")
    access = ("--username", "me", "--password-file", "password", "--remote-write-url", "http://127.0.0.1:9")
    ways = [
        ("push", *LATE[:-2], "--mode", "script", *access, "--allow-future"),
        ("check", *LATE[:-2], "--mode", "script", *access, "--allow-future"),
        ("push", *LATE, "--upload", "http://127.0.0.1:9", "--allow-future"),
        ("check", *LATE, "--upload", "http://127.0.0.1:9", "--allow-future"),
    ]
    for words in ways:
        told = promfill(*words)
        assert told.code == 2
        assert "after now (Mimir requires an end no later than now)" in told.err
        assert "take an earlier --end" in told.err
    assert names() == names("utils") == set()


def test_upload_and_verify_name_the_block(text: str, promfill: Promfill) -> None:
    assert promfill(*COMMAND, "--allow-future", "--utc-days", "-q", text, "data").code == 0
    late = max(names())
    told = promfill("upload", "data", "--upload", "http://127.0.0.1:9", "--dry-run")
    assert told.code == 2
    assert f"Mimir would refuse data/{late}: the block ends at 2099-05-24T00:00:00.001Z, after now" in told.err
    verified = promfill("tsdb", "verify", "data")
    assert verified.code == 0
    assert "Prometheus: 1 of 2" in verified.out
    assert f"not {late}: it ends after now" in verified.out
    assert "1 of 2 samples (50.0 %)" in verified.out
    facts = promfill("tsdb", "verify", "data", "--json").json
    assert not facts["blocks"][1]["stores"]["prometheus"]["takes"]
    assert [finding["kind"] for finding in facts["findings"]] == ["retention", "future"]


def test_an_end_at_now_and_its_marker_are_not_after_it(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1_795_000_200.0
    monkeypatch.setattr(time, "time", lambda: now)
    what = ("push", "--metric-name", "a", "--start", "now-1h", "--end", str(int(now)), "--stale-at-end", "-v")
    told = promfill(*what, "--dry-run")
    assert told.code == 0
    assert "after now" not in told.err
    told = promfill("push", *what[1:], "--upload", "http://127.0.0.1:9", "--dry-run")
    assert told.code == 0, told.err
    for end in (int(now) + 1, "now+5m"):
        assert promfill("push", *what[1:5], "--end", str(end), "--dry-run").code == 2
    Path("t").write_bytes(b"a 1 1795000200\n# EOF\n")
    assert promfill(*COMMAND, "t").code == 0
    Path("t").write_bytes(b"a 1 1795000200.001\n# EOF\n")
    assert promfill(*COMMAND, "t").code == 2


@pytest.mark.parametrize("step", ["7s", "5m", "59m", "1h"])
def test_no_marker_falls_after_the_end(step: str, promfill: Promfill) -> None:
    what = ("--metric-name", "a", "--start", "1700000001", "--end", "1700003601", "--step", step, "--stale-at-end")
    assert promfill("push", *what).code == 0
    blocks = promfill("tsdb", "verify", "data", "--json").json["blocks"]
    assert max(block["last_time"] for block in blocks) <= 1_700_003_601_000


def test_sister_commands_say_the_same_of_a_directory(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same 20 days into the same directory, where a server of somebody else is at work."""
    assert promfill("push", "-q", "--metric-name", "good", "--start", "now-2d", "--output-dir", "data").code == 0
    run_a_server("data")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    end = int(time.time()) - 600
    start = end - 20 * 86_400
    what = ("--metric-name", "m", "--start", str(start), "--end", str(end), "--step", "1d", "--output-dir", "data")
    given = (*what, "--description", "x")
    Path("t").write_bytes(
        b"# HELP m x\n" + b"".join(b"m 1 %d\n" % (start + k * 86_400) for k in range(20)) + b"# EOF\n"
    )
    checked = promfill("check", *given, "--json").json["findings"]
    pushed = promfill("push", *given, "--dry-run").err
    made = promfill(*COMMAND, "--utc-days", "t", "data", "--json")
    kinds = ["retention", "owner", "overlap", "metadata"]
    assert [finding["kind"] for finding in checked] == kinds
    assert [finding["kind"] for finding in made.json["findings"]] == kinds
    for ours, theirs in zip(checked[:-1], made.json["findings"][:-1], strict=True):
        assert ours["text"] == theirs["text"]
        assert ours["text"] in pushed
        assert ours["text"] in made.err
    assert "HELP will not be kept" in made.err
    verified = promfill("tsdb", "verify", "data")
    assert "belongs to user" in verified.out


def test_a_live_directory_is_told_of_by_all(promfill: Promfill) -> None:
    run_a_server("data")
    end = int(time.time()) - 600
    what = ("--metric-name", "m", "--start", str(end - 3_600), "--end", str(end), "--output-dir", "data")
    Path("t").write_bytes(b"m 1 %d\n# EOF\n" % (end - 300))
    said = "a Prometheus has written to data/wal within the last 3 hours, and the newest block ends within the last"
    assert said in promfill("check", *what).out
    assert said in promfill("push", *what, "--dry-run").err
    assert said in promfill(*COMMAND, "-q", "t", "data").err
    assert said in promfill("tsdb", "verify", "data").out


def test_a_push_is_no_neighbour_of_its_own_blocks(promfill: Promfill) -> None:
    what = ("--metric-name", "m", "--start", "1700000000", "--end", "1700200000", "--output-dir", "data")
    assert promfill("push", *what).code == 0
    again, checked, other = (
        promfill("push", *what),
        promfill("check", *what),
        promfill("check", *what, "--labels", "a=b"),
    )
    assert again.code == checked.code == other.code == 0
    assert "same time" not in again.err + checked.out
    assert re.search(r"blocks data/\w{26}, \w{26}, \w{26} and 1 more .*already hold samples of this time", other.out)
