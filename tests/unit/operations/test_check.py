"""What a check asks, tells and refuses."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import pytest

from promfill.errors import InputError, LossError, RefusedError
from promfill.model.grid import Grid
from promfill.operations.check import check
from promfill.operations.push import push
from promfill.operations.settings import (
    BlocksTarget,
    How,
    OpenMetricsTarget,
    RemoteWriteTarget,
    RunSettings,
    ScriptTarget,
    Server,
    Upload,
)
from tests.support.mimir import Mimir
from tests.support.notices import Heard
from tests.support.pushes import scenario
from tests.support.receiver import Answer, Receiver, Taken

PUSH = scenario("vpn", "i={1,2}", Grid(1_702_800_000_000, 300_000, 288))
VM = {"X-Server-Hostname": "vm", "Content-Type": "application/json"}


def victoria_metrics(taken: Taken) -> Answer:
    """It keeps what is sent twice, and holds nothing."""
    if "/api/v1/status/buildinfo" in taken.path:
        return Answer(200, b'{"status":"success","data":{"version":"2.24.0"}}', VM)
    if taken.path.endswith("/flags"):
        return Answer(200, b'-retentionPeriod="100y"\n', VM)
    return Answer(204, headers=VM) if "write" in taken.path else Answer(200, b"", VM)


def test_a_check_sends_nothing(tmp_path: Path) -> None:
    with Receiver(victoria_metrics) as receiver:
        heard = Heard()
        report = check(PUSH, RemoteWriteTarget(Server(receiver.url)), notices=heard)
        assert not [taken for taken in receiver.taken if taken.method == "POST" and "write" in taken.path]
    assert heard.kinds == ["Frame", "Look"]
    assert (report.frame.series, report.frame.samples) == (2, 576)
    assert report.frame.destination == receiver.url
    assert report.store is not None
    assert report.store.name == "VictoriaMetrics"
    assert report.findings == report.look.findings


def test_the_query_api_that_is_given_is_asked(tmp_path: Path) -> None:
    with Receiver(victoria_metrics) as there, Receiver(lambda taken: Answer(404)) as other:
        query = Server(f"http://127.0.0.1:{there.port}", setting="query_url")
        report = check(PUSH, RemoteWriteTarget(Server(other.url)), How(query=query))
    assert report.store is not None
    assert report.store.where.startswith(f"http://127.0.0.1:{there.port}")


def test_a_push_that_is_finished_is_known_by_its_checkpoint(tmp_path: Path) -> None:
    kept = RunSettings(tmp_path / "run.json")
    with Receiver(victoria_metrics) as receiver:
        target = RemoteWriteTarget(Server(receiver.url), protocol="1.0")
        assert push(PUSH, target, How(run=kept, again=True)).samples == 576
        report = check(PUSH, target, How(run=kept))
    repeat = [finding for finding in report.findings if finding.kind == "repeat"]
    assert len(repeat) == 1
    with pytest.raises(InputError) as refused:
        report.look.refuse_repeat(again=False)
    assert refused.value.field == "again"
    report.look.refuse_repeat(again=True)


def test_what_a_directory_holds_is_told_without_a_server(tmp_path: Path) -> None:
    target = BlocksTarget(tmp_path / "data")
    push(PUSH, target)
    shifted = replace(PUSH, grid=replace(PUSH.grid, start=PUSH.grid.start + 60_000))
    report = check(shifted, target)
    assert report.store is None
    assert "interleaves" in [finding.kind for finding in report.findings]
    assert "interleaves" not in [finding.kind for finding in check(PUSH, target).findings]


def test_whether_a_mimir_takes_blocks_is_asked(tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        target = BlocksTarget(tmp_path / "data", upload=Upload(Server(mimir.url, setting="upload")))
        report = check(PUSH, target)
        assert report.findings[0].kind == "upload"
        assert not report.look.loses
        mimir.limits = replace(mimir.limits, enabled=False)
        assert check(PUSH, target).look.loses
        assert mimir.completed == []
    assert not (tmp_path / "data").exists()


def test_blocks_that_no_mimir_takes_are_refused_before_it_is_asked(tmp_path: Path) -> None:
    upload = Upload(Server("http://127.0.0.1:9", setting="upload"))
    future = replace(PUSH, grid=replace(PUSH.grid, start=int(time.time()) * 1000))
    with pytest.raises(InputError) as refused:
        check(future, BlocksTarget(tmp_path / "data", upload=upload))
    assert refused.value.field == "end"
    with pytest.raises(InputError) as refused:
        check(PUSH, BlocksTarget(tmp_path / "data", duration=7 * 86_400_000, upload=upload))
    assert refused.value.field == "block_duration"


def test_losses_are_refused_unless_they_are_accepted(tmp_path: Path) -> None:
    def stale(taken: Taken) -> Answer:
        answer = victoria_metrics(taken)
        return replace(answer, body=b'-retentionPeriod="1d"\n') if taken.path.endswith("/flags") else answer

    with Receiver(stale) as receiver:
        look = check(PUSH, RemoteWriteTarget(Server(receiver.url))).look
    assert look.loses
    with pytest.raises(LossError) as refused:
        look.refuse_loss(accepted=False)
    assert refused.value.field == "accept_loss"
    look.refuse_loss(accepted=True)


@pytest.mark.parametrize("target", [OpenMetricsTarget(Path("text")), BlocksTarget(Path("data"))])
def test_files_need_no_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: OpenMetricsTarget) -> None:
    monkeypatch.chdir(tmp_path)
    assert check(PUSH, target).frame.destination == str(target.directory)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["host/api/v1/write", "ftp://host/", "http://"])
@pytest.mark.parametrize("kind", [RemoteWriteTarget, ScriptTarget])
def test_an_address_that_is_none_is_refused(url: str, kind: type[RemoteWriteTarget]) -> None:
    with pytest.raises(InputError):
        check(PUSH, kind(Server(url)))


def test_an_address_that_is_missing_is_refused() -> None:
    with pytest.raises(InputError) as refused:
        check(PUSH, RemoteWriteTarget(Server()))
    assert refused.value.field == "remote_write_url"


def test_a_query_api_that_is_given_and_answers_otherwise_is_refused(tmp_path: Path) -> None:
    with Receiver(lambda taken: Answer(404)) as nobody:
        query = Server(f"http://127.0.0.1:{nobody.port}", setting="query_url")
        with pytest.raises((InputError, RefusedError)):
            check(PUSH, BlocksTarget(tmp_path / "data"), How(query=query))
