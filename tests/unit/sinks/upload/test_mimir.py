"""Block upload against the double: what goes up, what is already there, what is refused, and what may pass."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from promfill.cli import run as promfill
from promfill.errors import ReceiverError, RunError
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.sinks.upload.local import FileBody, find_blocks, read_local_block
from promfill.sinks.upload.mimir import MimirUpload
from promfill.sinks.upload.names import MOST_NAMES, name_of_generation
from promfill.sinks.upload.uploader import Uploader, UploadReport
from tests.support.mimir import Mimir, Request
from tests.support.mimir_rules import Limits
from tests.support.receiver import Answer

START, END = "1702771200", "1703030400"  # three UTC days


@pytest.fixture
def blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.chdir(tmp_path)
    what = ("--metric-name", "vpn", "--labels", "i={1..3}", "--start", START, "--end", END)
    assert promfill(["push", *what, "--accept-loss", "-q", "--upload", "none"]) == 0
    return find_blocks([tmp_path / "data"])


@pytest.fixture
def mimir(tmp_path: Path) -> Iterator[Mimir]:
    with Mimir(tmp_path / "bucket") as server:
        yield server


def upload(
    mimir: Mimir,
    blocks: list[Path],
    *,
    retry_for: float = 30.0,
    lanes: int = 4,
    keep: bool = False,
    tenant: str | None = None,
    **remembered: Any,
) -> UploadReport:
    stop = threading.Event()
    destination = build_destination(mimir.url, tenant=tenant, environment={})
    protocol = MimirUpload(mimir.url, lambda: make_client(destination, 20.0), stop, retry_for=retry_for, timeout=20.0)
    uploader = Uploader(protocol, keep=lambda block: keep, stop=stop, **remembered)
    try:
        uploader.offer(blocks)
        return uploader.finish()
    finally:
        uploader.abort()


def failing(call: str, *answers: Answer) -> Callable[[Request], Answer | None]:
    left = list(answers)
    return lambda request: left.pop(0) if left and request.call == call else None


def names(blocks: list[Path]) -> list[str]:
    return [block.name for block in blocks]


def test_blocks_go_up_whole_and_their_copies_go(mimir: Mimir, blocks: list[Path]) -> None:
    files = {
        path.relative_to(path.parents[1 if path.name == "index" else 2]): path.read_bytes()
        for block in blocks
        for path in (block / "index", block / "chunks" / "000001")
    }
    report = upload(mimir, blocks)
    assert sorted(mimir.completed) == sorted(report.uploaded) == names(blocks)
    assert report.bytes == sum(map(len, files.values()))
    assert not any(block.exists() for block in blocks)
    for name, data in files.items():
        assert (mimir.bucket / "anonymous" / name).read_bytes() == data
    meta = json.loads((mimir.bucket / "anonymous" / blocks[0].name / "meta.json").read_bytes())
    assert [file["rel_path"] for file in meta["thanos"]["files"]] == ["meta.json", "index", "chunks/000001"]
    assert {request.path for request in mimir.requests if request.call == "files"} == {"index", "chunks/000001"}


def test_every_connection_is_let_go(mimir: Mimir, blocks: list[Path]) -> None:
    before = set(threading.enumerate())
    upload(mimir, blocks)
    watches = [thread for thread in set(threading.enumerate()) - before if thread.name == "deadline"]
    for thread in watches:
        thread.join(10)
    assert not [thread for thread in watches if thread.is_alive()]


def test_keep_keeps_and_a_second_time_nothing_is_sent(mimir: Mimir, blocks: list[Path]) -> None:
    upload(mimir, blocks, keep=True)
    assert all(block.exists() for block in blocks)
    before = len(mimir.calls("files"))
    report = upload(mimir, blocks)
    assert sorted(report.there) == names(blocks)
    assert not report.uploaded
    assert len(mimir.calls("files")) == before
    assert sorted(mimir.completed) == names(blocks)
    assert not any(block.exists() for block in blocks)


@pytest.mark.parametrize("call", ["start", "files", "finish", "check"])
@pytest.mark.parametrize(
    "trouble",
    [Answer(500, b"internal server error (id 1)"), Answer(503), Answer(429, b"slow"), Answer(hang_up=True)],
    ids=["500", "503", "429", "reset"],
)
def test_what_may_pass_is_tried_again(mimir: Mimir, blocks: list[Path], call: str, trouble: Answer) -> None:
    mimir.trouble = failing(call, trouble, trouble)
    assert sorted(upload(mimir, blocks).uploaded) == names(blocks)
    assert sorted(mimir.completed) == names(blocks)


def test_a_lost_answer_to_finish_costs_nothing(mimir: Mimir, blocks: list[Path]) -> None:
    """The server has acted, and its answer did not come: the next finish finds the block validating or complete."""
    acted: list[str] = []

    def act_and_hang_up(request: Request) -> Answer | None:
        if request.call == "finish" and request.ulid not in acted:
            acted.append(request.ulid)
            mimir.finish(mimir.upload_of(request.tenant, request.ulid))
            return Answer(hang_up=True)
        return None

    mimir.limits.validations_at_once = 0
    mimir.limits.validation_seconds = 0.05
    mimir.trouble = act_and_hang_up
    report = upload(mimir, blocks)
    assert sorted(mimir.completed) == sorted(report.uploaded) == names(blocks)
    assert not report.there


def test_a_check_between_two_files_of_mimirs_is_asked_again(mimir: Mimir, blocks: list[Path]) -> None:
    mimir.trouble = failing("check", *[Answer(404, b"block doesn't exist")] * 2)
    assert upload(mimir, blocks[:1]).uploaded == names(blocks[:1])
    mimir.trouble = lambda request: Answer(404, b"block doesn't exist") if request.call == "check" else None
    with pytest.raises(RunError, match="does not know it any more"):
        upload(mimir, blocks[1:2])


@pytest.mark.parametrize("call", ["start", "files", "finish"])
def test_a_conflict_is_not_taken_for_a_block_that_is_there(mimir: Mimir, blocks: list[Path], call: str) -> None:
    """A gateway may have its own reasons: only `check` says that a block is complete, and lets its copy go."""
    mimir.trouble = lambda request: Answer(409, b"another deployment is under way") if request.call == call else None
    with pytest.raises(RunError, match="answered 409 Conflict: another deployment is under way"):
        upload(mimir, blocks)
    assert all(block.exists() for block in blocks)
    assert mimir.completed == []


def test_a_kill_while_a_copy_is_removed_leaves_no_half_of_it(
    mimir: Mimir, blocks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def die(path: Path) -> None:
        (Path(path) / "index").unlink()
        raise OSError

    with monkeypatch.context() as removal:
        removal.setattr("promfill.sinks.upload.uploader.shutil", SimpleNamespace(rmtree=die))
        upload(mimir, blocks[:1])
    assert find_blocks([blocks[0].parent]) == blocks[1:]
    report = upload(mimir, blocks[1:])
    assert sorted(report.uploaded) == names(blocks[1:])


def test_validations_that_never_end_are_given_up(
    mimir: Mimir, blocks: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promfill.sinks.upload.mimir.VALIDATIONS", 3)
    finished: list[str] = []

    def accept(request: Request) -> Answer | None:
        if request.call == "finish":
            finished.append(request.ulid)
            return Answer(200)
        return Answer(200, b'{"result":"uploading"}') if request.call == "check" else None

    mimir.trouble = accept
    with pytest.raises(RunError, match="begun its validation 3 times"):
        upload(mimir, blocks[:1])
    assert finished == names(blocks[:1]) * 3
    assert blocks[0].exists()


def test_retrying_ends(mimir: Mimir, blocks: list[Path]) -> None:
    mimir.trouble = lambda request: Answer(503, b"down") if request.call == "files" else None
    started = time.monotonic()
    with pytest.raises(ReceiverError, match="answered 503 Service Unavailable: down"):
        upload(mimir, blocks, retry_for=0.5)
    assert time.monotonic() - started < 20
    assert all(block.exists() for block in blocks)


def test_validations_are_waited_for_however_long_the_queue(mimir: Mimir, blocks: list[Path]) -> None:
    asked: list[str] = []

    def somebody_elses(request: Request) -> None:
        with mimir.lock:
            asked.extend([request.ulid] if request.call == "finish" else [])
            if request.call == "finish" and len(asked) == 12:
                mimir.validations = 0

    mimir.validations, mimir.trouble = 1, somebody_elses
    report = upload(mimir, blocks, retry_for=0.001)
    assert sorted(report.uploaded) == names(blocks)
    assert [request.status for request in mimir.requests if request.call == "finish"].count(429) >= 11


def test_a_stale_validation_is_asked_for_again(mimir: Mimir, blocks: list[Path]) -> None:
    left = {"finish": Answer(200), "check": Answer(200, b'{"result":"uploading"}')}  # it dies: 5 minutes later
    mimir.trouble = lambda request: left.pop(request.call, None)
    upload(mimir, blocks[:1])
    assert len(mimir.calls("finish")) == 1
    assert mimir.completed == names(blocks[:1])


def test_without_validation(mimir: Mimir, blocks: list[Path]) -> None:
    mimir.limits.validation = False
    assert sorted(upload(mimir, blocks).uploaded) == names(blocks)


def test_a_failed_validation_is_shown_in_mimirs_words_and_ours(mimir: Mimir, blocks: list[Path]) -> None:
    chunks = blocks[1] / "chunks" / "000001"
    data = bytearray(chunks.read_bytes())
    data[40] ^= 1
    chunks.write_bytes(data)
    for _ in range(2):  # a block that failed stays failed
        with pytest.raises(RunError) as error:
            upload(mimir, [block for block in blocks if block.exists()])
        assert f"block {blocks[1].name} was refused: Mimir's validation failed: error validating block" in str(
            error.value
        )
        assert "promfill finds: chunks/000001" in str(error.value)
        assert "make the block again; it then gets another ULID" in str(error.value)
        assert len({request.ulid for request in mimir.requests}) == 3
        assert blocks[1].exists()
    assert sorted(mimir.completed) == [blocks[0].name, blocks[2].name]
    assert not blocks[0].exists()


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        (Limits(max_bytes=100), "block exceeds the maximum block size limit of 100 bytes"),
        (Limits(retention_ms=86_400_000), "older than retention period"),
        (Limits(max_range_ms=7_200_000), "larger than max configured compactor time range"),
    ],
)
def test_what_only_the_server_knows_is_told_in_its_words(
    mimir: Mimir, blocks: list[Path], limits: Limits, says: str
) -> None:
    mimir.limits = limits
    with pytest.raises(RunError, match=says):
        upload(mimir, blocks)
    assert all(block.exists() for block in blocks)


def test_upload_switched_off_names_the_ways_out(mimir: Mimir, blocks: list[Path]) -> None:
    mimir.limits.enabled = False
    with pytest.raises(ReceiverError) as error:
        upload(mimir, blocks)
    for words in ("block upload is disabled", "support", "mode=remote-write", "upload=none"):
        assert words in str(error.value)
    assert all(block.exists() for block in blocks)
    assert len([request for request in mimir.requests if request.call == "start"]) <= 4


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(401, b"invalid token"), "check the user and password"),
        (Answer(404, b"404 page not found"), "it does not offer block upload"),
        (Answer(200, b"<html><title>Welcome</title>"), "an HTML page"),
    ],
)
def test_what_is_no_mimir_ends_the_upload(mimir: Mimir, blocks: list[Path], answer: Answer, says: str) -> None:
    mimir.trouble = lambda request: answer
    with pytest.raises(ReceiverError, match=says):
        upload(mimir, blocks)
    assert all(block.exists() for block in blocks)


def test_a_base_address_may_have_a_path(blocks: list[Path], tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket", prefix="/behind/a/proxy") as mimir:
        assert sorted(upload(mimir, blocks).uploaded) == names(blocks)


def test_a_mimir_that_wants_a_tenant_says_how_to_name_it(blocks: list[Path], tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket", multitenant=True) as mimir:
        with pytest.raises(ReceiverError, match=r"no org id: .*set tenant"):
            upload(mimir, blocks)
        assert sorted(upload(mimir, blocks, tenant="team-a").uploaded) == names(blocks)
    assert sorted(path.name for path in (mimir.bucket / "team-a").iterdir()) == names(blocks)


def test_a_gateway_that_takes_no_large_file_is_told_from_mimir(mimir: Mimir, blocks: list[Path]) -> None:
    page = Answer(413, b"<html><title>413 Request Entity Too Large</title>", {"Connection": "close"})
    mimir.trouble = lambda request: page if request.call == "files" else None
    with pytest.raises(
        RunError, match=r"an HTML page.* does not accept a body of [\d,]+ bytes: .*client_max_body_size"
    ):
        upload(mimir, blocks)
    assert all(block.exists() for block in blocks)


def test_the_block_never_waits_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(64 << 20)
    assert max(map(len, FileBody(path))) <= 1 << 20
    assert sum(map(len, FileBody(path))) == 64 << 20


def test_rules_of_the_double_and_ours_agree(mimir: Mimir, blocks: list[Path], tmp_path: Path) -> None:
    """Every block that we would not send is one that the double refuses at its start, and no other is."""
    good = json.loads((blocks[0] / "meta.json").read_bytes())
    day = 86_400_000
    low = good["minTime"] // day * day
    now = int(time.time() * 1000)
    changes: list[tuple[dict[str, object], bool]] = [
        ({}, True),
        ({"minTime": low, "maxTime": low + day}, True),
        ({"minTime": low, "maxTime": low + day + 1}, False),
        ({"minTime": low + day - 1, "maxTime": low + day}, True),
        ({"minTime": low + day - 1, "maxTime": low + day + 1}, False),
        ({"minTime": -1}, False),
        ({"minTime": low + 10, "maxTime": low}, False),
        ({"minTime": now // day * day, "maxTime": now + 60_000}, False),
        ({"thanos": {"labels": {"cluster": "a"}}}, False),
        ({"thanos": {"labels": {"__compactor_shard_id__": "1_of_4"}}}, True),
        ({"thanos": {"labels": {"__compactor_shard_id__": "5_of_4"}}}, False),
        ({"thanos": {"labels": {"__compactor_shard_id__": "", "__org_id__": "x"}}}, True),
        ({"thanos": {"downsample": {"resolution": 300_000}}}, False),
        ({"thanos": {"downsample": None, "labels": None, "files": None}}, True),
        ({"thanos": {"downsample": 5, "labels": ["a"]}}, True),
        ({"thanos": {"labels": {"__compactor_shard_id__": 5}}}, False),
    ]
    for number, (change, kept) in enumerate(changes):
        block = tmp_path / "tried" / f"01HHVS000000000000000000{number:02d}"
        shutil.copytree(blocks[0], block)
        (block / "meta.json").write_text(json.dumps({**good, "ulid": block.name, **change}))
        local = read_local_block(block)
        assert (not local.breaches()) is kept, change
        url = f"/api/v1/upload/block/{block.name}/start"
        with make_client(build_destination(mimir.url, environment={})) as client:
            answer = client.request("POST", mimir.url + url, content=local.body())
        assert answer.is_success is kept, (change, answer.text)


ACCIDENTS = [
    "failed to download block: context canceled",
    "failed to download block: context deadline exceeded",
    "failed to create temporary block directory",
    "failed renaming while preparing block for validation",
    "error validating block: open index: context canceled",
    "write /data/chunks/000001: no space left on device",
    "failed uploading meta.json to bucket: 503 Service Unavailable",
]


def faulty(times: int, words: str = ACCIDENTS[0]) -> Callable[[str], str]:
    """So many validations of each content fail by Mimir's own fault: of any names, since names differ."""
    left = [words] * times
    return lambda ulid: left.pop() if left else ""


