"""verify and check as commands: what they print, their exit codes, and bad input. Real stores: tests/integration."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.support.cli import PUSH, Promfill, runner
from tests.support.mimir import Mimir
from tests.support.receiver import Answer, Receiver
from tests.support.servers import Server

WHAT = (*PUSH[1:], "--labels", "host={1..3},job=x")
SAMPLES = 3 * 288


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Promfill:
    monkeypatch.chdir(tmp_path)
    return runner(capsys)


@pytest.fixture
def pushed(promfill: Promfill) -> Promfill:
    assert promfill("push", *WHAT).code == 0
    return promfill


def test_a_push_into_blocks_is_right(pushed: Promfill) -> None:
    told = pushed("verify", *WHAT, "--blocks", "data")
    assert told.code == 0
    assert told.err == ""
    assert told.out == (
        "vpn in blocks in data, compared by bits\n"
        "expected    864 samples of 3 series\n"
        "found       864\n"
        "missing     0\n"
        "unexpected  0\n"
        "different   0\n"
        "doubled     0\n"
    )


def test_another_seed_is_another_push(pushed: Promfill) -> None:
    told = pushed("verify", *WHAT, "--blocks", "data", "--seed", "43")
    assert told.code == 1
    assert "different   864: 2023-12-17T08:00:00Z to 2023-12-18T07:55:00Z\n" in told.out
    assert told.err == "promfill: error: blocks in data does not hold vpn as it was pushed: 864 different samples\n"


def test_fewer_series_than_there_are(pushed: Promfill) -> None:
    told = pushed("verify", *PUSH[1:], "--labels", "host={1,2,9},job=x", "--blocks", "data", "--json")
    assert told.code == 1
    assert (told.json["found"], told.json["missing"], told.json["unexpected"]) == (576, 288, 288)
    assert told.json["unexpected_series"] == 1
    assert told.json["unexpected_series_examples"] == [{"__name__": "vpn", "host": "3", "job": "x"}]
    assert told.json["ranges"]["missing"] == [{"first": "2023-12-17T08:00:00Z", "last": "2023-12-18T07:55:00Z"}]
    assert not told.json["right"]


def test_times_that_move_on_are_named(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The times of `now` are those of each command: a push of yesterday is not what they say today."""
    what = ("--metric-name", "vpn", "--start", "now-1d")
    assert promfill("push", *what).code == 0
    later = time.time() + 301
    monkeypatch.setattr("promfill.cli.options.shared.time.time", lambda: later)
    told = promfill("verify", *what, "--blocks", "data")
    assert told.code == 1
    note = "--start now-1d and --end now: 'now' has moved since the push; use the times it printed, or its --checkpoint"
    assert told.err.splitlines()[0] == note
    assert "moves on" not in promfill("verify", *WHAT, "--blocks", "data").err


def test_damage_is_named(pushed: Promfill, tmp_path: Path) -> None:
    segment = next((tmp_path / "data").glob("*/chunks/000001"))
    data = bytearray(segment.read_bytes())
    data[100] ^= 1
    segment.write_bytes(data)
    told = pushed("verify", *WHAT, "--blocks", "data")
    assert told.code == 3
    assert f"block data/{segment.parent.parent.name}: chunks/000001 at byte" in told.err


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        ((), 2, "set --query-url to the store, or use --blocks"),
        (("--blocks", "nowhere"), 2, "nowhere is not a directory"),
        (("--blocks", "."), 2, "holds no block"),
        (("--blocks", ".", "--query-url", "http://127.0.0.1:1"), 2, "cannot be used together"),
        (("--query-url", "127.0.0.1:9090"), 2, "--query-url"),
        (("--query-url", "http://127.0.0.1:1"), 3, "nothing listens"),
        (("--query-url", "http://127.0.0.1:1", "--bearer-token-file", "none"), 2, "none"),
    ],
)
def test_bad_input_is_one_line(promfill: Promfill, options: tuple[str, ...], code: int, words: str) -> None:
    told = promfill("verify", *WHAT, *options)
    assert told.code == code
    assert words in told.err
    assert told.err.count("\n") == 1
    assert told.out == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(401, b"go away"), "401 Unauthorized: go away"),
        (Answer(200, b"<html><title>Grafana</title></html>", {"Content-Type": "text/html"}), "Grafana"),
        (
            Answer(404, b"nothing here"),
            "404 Not Found: nothing here): set --query-url to its base address",
        ),
        (Answer(200, b'{"status":"success"}'), "--query-url"),
    ],
)
def test_who_is_no_store_is_named(promfill: Promfill, answer: Answer, words: str) -> None:
    with Receiver(lambda taken: answer) as receiver:
        told = promfill("verify", *WHAT, "--query-url", receiver.url.removesuffix("/api/v1/write"))
    assert told.code == 3
    assert words in told.err
    assert told.err.count("\n") == 1


def test_check_of_blocks_assumes_the_default_and_goes_on(promfill: Promfill) -> None:
    told = promfill("check", "--metric-name", "vpn", "--start", "now-21d")
    assert told.code == 0
    assert "assuming Prometheus's default retention (15d)" in told.out
    assert promfill("check", *WHAT).out == "check passed: nothing would be lost or changed\n"


def test_check_tells_programs_what_it_found(promfill: Promfill) -> None:
    told = promfill("check", *WHAT, "--unit", "bytes", "--json")
    assert told.json["store"] is None
    assert not told.json["loses"]
    assert [(finding["kind"], finding["loses"]) for finding in told.json["findings"]] == [("metadata", False)]


