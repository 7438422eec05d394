"""The same command again: which times it means, and what it finds of the push before it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import PUSH, Promfill
from tests.support.mimir import Mimir
from tests.support.receiver import Answer, Receiver, Taken

NOON = 1_702_814_400  # 2023-12-17T12:00:00Z
DAY = ("--metric-name", "vpn", "--start", "now-1d")
EXACT = str(NOON - 86_400 + 7)

Clock = Callable[[int], None]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Sets our clock to so many seconds after noon."""

    def set_clock(seconds: int) -> None:
        monkeypatch.setattr("time.time", lambda: float(NOON + seconds))

    return set_clock


def times(facts: dict[str, object]) -> tuple[int, int, object]:
    """Start and end in seconds after noon, and the steps between them."""
    return int(str(facts["start_epoch"])) - NOON, int(str(facts["end_epoch"])) - NOON, facts["steps"]


def test_the_same_command_within_a_step_is_the_same_push(promfill: Promfill, at: Clock) -> None:
    at(1)
    first = promfill("push", *DAY, "--json").json
    blocks = sorted(Path("data").iterdir())
    at(299)
    again = promfill("push", *DAY, "--json").json
    assert times(first) == times(again) == (-86_400, 0, 288)
    assert (first["written"], again["written"], again["already_there"]) == (288, 0, len(blocks))
    assert sorted(Path("data").iterdir()) == blocks
    assert promfill("verify", *DAY, "--blocks", "data").code == 0
    at(300)
    assert times(promfill("push", *DAY, "--dry-run", "--json").json) == (-86_100, 300, 288)
    assert promfill("verify", *DAY, "--blocks", "data").code == 1


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--start", "now-1d", "--step", "1d"), (-86_400 - 43_200, -43_200, 1)),
        (("--start", "now-1h", "--step", "7m"), (-3_780, 0, 9)),  # noon is a multiple of 7 minutes
        (("--start", "now-1d", "--end", "now-12h", "--step", "30s"), (-86_400 + 120, -43_200 + 120, 1440)),
        (("--start", EXACT), (-86_400 + 7, -86_400 + 7 + 287 * 300, 287)),  # the end alone is rounded
        (("--start", "now-1d", "--end", str(NOON - 43_193)), (-86_400, -43_200, 144)),
        (("--start", EXACT, "--end", str(NOON + 107)), (-86_400 + 7, 107 - 100, 288)),  # neither is
        (("--start-epoch", "now-1d", "--end-epoch", "now"), (-86_400, 0, 288)),
    ],
)
def test_what_times_stand_for(
    promfill: Promfill, at: Clock, options: tuple[str, ...], expected: tuple[int, int, int]
) -> None:
    at(123)
    assert times(promfill("push", "--metric-name", "vpn", *options, "--dry-run", "--json").json) == expected


def test_a_range_below_a_step_is_refused_wherever_in_the_step_it_lies(promfill: Promfill, at: Clock) -> None:
    for late in (0, 60, 240, 299):
        at(late)
        told = promfill("push", "--metric-name", "vpn", "--start", "now-4m", "--dry-run")
        assert told.code == 2
        assert "no step of 5m fits" in told.err


def closed(taken: Taken) -> Answer:
    """A VictoriaMetrics that takes writes, behind a proxy that closes its query API."""
    vm = {"X-Server-Hostname": "vm"}
    return Answer(headers=vm) if taken.method == "POST" else Answer(404, headers=vm)


def plain(taken: Taken) -> Answer:
    """A receiver of whom nothing is known."""
    return Answer() if taken.method == "POST" else Answer(404)


def posts(receiver: Receiver) -> int:
    return sum(taken.method == "POST" for taken in receiver.taken)


def checkpoint() -> tuple[Path, bytes]:
    """The one file of state, and what it holds."""
    (path,) = Path(".promfill").glob("*.json")
    return path, path.read_bytes()


def test_a_finished_push_into_victoriametrics_is_not_repeated(promfill: Promfill) -> None:
    with Receiver(closed) as receiver:
        push = (*PUSH, "--mode", "remote-write", "--remote-write-url", receiver.url)
        assert promfill(*push).code == 0
        sent, kept = posts(receiver), checkpoint()
        for again in (promfill(*push), promfill(*push, "--json"), promfill("check", *push[1:])):
            assert again.code == 2
            assert f"{kept[0]} says that this command has finished a push of 2023-12-17T08:00:00Z" in again.err
            assert "or add --again" in again.err
            assert "Nothing was sent" in again.err
        assert posts(receiver) == sent
        assert checkpoint() == kept
        assert promfill(*push, "--resume").code == 0  # nothing is left to send
        assert posts(receiver) == sent
        again = promfill(*push, "--again")
        assert again.code == 0
        assert "keeps a sample twice" in again.err
        assert posts(receiver) > sent
        assert promfill("check", *push[1:], "--again").code == 0