@pytest.mark.parametrize("words", ACCIDENTS)
def test_a_block_that_failed_by_mimirs_own_fault_goes_up_under_another_name(
    mimir: Mimir, blocks: list[Path], words: str
) -> None:
    own = blocks[0].name
    data = (blocks[0] / "chunks" / "000001").read_bytes()
    mimir.fault = faulty(1, words)
    report = upload(mimir, blocks[:1])
    other = name_of_generation(own, 1)
    assert other != own
    assert other[:10] == own[:10]  # the time
    assert (report.uploaded, report.renamed, mimir.completed) == ([other], {own: other}, [other])
    assert not blocks[0].exists()
    there = mimir.bucket / "anonymous" / other
    meta = json.loads((there / "meta.json").read_bytes())
    assert (meta["ulid"], meta["compaction"]["sources"]) == (other, [other])
    assert (there / "chunks" / "000001").read_bytes() == data


def test_names_follow_in_the_same_order_whatever_is_remembered(mimir: Mimir, blocks: list[Path]) -> None:
    """Without a checkpoint the server tells which of them have failed."""
    own = blocks[0].name
    mimir.fault = faulty(5)
    with pytest.raises(RunError, match="run the command again to upload it under another ULID") as error:
        upload(mimir, blocks[:1])
    assert "failed to download block: context canceled" in str(error.value)
    assert blocks[0].exists()
    assert len(mimir.calls("start")) == 3
    names = [name_of_generation(own, generation) for generation in range(6)]
    assert upload(mimir, blocks[:1]).uploaded == [names[5]]
    assert list(dict.fromkeys(mimir.calls("start"))) == names
    assert len(mimir.calls("start")) == 6


