"""Every command that takes --json in each of its outcomes, held against docs/json-schema.json."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promfill.cli.outcome import COMMANDS
from promfill.errors import FormatError, OutputError, ReceiverError, RefusedError
from promfill.net.http import NoAnswerError
from tests.support.cli import PUSH, Promfill, Result
from tests.support.json_schema import judge
from tests.support.mimir import Mimir
from tests.support.receiver import GOOD, Answer, Receiver, Taken
from tests.support.servers import free_port, start_prometheus

ROOT = Path(__file__).parents[2]
SERIES = ("--labels", "i={1..3}")
WHAT = (*PUSH[1:], *SERIES)
SAMPLES = 3 * 288
REMOTE = ("--mode", "remote-write", "--retry-for", "1s", "--protocol", "1.0")
TEXT = "# TYPE a gauge\na 1 1700000000\n# EOF\n"
CREATE = ("tsdb", "create-blocks-from", "openmetrics")


def document_of(result: Result) -> dict[str, Any]:
    """The one object on stdout, as the schema says."""
    assert result.out.count("\n") == 1
    document: dict[str, Any] = json.loads(result.out, parse_constant=lambda word: pytest.fail(word))
    judge(document)
    assert document["schema"] == 1
    return document


def succeeded(result: Result) -> dict[str, Any]:
    document = document_of(result)
    assert (result.code, "error" in document) == (0, False), result.err
    return document


def failed(result: Result, code: str, exit_code: int) -> dict[str, Any]:
    """The object of a failure; stderr ends with the same, in one line."""
    document = document_of(result)
    error = document["error"]
    assert (error["code"], error["exit_code"], result.code) == (code, exit_code, exit_code), result.err
    line = result.err.splitlines()[-1]
    assert line.startswith(f"promfill: error: {error['message'][:30]}")
    assert error["fix"] in line
    assert error["fix"] not in error["message"] or not error["fix"]
    return document


@pytest.fixture
def data(promfill: Promfill) -> Path:
    assert promfill(*PUSH, *SERIES).code == 0
    return Path("data")


def spoil(data: Path) -> Path:
    """Damage the first block."""
    chunks = min(data.iterdir()) / "chunks" / "000001"
    chunks.write_bytes(chunks.read_bytes()[:-1])
    return chunks.parents[1]


@pytest.mark.parametrize("quiet", [(), ("-q",)])
@pytest.mark.parametrize("mode", ["blocks", "openmetrics"])
def test_push(promfill: Promfill, mode: str, quiet: tuple[str, ...]) -> None:
    plan = succeeded(promfill("push", *WHAT, "--mode", mode, "--json", "--dry-run", *quiet))
    made = succeeded(promfill("push", *WHAT, "--mode", mode, "--json", *quiet))
    assert {**plan, "dry_run": made.get("dry_run")}.items() >= {(k, made[k]) for k in ("samples", "start", "end")}
    assert made["written"] == made["samples"] == SAMPLES
    assert ("serve" in made, "findings" in made) == (mode == "blocks", mode == "blocks")


def test_push_by_remote_write_and_again(promfill: Promfill) -> None:
    with Receiver() as receiver:
        push = ("push", *WHAT, *REMOTE, "--remote-write-url", receiver.url, "--json")
        made = succeeded(promfill(*push))
        assert made["acknowledged"] == SAMPLES
        assert Path(made["checkpoint"]).is_file()
        sent = len(receiver.taken)
        again = succeeded(promfill(*push, "--resume"))
        assert (again["finished"], again["checkpoint"]) == (True, made["checkpoint"])
        assert {name: again[name] for name in ("metric", "start", "end")} == {
            name: made[name] for name in ("metric", "start", "end")
        }
        assert len([taken for taken in receiver.taken[sent:] if taken.method == "POST"]) == 0


def test_push_with_upload_and_a_refused_block(promfill: Promfill, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        made = succeeded(promfill("push", *WHAT, "--upload", mimir.url, "--json"))
        assert len(made["upload"]["complete"]) == made["blocks"] == 2
        assert made["paths"] == []
        mimir.trouble = lambda request: Answer(503, b"busy") if request.ulid != made["upload"]["complete"][0] else None
        short = ("--retry-for", "100ms", "--checkpoint", "run.json", "--json")
        told = failed(promfill("push", *WHAT, "--upload", mimir.url, *short), "receiver", 1)
        assert told["upload"]["complete"] == made["upload"]["complete"][:1]
        assert (told["checkpoint"], told["blocks"]) == ("run.json", 2)
        assert not {"serve", "verify"} & told.keys()
        mimir.trouble = lambda request: None
        rest = succeeded(promfill(*shlex.split(told["resume"])[1:]))
        assert rest["upload"]["complete"] == made["upload"]["complete"][1:]


def refusing(status: int, good: int, body: bytes = b"no") -> Callable[[Taken], Answer]:
    """Takes `good` requests, and refuses all that follow. A look at the query API finds none."""
    lock, taken = threading.Lock(), [0]

    def answer(request: Taken) -> Answer:
        if request.method == "GET" or "/api/v1/write" not in request.path:
            return Answer(404)
        with lock:
            taken[0] += 1
            return GOOD if taken[0] <= good else Answer(status, body)

    return answer


def test_push_refused_after_a_part_and_resumed(promfill: Promfill) -> None:
    state = refusing(503, 2)
    with Receiver(lambda taken: state(taken)) as receiver:
        small = ("--max-samples-per-send", "100", "--concurrency", "1", "--checkpoint", "my run.json")
        push = ("push", *WHAT, *REMOTE, "--remote-write-url", receiver.url, *small, "--json")
        told = failed(promfill(*push), "receiver", 1)
        assert 0 < told["acknowledged"] == told["written"] < SAMPLES
        assert told["requests"] == 2
        assert "samples were accepted" in told["error"]["message"]
        assert (told["start"], told["checkpoint"]) == ("2023-12-17T08:00:00Z", "my run.json")
        held = failed(promfill(*push), "input", 2)  # an unfinished run is there
        assert (held["checkpoint"], held["resume"]) == (told["checkpoint"], told["resume"])
        state = refusing(204, 0)
        rest = succeeded(promfill(*shlex.split(told["resume"])[1:]))
        assert rest["acknowledged"] + rest["sent_before"] == SAMPLES
        assert rest["sent_before"] == told["acknowledged"]


@pytest.mark.parametrize("status", [400, 401, 404])
def test_push_refused_for_good(promfill: Promfill, status: int) -> None:
    """Its exit code is that of its kind: 1, or 3 where repetition cannot change the answer."""
    with Receiver(refusing(status, 0)) as receiver:
        result = promfill("push", *WHAT, *REMOTE, "--remote-write-url", receiver.url, "--json")
    told = document_of(result)
    assert (told["error"]["code"], result.code) in (("receiver", 1), ("refused", 3))
    assert told["written"] == 0
    assert "checkpoint" not in told
    assert told["resume"].startswith("promfill push --metric-name vpn --labels 'i={1..3}' --start 1702800000")


def test_push_without_an_answer(promfill: Promfill) -> None:
    url = f"http://127.0.0.1:{free_port()}/api/v1/write"
    told = failed(promfill("push", *WHAT, *REMOTE, "--remote-write-url", url, "--json"), "no-answer", 1)
    assert told["acknowledged"] == 0
    assert told["findings"][0]["kind"] == "unknown"


def test_secrets_are_not_in_the_command_that_goes_on(promfill: Promfill) -> None:
    url = f"http://me:t0psecret@127.0.0.1:{free_port()}/api/v1/write?key=t0psecret"
    headers = ("--header", "X-Key: t0psecret", "--header", "Y: t0psecret")
    result = promfill("push", *WHAT, *REMOTE, "--remote-write-url", url, *headers, "--json")
    told = failed(result, "no-answer", 1)
    assert "t0psecret" not in result.out + result.err
    assert "--header 'X-Key: •••' --header 'Y: •••'" in told["resume"]


@pytest.mark.parametrize(
    "url", ["me:t0psecret@host/write?k=t0psecret", "http://me:t0psecret@h/?k=t0psecret", "http://[t0psecret"]
)
def test_secrets_of_options_that_cannot_be_used(promfill: Promfill, url: str) -> None:
    """The command that goes on is told before anything else of the options has been looked at."""
    with Receiver(refusing(503, 1)) as receiver:
        small = ("--max-samples-per-send", "100", "--concurrency", "1", "--checkpoint", "run.json", "--json")
        failed(promfill("push", *WHAT, *REMOTE, "--remote-write-url", receiver.url, *small), "receiver", 1)
    wrong = ("--remote-write-url", url, "--header", "t0psecret")
    result = promfill("push", *WHAT, *REMOTE, *wrong, *small)
    assert failed(result, "input", 2)["resume"].endswith("--resume --json")
    assert "t0psecret" not in result.out + result.err
    settings = promfill("config", *wrong, "--json")
    assert "t0psecret" not in settings.out + settings.err


@pytest.mark.parametrize("command", ["push", "check"])
def test_loss_that_is_foreseen(promfill: Promfill, tmp_path: Path, command: str) -> None:
    with start_prometheus(tmp_path / "prometheus", retention="1d") as server:
        to = ("--mode", "remote-write", "--remote-write-url", f"{server.url}/api/v1/write")
        what = ("--metric-name", "vpn", "--start", "now-3d", "--end", "now", "--json")
        told = failed(promfill(command, *what, *to), "loss", 2)
        finding = next(finding for finding in told["findings"] if finding["loses"])
        assert (finding["kind"], told["loses"]) == ("retention", True)
        assert finding["samples"] > 0
        assert finding["text"] in told["error"]["message"]
        assert finding["fix"] in told["error"]["fix"]
        assert finding["fix"] not in told["error"]["message"]
        assert told["store"]["name"] == "Prometheus"
        made = succeeded(promfill(command, *what, *to, "--accept-loss"))
        assert made["findings"] == told["findings"] or command == "push"


@pytest.mark.parametrize(
    ("words", "word"),
    [
        (("--start", "yesterday"), "yesterday"),
        (("--password-file", "nowhere", "--username", "me"), "nowhere"),
        (("--remote-write-url", "http://[::1"), "URL"),
        (("--labels", "job={a"), "brace"),
        (("--mode", "blocks", "--protocol", "1.0"), "--protocol"),
    ],
)
@pytest.mark.parametrize("command", ["push", "check"])
def test_bad_options(promfill: Promfill, command: str, words: tuple[str, ...], word: str) -> None:
    to = ("--mode", "remote-write", "--remote-write-url", "http://127.0.0.1:9/api/v1/write")
    told = failed(promfill(command, *WHAT, *to, *words, "--json"), "input", 2)
    assert word in told["error"]["message"]
    assert told["error"]["fix"]


def test_bugs_and_too_little_memory(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("promfill.sources.generated.build_fleet", fail)
    error: BaseException = MemoryError()
    assert failed(promfill("push", *WHAT, "--json"), "memory", 1)["metric"] == "vpn"
    error = RuntimeError("odd")
    assert "RuntimeError: odd" in failed(promfill("push", *WHAT, "--json"), "internal", 1)["error"]["message"]
    error = KeyboardInterrupt()
    assert failed(promfill("push", *WHAT, "--json"), "interrupted", 130)["start_epoch"] == "1702800000"
    error = OSError(5, "Input/output error", "thing")
    assert "thing" in failed(promfill("push", *WHAT, "--json"), "output", 1)["error"]["message"]


DEEP = [
    (("push", *WHAT), "promfill.pipeline.push.push"),
    (("check", *WHAT), "promfill.rules.predict.predict"),
    (("verify", *WHAT, "--blocks", "data"), "promfill.operations.verify.verify"),
    (("upload", "data", "--upload", "http://127.0.0.1:9"), "promfill.sinks.upload.uploader.Uploader.finish"),
    (("config",), "promfill.cli.config._destination"),
    (("tsdb", "list"), "promfill.blocks.directory.block_bytes"),
    (("tsdb", "analyze"), "promfill.promtool.analysis.analyze"),
    (("tsdb", "verify"), "promfill.operations.review_blocks.review_blocks"),
    ((*CREATE, "a.txt"), "promfill.operations.create_blocks.create_blocks"),
]
"""A command line, and a function that it comes to."""

ENDINGS: list[tuple[Callable[[], BaseException], str, int]] = [
    (lambda: KeyboardInterrupt(), "interrupted", 130),
    (lambda: SystemExit(143), "interrupted", 143),
    (lambda: SystemExit(129), "interrupted", 129),
    (lambda: MemoryError(), "memory", 1),
    (lambda: ZeroDivisionError("odd"), "internal", 1),
    (lambda: OSError(28, "No space left on device", "thing"), "output", 1),
    (lambda: OutputError("cannot write", "make room"), "output", 1),
    (lambda: NoAnswerError("nothing listens", may_have_arrived=False), "no-answer", 1),
    (lambda: RefusedError("401 Unauthorized", "check the password"), "refused", 3),
    (lambda: ReceiverError("503 Service Unavailable"), "receiver", 1),
    (lambda: FormatError("a bad checksum", section="index", offset=3), "format", 1),
]


@pytest.mark.parametrize(("words", "function"), DEEP, ids=lambda value: value if isinstance(value, str) else "")
def test_whatever_ends_a_command(
    promfill: Promfill, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], function: str
) -> None:
    assert promfill(*PUSH, *SERIES).code == 0
    Path("a.txt").write_text(TEXT)
    for make, code, exit_code in ENDINGS:

        def fail(*_: object, make: Callable[[], BaseException] = make, **__: object) -> None:
            raise make()

        with monkeypatch.context() as patch:
            patch.setattr(function, fail)
            blind = words[0] == "verify" and code in ("no-answer", "receiver", "format")  # it could not look
            told = failed(promfill(*words, "--json"), code, 3 if blind else exit_code)
        assert told["command"] == " ".join(word for word in words[:3] if word in " ".join(COMMANDS).split())
        assert len(told) > 3 or words == ("config",)  # what was known before


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """What had become whole is told: here the first of two blocks."""
    from promfill.sinks import blocks

    real, calls = blocks.BlockSink.write, [0]

    def write(*words: Any) -> None:
        calls[0] += 1
        if calls[0] > 1:
            raise OutputError("cannot write data: No space left on device", "make room")
        real(*words)

    monkeypatch.setattr(blocks.BlockSink, "write", write)
    told = failed(promfill("push", *WHAT, "--block-duration", "6h", "--json"), "output", 1)
    assert told["error"]["fix"] == "make room"
    assert 0 <= told["written"] < SAMPLES
    monkeypatch.undo()
    assert succeeded(promfill(*shlex.split(told["resume"])[1:]))["written"] <= SAMPLES


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_interrupted_by_a_signal(promfill: Promfill, number: signal.Signals, code: int) -> None:
    """In a process of its own: what was acknowledged, the checkpoint, and the command that goes on."""
    arrived = threading.Event()
    answer = refusing(204, 0)

    def slow(taken: Taken) -> Answer:
        said = answer(taken)
        if said.status == 204 and len(receiver.taken) > 6:
            arrived.set()
            return Answer(204, pause=0.3)
        return said

    with Receiver(slow) as receiver:
        small = ("--max-samples-per-send", "30", "--concurrency", "1")
        words = ("push", *WHAT, *REMOTE, "--remote-write-url", receiver.url, *small, "--json")
        hear = "signal.signal(signal.SIGINT, signal.default_int_handler)"  # where it was ignored, as behind a shell's &
        hear = f"import signal; {hear}; from promfill.cli import main; main()"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-c", hear, *words]
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        ) as child:
            assert arrived.wait(60)
            child.send_signal(number)
            out, err = child.communicate(timeout=60)
        told = failed(Result(child.returncode, out, err), "interrupted", code)
        assert 0 < told["acknowledged"] < SAMPLES
        assert Path(told["checkpoint"]).is_file()
        assert told["resume"].endswith("--resume --json")


def test_push_by_script(promfill: Promfill) -> None:
    """What the script says on stdout goes to stderr: stdout is the object's alone."""
    Path("utils").mkdir()
    Path("password").write_text("s3cret")
    script = Path("utils/backfill.sh")
    to = ("--remote-write-url", "http://127.0.0.1:9/push", "--username", "me", "--password-file", "password")
    words = [sys.executable, "-m", "promfill", "push", *WHAT, "--mode", "script", *to, "--json"]
    for code in (0, 7):
        script.write_text(f"#!/bin/sh\n# promfill: secrets by environment\necho hello\nexit {code}\n")
        script.chmod(0o755)
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        run = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        result = Result(run.returncode, run.stdout, run.stderr)
        assert "hello" in result.err
        if code:
            assert failed(result, "script", 1)["destination"].endswith("backfill.sh")
        else:
            assert succeeded(result)["written"] == SAMPLES


