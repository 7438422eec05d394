"""``promfill upload`` and push's upload as commands: what they say, what stays, and how they go on."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest

from promfill.blocks.block import open_block
from promfill.operations import waiting
from promfill.sinks.upload.names import name_of_generation
from tests.support.cli import PUSH, Promfill
from tests.support.mimir import Mimir, Request
from tests.support.receiver import Answer, Receiver, Taken
from tests.support.servers import start_prometheus
from tests.support.waiting import wait_for

ROOT = Path(__file__).parents[2]
NOTHING = b'{"status": "success", "data": {"result": []}}'
SERIES = ("--labels", "i={1..3}")


@pytest.fixture
def mimir(tmp_path: Path) -> Iterator[Mimir]:
    with Mimir(tmp_path / "bucket") as server:
        yield server


@pytest.fixture
def data(promfill: Promfill) -> Path:
    assert promfill(*PUSH, *SERIES).code == 0
    return Path("data")


def test_upload_sends_and_removes_what_promfill_made(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    names = sorted(path.name for path in data.iterdir())
    result = promfill("upload", "data", "--upload", f"{mimir.url}/", "--tenant", "team-a")
    assert result.code == 0, result.err
    assert "sent   2 blocks, " in result.out
    assert "may need minutes to hours" in result.out
    assert sorted(path.name for path in (mimir.bucket / "team-a").iterdir()) == names
    assert list(data.iterdir()) == []


def test_blocks_of_others_and_kept_ones_stay(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    assert promfill("upload", "data", "--upload", mimir.url, "--keep").code == 0
    assert len(list(data.iterdir())) == 2
    Path(".promfill/made").unlink()  # now they are somebody's
    again = promfill("upload", *map(str, sorted(data.iterdir())), "--upload", mimir.url, "--json").json
    assert (again["uploaded"], again["already_uploaded"]) == (0, 2)
    assert len(list(data.iterdir())) == 2


def test_dry_run_checks_and_stops(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    plan = promfill("upload", "data", "--upload", mimir.url, "--dry-run", "--json").json
    assert (plan["blocks"], plan["samples"]) == (2, 864)
    meta = min(data.iterdir()) / "meta.json"
    good = meta.read_bytes()
    meta.write_text(json.dumps({**json.loads(good), "thanos": {"labels": {"cluster": "a"}}}))
    for dry in (("--dry-run",), ()):
        result = promfill("upload", "data", "--upload", mimir.url, *dry)
        assert result.code == 2
        assert "has the external label cluster (Mimir requires only its own external labels" in result.err
    meta.write_bytes(good)
    chunks = min(data.iterdir()) / "chunks" / "000001"
    chunks.write_bytes(chunks.read_bytes()[:-1])
    result = promfill("upload", "data", "--upload", mimir.url)
    assert result.code == 2
    assert "is damaged" in result.err
    assert mimir.requests == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("data",), "--upload is missing"),
        (("nowhere", "--upload", "http://a"), "nowhere is not a directory"),
        ((".", "--upload", "http://a"), ". holds no blocks"),
    ],
)
def test_what_cannot_be_uploaded(promfill: Promfill, data: Path, arguments: tuple[str, ...], says: str) -> None:
    result = promfill("upload", *arguments)
    assert result.code == 2
    assert says in result.err


def test_tombstones_are_warned_of(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    (min(data.iterdir()) / "tombstones").write_bytes(b"\x01\x30\xba\x30\x01" + bytes(8))
    result = promfill("upload", "data", "--upload", mimir.url, "--dry-run")
    assert "tombstones" in result.err


def test_wait_asks_until_the_full_count_is_there(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    answers: dict[str, int] = {}

    def answer(query: str) -> object:
        answers[query] = answers.get(query, 0) + 1
        span = int(re.search(r"\[(\d+)ms\]", query)[1])  # type: ignore[index]
        full = (span + 299_999) // 300_000
        seen = full if answers[query] > 2 else full // 2
        series = [{"metric": {"i": str(i)}, "value": [0, str(seen)]} for i in (1, 2, 3)]
        series.append({"metric": {"i": "another"}, "value": [0, "100000"]})
        return {"status": "success", "data": {"resultType": "vector", "result": series}}

    mimir.query = answer
    result = promfill("upload", "data", "--upload", mimir.url, "--wait")
    assert result.code == 0, result.err
    assert "query  every sample can be queried" in result.out
    assert result.err.count("432 of 864 samples can be queried\n") == 1  # said when it changes, and not at each look
    assert result.err.count("864 of 864 samples can be queried\n") == 1
    assert set(answers.values()) == {3}
    assert "older than 12 h" not in result.err


def test_wait_asks_first_and_nothing_is_sent_where_nobody_answers(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    result = promfill("upload", "data", "--upload", mimir.url, "--wait")  # the double has no query API
    assert result.code == 3
    assert "/prometheus/api/v1/query?… answered 404 Not Found" in result.err
    assert "set --query-url to its base address" in result.err
    assert mimir.requests == []
    assert len(list(data.iterdir())) == 2


def test_wait_outlives_what_may_pass_and_says_what_is_up(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    said = [Answer(200, NOTHING), Answer(502), Answer(hang_up=True), Answer(503), Answer(200, NOTHING), Answer(422)]
    with Receiver(lambda _: said.pop(0)) as store:
        to = ("--upload", mimir.url, "--query-url", store.url.removesuffix("/api/v1/write"))
        result = promfill("upload", "data", *to, "--wait")
    assert result.code == 3
    assert said == []
    assert "422 Unprocessable" in result.err
    assert f"every block is complete at {mimir.url}; it is the question that failed" in result.err


def test_wait_tells_that_the_newest_samples_come_late(promfill: Promfill, mimir: Mimir) -> None:
    assert promfill("push", "--metric-name", "vpn", "--start", "now-2h", "--step", "30m").code == 0
    mimir.query = lambda query: {"status": "success", "data": {"result": [{"metric": {}, "value": [0, "4"]}]}}
    result = promfill("upload", "data", "--upload", mimir.url, "--wait")
    assert result.code == 0, result.err
    assert "older than 12 h" in result.err


def test_the_verify_command_of_a_push_reads_where_the_blocks_went(promfill: Promfill, mimir: Mimir) -> None:
    up = (*PUSH, *SERIES, "--upload", mimir.url, "--tenant", "team-a")
    assert promfill(*up, "--json").json["verify"].endswith(f"--tenant team-a --query-url {mimir.url}/prometheus")
    assert promfill(*up, "--keep", "--json").json["verify"].endswith("--blocks data")


@pytest.mark.parametrize("command", ["push", "upload"])
def test_concurrency_is_that_of_blocks(promfill: Promfill, mimir: Mimir, command: str) -> None:
    everybody = threading.Barrier(6, timeout=60)

    def meet(request: Request) -> None:
        if request.call == "start":
            everybody.wait()

    mimir.trouble = meet
    what = (*PUSH[:3], "--start", "1702771200", "--end", "1703289600", "--step", "1h")
    to = ("--upload", mimir.url, "--concurrency", "6")
    if command == "push":
        assert promfill(*what, *to).code == 0
    else:
        assert promfill(*what, "--accept-loss").code == 0
        assert promfill("upload", "data", *to).code == 0
    assert len(mimir.completed) == 6


def test_check_says_whether_block_upload_is_on(promfill: Promfill, mimir: Mimir) -> None:
    check = ("check", *PUSH[1:], "--upload", mimir.url)
    found = promfill(*check)
    assert found.code == 0, found.err
    assert f"note   {mimir.url} accepts blocks of this tenant" in found.out
    assert "15d" not in found.out  # Prometheus's retention is no affair of a Mimir's
    mimir.limits.enabled = False
    off = promfill(*check)
    assert off.code == 2
    assert f"loss   block upload is disabled for this tenant at {mimir.url}" in off.out
    assert "support" in off.out
    assert promfill("check", *PUSH[1:], "--upload", f"{mimir.url}/elsewhere").code == 3
    assert {request.call for request in mimir.requests} == {"check"}


def test_one_block_at_a_time(promfill: Promfill, mimir: Mimir, data: Path) -> None:
    assert promfill("upload", "data", "--upload", mimir.url, "--concurrency", "1").code == 0
    order = [request.ulid for request in mimir.requests]
    assert order == sorted(order)
    assert promfill("upload", "data", "--upload", mimir.url, "--concurrency", "0").code == 2


def test_a_failed_push_says_what_is_up_and_goes_on(promfill: Promfill, mimir: Mimir) -> None:
    command = (*PUSH, *SERIES, "--upload", mimir.url, "--retry-for", "1ms")
    mimir.trouble = lambda request: Answer(503, b"down") if request.call == "files" else None
    result = promfill(*command)
    assert result.code == 1
    assert "0 of 2 blocks are complete" in result.err
    assert "run the same command with --resume" in result.err
    mimir.trouble = lambda request: None
    refused = promfill(*command)
    assert refused.code == 2
    assert "go on by --resume, or remove the file" in refused.err
    assert promfill(*command, "--resume").code == 0
    assert len(mimir.completed) == len(set(mimir.completed)) == 2
    assert list(Path("data").iterdir()) == []
    before = len(mimir.requests)
    finished = promfill(*command, "--resume")
    assert finished.code == 0
    assert "nothing is left to send" in finished.err
    assert len(mimir.requests) == before


def test_resume_makes_only_what_is_not_up(promfill: Promfill, mimir: Mimir) -> None:
    command = (*PUSH, *SERIES, "--upload", mimir.url, "--retry-for", "1ms")
    first: list[str] = []

    def only_the_first(request: Request) -> Answer | None:
        first.append(request.ulid)
        if request.ulid == first[0]:
            return None
        wait_for(lambda: not (Path("data") / first[0]).exists())
        return Answer(500)

    mimir.trouble = only_the_first
    assert promfill(*command).code == 1
    complete = list(mimir.completed)
    assert len(complete) == 1
    mimir.trouble, before = (lambda request: None), len(mimir.requests)
    assert promfill(*command, "--resume").code == 0
    assert not {request.ulid for request in mimir.requests[before:]} & set(complete)
    assert len(set(mimir.completed)) == len(mimir.completed) == 2


def test_a_block_refused_is_kept_and_the_others_go_up(promfill: Promfill, mimir: Mimir) -> None:
    mimir.limits.max_bytes = 1
    result = promfill(*PUSH, *SERIES, "--upload", mimir.url)
    assert result.code == 3
    assert "block exceeds the maximum block size limit of 1 bytes" in result.err
    assert len(list(Path("data").iterdir())) == 2


@pytest.mark.parametrize("keep", [(), ("--keep",)])
def test_a_push_goes_on_under_another_name_where_mimir_failed(
    promfill: Promfill, mimir: Mimir, keep: tuple[str, ...]
) -> None:
    """Small compactors that are restarted in the middle of a validation."""
    command = (*PUSH, *SERIES, "--upload", mimir.url, *keep)
    mimir.fault = lambda ulid: "failed to download block: context canceled"
    first = promfill(*command)
    assert first.code == 1
    assert "context canceled; promfill finds nothing wrong with the block" in first.err
    assert "run the same command with --resume" in first.err
    own = sorted(path.name for path in Path("data").iterdir())
    (checkpoint,) = Path(".promfill").glob("*.json")
    assert json.loads(checkpoint.read_text())["done"]["generations"] == dict.fromkeys(own, 3)
    names = [[name_of_generation(name, generation) for generation in range(4)] for name in own]
    assert sorted(mimir.calls("start")) == sorted(name for block in names for name in block[:3])
    mimir.fault, before = (lambda ulid: ""), len(mimir.requests)
    second = promfill(*command, "--resume")
    assert second.code == 0, second.err
    assert {request.ulid for request in mimir.requests[before:]} == {block[3] for block in names}
    assert sorted(mimir.completed) == sorted(block[3] for block in names)
    assert f"{own[0]} was uploaded as {names[0][3]}, and 1 more" in second.out
    assert sorted(path.name for path in Path("data").iterdir()) == (own if keep else [])
    before = len(mimir.requests)
    assert promfill(*command, "--resume").code == 0
    assert len(mimir.requests) == before


def test_one_failure_is_over_within_the_run(promfill: Promfill, mimir: Mimir) -> None:
    seen: list[str] = []

    def once(ulid: str) -> str:
        seen.append(ulid)
        return "failed to download block: context canceled" if len(seen) == 1 else ""

    mimir.fault = once
    facts = promfill(*PUSH, *SERIES, "--upload", mimir.url, "--json").json["upload"]
    assert facts["renamed"] == {seen[0]: name_of_generation(seen[0], 1)}
    assert (facts["uploaded"], facts["refused"]) == (2, {})
    assert list(Path("data").iterdir()) == []


def test_existing_blocks_go_up_under_another_name_by_the_same_command(
    promfill: Promfill, mimir: Mimir, data: Path
) -> None:
    own = sorted(path.name for path in data.iterdir())
    mimir.fault = lambda ulid: "failed to download block: context canceled"
    command = ("upload", "data", "--upload", mimir.url, "--keep")
    failed = promfill(*command)
    assert failed.code == 1
    assert "to go on, run the same command again" in failed.err
    mimir.fault = lambda ulid: ""
    assert promfill(*command).code == 0
    names = sorted(name_of_generation(name, 3) for name in own)
    assert sorted(mimir.completed) == names
    again = promfill(*command, "--json").json
    assert (again["uploaded"], again["already_uploaded"]) == (0, 2)
    assert sorted(mimir.completed) == names
    assert sorted(path.name for path in data.iterdir()) == own


def test_a_block_that_is_really_bad_is_not_tried_under_other_names(promfill: Promfill, mimir: Mimir) -> None:
    """Damaged on its way from the check to the server: the push makes it again, and it goes up."""
    command = (*PUSH, *SERIES, "--upload", mimir.url)
    spoilt, here = list[str](), Path("data").absolute()

    def spoil(request: Request) -> None:
        if request.call == "start" and not spoilt:
            spoilt.append(request.ulid)
            chunks = here / request.ulid / "chunks" / "000001"
            data = bytearray(chunks.read_bytes())
            data[40] ^= 1
            chunks.write_bytes(data)

    mimir.trouble = spoil
    result = promfill(*command)
    assert result.code == 1
    assert "promfill finds: chunks/000001" in result.err
    assert len(set(mimir.calls("start"))) == 2
    resumed = promfill(*command, "--resume")
    assert resumed.code == 0, resumed.err
    assert name_of_generation(spoilt[0], 1) in mimir.completed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_blocks_go_up_while_others_are_written(promfill: Promfill, mimir: Mimir, workers: str) -> None:
    """24 blocks take seconds: the first is on its way up long before the last is there."""
    written: list[int] = []

    def look(request: Request) -> None:
        written.append(len(list(Path("data").glob("*/meta.json"))))

    mimir.trouble = look
    what = ("--labels", "i={1..750}", "--step", "1m", "--workers", workers, "--keep")
    assert promfill(*PUSH[:3], "--start", "1702771200", "--end", "1704844800", *what, "--upload", mimir.url).code == 0
    assert len(mimir.completed) == 24
    assert written[0] < 24


@pytest.mark.server
def test_waitings_until_uploaded_blocks_can_be_queried(
    promfill: Promfill, mimir: Mimir, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A store gateway that fails at first, then knows no block, then shows them: each answer of a real Prometheus."""
    pauses: list[float] = []
    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0))
    assert promfill(*PUSH, *SERIES, "--output-dir", str(tmp_path / "served")).code == 0
    late = [
        Answer(500, b"failed to fetch some blocks (err-mimir-store-consistency-check-failed)"),
        Answer(200, b"", {"Content-Type": "application/x-streamed-protobuf"}),
    ]
    with start_prometheus(tmp_path / "served") as prometheus:

        def answer(taken: Taken) -> Answer:
            asks = taken.path == "/api/v1/read" and b"asks_for_nothing" not in taken.message
            if asks and late and len(mimir.completed) == 2:
                return late.pop(0)
            headers = {
                name: taken.headers[name] for name in ("content-type", "content-encoding") if name in taken.headers
            }
            url = f"{prometheus.url}{taken.path}"
            passed = httpx.request(taken.method, url, content=taken.body, headers=headers, trust_env=False)
            return Answer(passed.status_code, passed.content, {"Content-Type": passed.headers["Content-Type"]})

        with Receiver(answer) as query:
            to = ("--upload", mimir.url, "--query-url", query.url.removesuffix("/api/v1/write"), "--verify")
            pushed = promfill(*PUSH, *SERIES, *to, "--json")
    assert pushed.code == 0, pushed.err
    assert "the samples cannot be read yet" in pushed.err
    assert "waiting up to 5m" in pushed.err
    assert pushed.json["verified"]["waited_seconds"] == sum(pauses) == 2.5
    assert (pushed.json["verified"]["found"], late) == (864, [])