def test_what_is_remembered_is_not_asked_for(mimir: Mimir, blocks: list[Path]) -> None:
    own, remembered = blocks[0].name, dict[str, int]()
    mimir.fault = faulty(3)
    with pytest.raises(RunError):
        upload(mimir, blocks[:1], on_failed=remembered.__setitem__)
    assert remembered == {own: 3}
    before = len(mimir.requests)
    report = upload(mimir, blocks, generations=remembered)
    assert report.renamed == {own: name_of_generation(own, 3)}
    assert {request.ulid for request in mimir.requests[before:]} == {*report.uploaded}
    assert len(mimir.completed) == len(set(mimir.completed)) == 3


def test_mimirs_verdict_is_asked_for_once_a_run(mimir: Mimir, blocks: list[Path]) -> None:
    """It may be wrong where ours is another; but no block is sent three times for that."""
    own = blocks[0].name
    mimir.fault = faulty(2, "error validating block: series out of order")
    for generation in range(2):
        with pytest.raises(RunError, match="series out of order; promfill finds nothing wrong"):
            upload(mimir, blocks[:1])
        assert mimir.calls("start")[-1] == name_of_generation(own, generation)
        assert len(mimir.calls("start")) == generation + 1
    assert upload(mimir, blocks[:1]).renamed == {own: name_of_generation(own, 2)}