def test_push_and_verify_that_differs(promfill: Promfill, data: Path) -> None:
    """Blocks of another seed lie in the directory: the push is whole, and the proof fails."""
    assert succeeded(promfill("push", *WHAT, "--output-dir", "good", "--verify", "--json"))["verified"]["right"]
    told = failed(promfill("push", *WHAT, "--seed", "7", "--verify", "--json"), "differs", 1)
    assert told["written"] == SAMPLES
    assert told["verified"]["doubled"] + told["verified"]["different"] > 0
    assert told["verify"].startswith("promfill verify ")


def test_verify(promfill: Promfill, data: Path) -> None:
    good = succeeded(promfill("verify", *WHAT, "--blocks", "data", "--json"))
    assert (good["right"], good["found"]) == (True, SAMPLES)
    assert good["store"] == {"name": "blocks", "where": "data"}
    bad = failed(promfill("verify", *WHAT, "--seed", "7", "--blocks", "data", "--json"), "differs", 1)
    assert (bad["right"], bad["different"]) == (False, SAMPLES)
    assert bad["ranges"]["different"] == [{"first": "2023-12-17T08:00:00Z", "last": "2023-12-18T07:55:00Z"}]
    strange = failed(promfill("verify", *PUSH[1:], "--blocks", "data", "--json"), "differs", 1)
    assert strange["unexpected_series_examples"][0]["__name__"] == "vpn"