def test_verify_of_uploaded_blocks_ends(promfill: Promfill, mimir: Mimir, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(waiting, "time", SimpleNamespace(sleep=pauses.append, monotonic=lambda: 0.0))
    nothing = b'{"status": "success", "data": {"resultType": "matrix", "result": []}}'

    def answer(taken: Taken) -> Answer:
        return Answer(404) if taken.path.endswith(("/read", "/config")) else Answer(200, nothing)

    with Receiver(answer) as query:
        to = ("--upload", mimir.url, "--query-url", query.url.removesuffix("/api/v1/write"), "--verify")
        pushed = promfill(*PUSH, *SERIES, *to, "--retry-for", "20s", "--json")
    assert pushed.code == 1
    assert "864 of 864 samples are not in" in pushed.err
    assert "864 missing samples, after waiting 20 s" in pushed.err
    assert pushed.json["verified"]["waited_seconds"] == sum(pauses) == 20


@pytest.mark.server
def test_prometheus_serves_a_block_that_went_through(promfill: Promfill, mimir: Mimir, tmp_path: Path) -> None:
    assert promfill(*PUSH, *SERIES, "--upload", mimir.url).code == 0
    bucket = mimir.bucket / "anonymous"
    samples = sum(open_block(path).meta.stats.samples for path in bucket.iterdir())
    with start_prometheus(bucket) as prometheus:
        query = {"query": "sum(count_over_time(vpn[2d]))", "time": "1702886400"}
        answer = httpx.get(f"{prometheus.url}/api/v1/query", params=query, trust_env=False).json()
    assert int(answer["data"]["result"][0]["value"][1]) == samples == 864


STAGES = [("start", 0), ("start", 1), ("files", 0), ("files", 1), ("files", 3), ("finish", 0), ("finish", 1)]


@pytest.mark.parametrize("command", ["push", "upload"])
@pytest.mark.parametrize(("call", "nth"), [*STAGES, ("check", 0), ("check", 2)])
def test_killed_at_every_stage_each_block_is_complete_once(
    mimir: Mimir, tmp_path: Path, command: str, call: str, nth: int
) -> None:
    """kill -9 while the server holds the answer to a call; then --resume, or the same upload again."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    killed, again = _commands(command, mimir.url, work)
    seen: list[str] = []
    process: subprocess.Popen[bytes] | None = None

    def kill(request: Request) -> Answer | None:
        seen.append(request.call)
        if seen.count(call) == nth + 1 and request.call == call and process:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return Answer(hang_up=True)
        return None

    mimir.trouble, mimir.limits.validation_seconds = kill, 0.02
    process = subprocess.Popen(killed, cwd=work, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, (out, err)
    there = {path.name for path in (work / "data").iterdir() if len(path.name) == 26}
    all_made = command == "upload" or {"finish", "check"} & {call}
    assert len(there | set(mimir.completed)) == 2 or not all_made  # nothing is lost
    complete = set(mimir.completed)
    mimir.trouble, before = (lambda request: None), len(mimir.requests)
    done = subprocess.run(again, cwd=work, env=_environment(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len(mimir.completed) == len(set(mimir.completed)) == 2
    assert not {request.ulid for request in mimir.requests[before:] if request.call == "files"} & complete
    assert [path for path in (work / "data").iterdir() if len(path.name) == 26] == []


@pytest.mark.parametrize("command", ["push", "upload"])
@pytest.mark.parametrize(("call", "nth"), [("start", 2), ("files", 5), ("finish", 2), ("check", 4)])
def test_killed_on_the_way_under_another_name_the_same_names_follow(
    mimir: Mimir, tmp_path: Path, command: str, call: str, nth: int
) -> None:
    """Both blocks fail under their own names; kill -9 on the way under their second."""
    work = tmp_path / "work"
    work.mkdir(exist_ok=True)
    killed, again = _commands(command, mimir.url, work)
    seen: list[str] = []
    process: subprocess.Popen[bytes] | None = None
    own: set[str] = set()

    def fail_first(ulid: str) -> str:
        if len(own) < 2:
            own.add(ulid)
        return "failed to download block: context canceled" if ulid in own else ""

    def kill(request: Request) -> Answer | None:
        seen.append(request.call)
        if seen.count(call) == nth + 1 and request.call == call and process:
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            return Answer(hang_up=True)
        return None

    mimir.trouble, mimir.fault = kill, fail_first
    process = subprocess.Popen(killed, cwd=work, env=_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL
    mimir.trouble = lambda request: None
    done = subprocess.run(again, cwd=work, env=_environment(), capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert set(mimir.calls("start")) == own | {name_of_generation(name, 1) for name in own}
    assert sorted(mimir.completed) == sorted(name_of_generation(name, 1) for name in own)
    assert [path for path in (work / "data").iterdir() if len(path.name) == 26] == []


def _commands(command: str, url: str, work: Path) -> tuple[list[str], list[str]]:
    """What is killed, and what goes on with it."""
    promfill, to = [sys.executable, "-m", "promfill"], ["--upload", url, "--timeout", "20s"]
    if command == "push":
        push = [*promfill, *PUSH, *SERIES, *to]
        return push, [*push, "--resume"]
    subprocess.run([*promfill, *PUSH, *SERIES], cwd=work, env=_environment(), capture_output=True, check=True)
    upload = [*promfill, "upload", "data", *to]
    return upload, upload


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PROMFILL_", "CDO_"))}
    return {**kept, "PYTHONPATH": str(ROOT)}