def test_check_wants_to_know_where_to(promfill: Promfill) -> None:
    told = promfill("check", *WHAT, "--mode", "remote-write")
    assert told.code == 2
    assert "--remote-write-url" in told.err


def test_check_of_a_dead_address(promfill: Promfill) -> None:
    push = (*WHAT, "--mode", "remote-write", "--remote-write-url", "http://127.0.0.1:1/api/v1/write")
    assert promfill("check", *push).code == 0
    assert promfill("check", *push, "--query-url", "http://127.0.0.1:1").code == 1


@pytest.mark.server
def test_a_run_is_verified_by_its_checkpoint(promfill: Promfill, prometheus: Server) -> None:
    what = ("--metric-name", "run", "--labels", 'a={1..3},b="x, y"', "--start", "now-2d", "--step", "7m", "--seed", "7")
    to = ("--mode", "remote-write", "--remote-write-url", f"{prometheus.url}/api/v1/write")
    assert promfill("push", *what, *to).code == 0
    (checkpoint,) = Path(".promfill").glob("*.json")
    proof = promfill("verify", "--checkpoint", str(checkpoint), "--json")
    assert proof.code == 0, proof.err
    assert proof.json["expected"] == proof.json["found"]
    assert proof.json["expected"] // 3 - 2 * 1440 // 7 in (0, 1)  # both ends lie on the step's grid
    assert promfill("verify", "--checkpoint", str(checkpoint), "--seed", "8").code == 1
    missing = promfill("verify", "--checkpoint", "nowhere.json")
    assert (missing.code, missing.err.count("\n")) == (2, 1)
    assert "the checkpoint nowhere.json does not exist" in missing.err


def test_a_store_that_shows_late_is_read_again(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as more appears; what does not appear is missing."""
    from promfill.stores.blocks import BlockStore

    assert promfill(*PUSH, "--labels", "i={1,2}").code == 0
    blocks = sorted(Path("data").iterdir())
    away = [path.rename(Path(path.name)) for path in blocks[1:]]
    waits: list[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        for path in away:
            path.rename(Path("data") / path.name)
        away.clear()

    monkeypatch.setattr("promfill.operations.waiting.time.sleep", sleep)
    words = ("verify", *PUSH[1:], "--labels", "i={1,2}", "--blocks", "data")
    assert promfill(*words).code == 1  # blocks are whole when they are there: nobody waits
    assert waits == []
    monkeypatch.setattr(BlockStore, "shows_within", 1.0)
    assert promfill(*words).code == 0
    assert len(waits) == 1
    for path in blocks[1:]:
        path.rename(Path(path.name))
    assert promfill(*words).code == 1
    assert len(waits) == 2


def test_a_checkpoint_of_remote_write_goes_with_blocks(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """The store that the run went to is asked where no other is named."""
    with Receiver(lambda taken: Answer(204)) as receiver:
        to = ("--mode", "remote-write", "--remote-write-url", receiver.url, "--checkpoint", "run.json")
        assert promfill("push", *WHAT, *to).code == 0
    assert promfill("push", *WHAT).code == 0
    told = promfill("verify", "--checkpoint", "run.json", "--blocks", "data")
    assert (told.code, told.err) == (0, "")
    assert "vpn in blocks in data" in told.out
    url = receiver.url.removesuffix("/api/v1/write")
    asked = promfill("verify", "--checkpoint", "run.json")
    assert asked.code != 0
    assert url in asked.err
    both = ("--blocks", "data", "--query-url", url)
    assert promfill("verify", "--checkpoint", "run.json", *both).code == 2
    monkeypatch.setenv("PROMFILL_VERIFY_QUERY_URL", url)
    assert promfill("verify", "--checkpoint", "run.json", "--blocks", "data").code == 0
    monkeypatch.setenv("PROMFILL_VERIFY_BLOCKS", "data")
    assert promfill("verify", "--checkpoint", "run.json").code == 2
    assert url in promfill("verify", *WHAT, "--query-url", url).err


def test_a_checkpoint_of_uploaded_blocks(promfill: Promfill, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        to = ("--upload", mimir.url, "--keep", "--checkpoint", "run.json")
        assert promfill("push", *WHAT, *to).code == 0
        assert promfill("verify", "--checkpoint", "run.json", "--blocks", "data").code == 0
        asked = promfill("verify", "--checkpoint", "run.json")
        assert asked.code != 0
        assert f"{mimir.url}/prometheus" in asked.err


def test_ranges_stand_beside_what_there_is_of_them(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is missing and only not yet visible has its ranges there."""
    from promfill.stores.blocks import BlockStore

    assert promfill("push", *WHAT).code == 0
    words = ("verify", *PUSH[1:], "--labels", "host={1..4},job=x", "--blocks", "data")
    when = ": 2023-12-17T08:00:00Z to 2023-12-18T07:55:00Z"
    ranges = [{"first": "2023-12-17T08:00:00Z", "last": "2023-12-18T07:55:00Z"}]
    for pending, missing in ((0, 288), (88, 200), (288, 0), (1_000, 0)):
        monkeypatch.setattr(BlockStore, "pending", lambda self, pending=pending: pending)
        told, facts = promfill(*words).out, promfill(*words, "--json").json
        late = 288 - missing
        assert f"missing     {missing}{when if missing else ''}\n" in told
        assert (f"not yet visible {late}{'' if missing else when}" in told) == (late > 0)
        assert facts["ranges"]["missing"] == (ranges if missing else [])
        assert facts["ranges"]["not_yet_visible"] == ([] if missing else ranges)