def test_verify_that_cannot_look(promfill: Promfill, data: Path) -> None:
    assert failed(promfill("verify", *WHAT, "--json"), "input", 2)["metric"] == "vpn"
    assert "error" in failed(promfill("verify", *WHAT, "--blocks", "nowhere", "--json"), "input", 2)
    assert (
        "none.json" in failed(promfill("verify", "--checkpoint", "none.json", "--json"), "input", 2)["error"]["message"]
    )
    closed = f"http://127.0.0.1:{free_port()}"
    told = document_of(promfill("verify", *WHAT, "--query-url", closed, "--json"))
    assert told["error"]["code"] == "no-answer"
    assert told["start_epoch"] == "1702800000"
    spoil(data)
    assert failed(promfill("verify", *WHAT, "--blocks", "data", "--json"), "format", 3)["error"]["message"]


def test_check(promfill: Promfill) -> None:
    assert succeeded(promfill("check", *WHAT, "--json"))["destination"] == "data"
    to = ("--mode", "remote-write", "--remote-write-url")
    asked = succeeded(promfill("check", *WHAT, *to, f"http://me:pw@127.0.0.1:{free_port()}/write?a=b", "--json", "-q"))
    assert (asked["store"], asked["loses"]) == (None, False)
    assert asked["destination"].endswith("/write?…")
    assert asked["findings"][0].keys() >= {"kind", "loses", "samples", "text", "fix"}
    query = ("--query-url", f"http://127.0.0.1:{free_port()}")
    told = document_of(promfill("check", *WHAT, *to, "http://127.0.0.1:9/write", *query, "--json"))
    assert told["error"]["code"] == "no-answer"