def test_a_server_that_refuses_every_name_is_left_alone(mimir: Mimir, blocks: list[Path]) -> None:
    def refuse(request: Request) -> Answer | None:
        if request.call == "start":
            return Answer(400, b"block validation failed")
        return Answer(200, b'{"result":"unknown"}')

    mimir.trouble = refuse
    with pytest.raises(RunError, match=f"and {MOST_NAMES} names of the block .* ask the operator"):
        upload(mimir, blocks[:1])
    starts = [request.ulid for request in mimir.requests if request.call == "start"]
    assert starts == [name_of_generation(blocks[0].name, generation) for generation in range(MOST_NAMES)]


def test_blocks_of_others_keep_their_sources(mimir: Mimir, blocks: list[Path]) -> None:
    block = read_local_block(blocks[0])
    document = json.loads((blocks[0] / "meta.json").read_bytes())
    document["compaction"] = {"level": 2, "sources": [blocks[0].name, blocks[1].name]}
    (blocks[0] / "meta.json").write_text(json.dumps(document))
    other = read_local_block(blocks[0]).named(name_of_generation(block.meta.ulid, 1))
    body = json.loads(other.body())
    assert body["compaction"] == document["compaction"]
    assert body["ulid"] == other.meta.ulid


def test_the_names_are_these() -> None:
    own = "01HHX38P11N5SE9J2A6VG9ER12"
    assert name_of_generation(own, 0) == own
    assert name_of_generation(own, 1) == "01HHX38P11J3SNGFN2V4SPWB9P"
    assert name_of_generation(own.lower(), 1) == "01HHX38P11J3SNGFN2V4SPWB9P"
    assert len({name_of_generation(own, generation) for generation in range(1000)}) == 1000