def test_the_error_has_a_code_for_programs(promfill: Promfill) -> None:
    with Receiver(closed) as receiver:
        push = (*PUSH, "--mode", "remote-write", "--remote-write-url", receiver.url, "--json")
        assert promfill(*push).code == 0
        told = promfill(*push).json
    assert told["error"]["code"] == "repeat"
    assert [finding["kind"] for finding in told["findings"] if finding["spoils"]] == ["repeat"]


def test_a_finished_push_into_another_receiver_is_overwritten(promfill: Promfill) -> None:
    with Receiver(plain) as receiver:
        push = (*PUSH, "--mode", "remote-write", "--remote-write-url", receiver.url)
        assert promfill(*push).code == 0
        sent = posts(receiver)
        again = promfill(*push)
        assert again.code == 0
        assert "belongs to a finished run and is overwritten" in again.err
        assert posts(receiver) > sent


def test_tomorrows_push_is_another(promfill: Promfill, at: Clock) -> None:
    with Receiver(closed) as receiver:
        push = ("push", *DAY, "--mode", "remote-write", "--remote-write-url", receiver.url)
        at(0)
        assert promfill(*push).code == 0
        at(299)
        assert promfill(*push).code == 2
        at(86_400)
        assert promfill(*push).code == 0
        at(86_400 + 3600)
        told = promfill(*push)
        assert told.code == 2
        assert "finished a push of 2023-12-17T12:00:00Z to 2023-12-18T12:00:00Z" in told.err


def test_a_push_beside_itself_sends_nothing(promfill: Promfill) -> None:
    """A second of the same command, while the first is at work: each would send what the other sends."""
    told: list[str] = []

    def answer(taken: Taken) -> Answer:
        if taken.method == "POST" and not told:
            told.append("")
            command = [sys.executable, "-m", "promfill", *push, "--again"]
            for more in ((), ("--resume",)):
                other = subprocess.run([*command, *more], capture_output=True, text=True, check=False)
                assert other.returncode == 2
                told.append(other.stderr)
        return closed(taken)

    with Receiver(closed) as lonely:
        assert promfill(*PUSH, "--mode", "remote-write", "--remote-write-url", lonely.url).code == 0
    with Receiver(answer) as receiver:
        push = (*PUSH, "--mode", "remote-write", "--remote-write-url", receiver.url)
        assert promfill(*push).code == 0
        assert all("belongs to a run of this command that is still running: wait until" in words for words in told[1:])
        assert posts(receiver) == posts(lonely)
        assert not list(Path(".promfill").glob("*.lock"))
        assert promfill(*push, "--again").code == 0


def test_a_rerun_that_arrives_nowhere_forgets_nothing(promfill: Promfill) -> None:
    with Receiver(closed) as receiver:
        push = (*PUSH, "--mode", "remote-write", "--remote-write-url", receiver.url, "--retry-for", "1s")
        assert promfill(*push).code == 0
        kept = checkpoint()
    assert promfill(*push, "--again").code == 1
    assert checkpoint() == kept


def test_again_is_for_remote_write(promfill: Promfill) -> None:
    told = promfill(*PUSH, "--again")
    assert told.code == 2
    assert "--again" in told.err


def test_blocks_of_another_start_are_counted(promfill: Promfill) -> None:
    what = ("--metric-name", "vpn", "--labels", "a={1,2}")
    day, later, between = (
        ("--start", str(NOON + shift), "--end", str(NOON + shift + 86_400)) for shift in (0, 3600, 7)
    )
    first = promfill("push", *what, *day)
    assert first.err == ""
    assert promfill("push", *what, *day).err == ""  # its own blocks
    warned = "promfill: warning: data already holds 552 samples of these series in this range at the same times with"
    for command in ("check", "push"):
        told = promfill(command, *what, *later)
        assert told.code == 0
        assert warned.removeprefix("promfill: warning: ") in told.out + told.err
    assert warned in told.err
    told = promfill("push", *what, *between, "--json")
    assert "at other times: the push would interleave" in told.err
    assert [(one["kind"], one["samples"]) for one in told.json["findings"]][-1:] == [("interleaves", 574 + 552)]
    assert "same times with other values" in promfill("push", "-q", *what, *day, "--seed", "9").err
    assert promfill("push", *what, *between, "--labels", "b=1", "--metric-name", "other").err.count("warning") == 1


def test_an_upload_of_an_hour_ago_is_remembered(promfill: Promfill, at: Clock, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        push = ("push", *DAY, "--upload", mimir.url)
        at(0)
        assert promfill(*push, "-q").err == ""
        at(299)
        assert "already" in promfill(*push).out
        at(3600)
        for told in (promfill("check", *push[1:]).out, promfill(*push, "-q").err):
            assert (
                "has uploaded 2023-12-16T12:00:00Z to 2023-12-17T12:00:00Z before, counted from another start" in told
            )
            assert f"--start {NOON - 86_400} --end {NOON} is the same push as before" in told


def test_the_same_samples_in_other_blocks_are_harmless(promfill: Promfill) -> None:
    assert promfill(*PUSH).code == 0
    told = promfill(*PUSH, "--block-duration", "2h")
    assert told.code == 0
    assert "note: data already holds 288 of 288 samples of this push with the same values" in told.err