def test_check_of_an_upload(promfill: Promfill, tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        told = succeeded(promfill("check", *WHAT, "--upload", mimir.url, "--json"))
    assert told["findings"][0]["kind"] == "upload"


def test_upload(promfill: Promfill, data: Path, tmp_path: Path) -> None:
    names = sorted(path.name for path in data.iterdir())
    with Mimir(tmp_path / "bucket") as mimir:
        to = ("--upload", mimir.url, "--keep", "--json")
        assert succeeded(promfill("upload", "data", *to, "--dry-run"))["samples"] == SAMPLES
        mimir.trouble = lambda request: Answer(503, b"busy") if request.ulid == names[1] else None
        told = failed(promfill("upload", "data", *to, "--retry-for", "100ms", "--concurrency", "1"), "receiver", 1)
        assert (told["blocks"], told["complete"], told["destination"]) == (2, names[:1], mimir.url)
        mimir.trouble = lambda request: (
            Answer(400, b"odd") if (request.call, request.ulid) == ("start", names[1]) else None
        )
        result = promfill("upload", "data", *to)
        told = document_of(result)
        assert told["error"]["exit_code"] == result.code
        assert told["refused"].keys() == {names[1]}
        mimir.trouble = lambda request: None
        made = succeeded(promfill("upload", "data", *to))
        assert (made["complete"], made["uploaded"], made["already_uploaded"]) == (names, 1, 1)
        made = succeeded(promfill("upload", "data", "--upload", "none", "--dry-run", "--json"))
        assert made["destination"] is None


def test_upload_of_what_cannot_go_up(promfill: Promfill, data: Path) -> None:
    to = ("--upload", f"http://127.0.0.1:{free_port()}", "--retry-for", "100ms", "--json")
    assert failed(promfill("upload", "data", "--json"), "input", 2)["samples"] == SAMPLES
    assert "nowhere" in failed(promfill("upload", "nowhere", *to), "input", 2)["error"]["message"]
    assert failed(promfill("upload", "data", *to), "no-answer", 1)["complete"] == []
    spoil(data)
    assert "damaged" in failed(promfill("upload", "data", *to), "input", 2)["error"]["message"]


def test_config(promfill: Promfill) -> None:
    told = succeeded(promfill("config", "--upload", "http://me:pw@mimir/x", "--json", "-q"))
    assert told["destination"] == "http://mimir/x"
    assert {"name": "upload", "value": "http://mimir/x", "source": "flag"} in told["settings"]
    assert failed(promfill("config", "--workers", "0", "--json"), "input", 2).keys() == {"schema", "command", "error"}


def test_tsdb_list_and_analyze(promfill: Promfill, data: Path) -> None:
    listed = succeeded(promfill("tsdb", "list", "data", "--json"))
    assert [block["samples"] for block in listed["blocks"]] == [3 * 192, 3 * 96]
    assert Path(listed["blocks"][0]["path"]).is_dir()
    figures = succeeded(promfill("tsdb", "analyze", "data", "--json", "--limit", "1"))
    assert figures["ulid"] == listed["blocks"][-1]["ulid"]
    assert figures["rankings"]["label_cardinality"] == [{"name": "i", "figure": 3}]
    full = succeeded(promfill("tsdb", "analyze", "data", "--json", "--extended"))
    assert sum(full["chunk_fullness"]) == listed["blocks"][-1]["chunks"]
    verified = succeeded(promfill("tsdb", "verify", "data", "--json"))
    for seen, there in zip(verified["blocks"], listed["blocks"], strict=True):  # the same words for the same thing
        for name in ("ulid", "path", "samples", "chunks", "series", "bytes"):
            assert seen[name] == there[name]
        assert (seen["first_time"], seen["last_time"]) == (there["min_time"], there["max_time"] - 1)


def test_tsdb_of_bad_directories(promfill: Promfill, data: Path) -> None:
    for command in ("list", "analyze", "verify"):
        told = failed(promfill("tsdb", command, "nowhere", "--json"), "input", 2)
        assert told["directory"] == "nowhere"
    assert "none" in failed(promfill("tsdb", "analyze", "data", "none", "--json"), "input", 2)["error"]["message"]
    spoilt = spoil(data)
    told = failed(promfill("tsdb", "verify", "data", "--json"), "format", 1)
    assert [block["right"] for block in told["blocks"]] == [False, True]
    assert told["blocks"][0]["path"] == str(spoilt)
    (spoilt / "meta.json").unlink()
    assert succeeded(promfill("tsdb", "list", "data", "--json"))["skipped"] == [str(spoilt)]
    index = max(data.iterdir()) / "index"
    index.write_bytes(index.read_bytes()[:-3])
    assert failed(promfill("tsdb", "list", "data", "--json"), "format", 1)["directory"] == "data"


def test_create_blocks_from(promfill: Promfill) -> None:
    Path("a.txt").write_text(TEXT)
    Path("bad.txt").write_text(TEXT.replace("a 1 ", "a one "))
    made = succeeded(promfill(*CREATE, "a.txt", "out", "--json", "-q"))
    assert (made["samples"], made["destination"], len(made["blocks"])) == (1, "out", 1)
    told = failed(promfill(*CREATE, "bad.txt", "out", "--json"), "input", 2)
    assert (told["destination"], "line 2" in told["error"]["message"]) == ("out", True)
    assert "nowhere" in failed(promfill(*CREATE, "nowhere", "--json"), "input", 2)["error"]["message"]
    Path("empty.txt").write_text("# EOF\n")
    assert succeeded(promfill(*CREATE, "empty.txt", "--json"))["blocks"] == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize(("words", "code"), [(("config",), 1), (("tsdb", "list", "nowhere"), 2)])
def test_an_object_that_cannot_be_written(words: tuple[str, ...], code: int) -> None:
    command = [sys.executable, "-m", "promfill", *words, "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False, env=environment)
    assert ended.returncode == code
    assert ended.stderr.endswith("the result cannot be read or written: No space left on device\n")
    gone = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {shlex.join(command)} | true"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert gone.returncode in (0, code)  # the pipe may take it all before its reader is gone
    assert "Traceback" not in gone.stderr
