"""A push as a library calls it: settings in, a report out, and nothing left beside its output."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from promfill.errors import InputError, ReceiverError, RefusedError
from promfill.model.grid import Grid
from promfill.net.destination import Secret
from promfill.operations.push import plan, push
from promfill.operations.reports import Begun, PushReport, Remains
from promfill.operations.settings import (
    BlocksTarget,
    Cdo,
    Credentials,
    How,
    OpenMetricsTarget,
    RemoteWriteTarget,
    RunSettings,
    ScriptTarget,
    Server,
    Upload,
)
from tests.support import cdo as platform
from tests.support.mimir import Mimir
from tests.support.notices import Heard
from tests.support.pushes import scenario
from tests.support.receiver import GOOD, Answer, Receiver, Taken

START, STEP = 1_702_800_000_000, 300_000
PUSH = scenario("vpn", "i={1,2}", Grid(START, STEP, 576))
SAMPLES = 2 * 576
SMALL = {"max_samples": 64, "lanes": 1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, and nothing of ours in it afterwards."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def store(taken: Taken) -> Answer:
    """A receiver of 1.0 without a query API."""
    return GOOD if taken.method == "POST" else Answer(404, b"no query API here")


def posted(receiver: Receiver) -> list[Taken]:
    return [taken for taken in receiver.taken if taken.method == "POST"]


def remote(receiver: Receiver, **more: object) -> RemoteWriteTarget:
    return RemoteWriteTarget(Server(receiver.url), protocol="1.0", retry_for=0.01, **{**SMALL, **more})  # type: ignore[arg-type]


def test_blocks_are_made_and_nothing_else(tmp_path: Path, folder: Path) -> None:
    heard = Heard()
    report = push(PUSH, BlocksTarget(tmp_path / "data"), notices=heard)
    assert (report.samples, report.frame.series, report.frame.blocks) == (SAMPLES, 2, len(report.paths))
    assert sorted(report.paths) == sorted(path for path in (tmp_path / "data").iterdir() if path.is_dir())
    assert report.verify_at == tmp_path / "data"
    assert [report.checkpoint, report.upload, report.verified] == [None, None, None]
    assert heard.kinds == ["Asked", "Frame", "Look", "Begun", "PushReport"]
    assert heard.parts[-1] == report
    assert heard.done == SAMPLES
    assert list(folder.iterdir()) == [], "a library writes nothing that was not asked for"


def test_what_will_be_made_is_told_before_it_is_there(tmp_path: Path) -> None:
    there: list[list[Path]] = []

    def look(part: object) -> None:
        if isinstance(part, Begun):
            there.append([path for path in part.paths if path.exists()])

    heard = Heard(look)
    report = push(PUSH, BlocksTarget(tmp_path / "data", workers=2), notices=heard)
    (begun,) = [part for part in heard.parts if isinstance(part, Begun)]
    assert sorted(begun.paths) == sorted(report.paths)
    assert there == [[]]
    text = push(PUSH, OpenMetricsTarget(tmp_path / "text"), notices=heard)
    assert [part.paths for part in heard.parts if isinstance(part, Begun)][1] == text.paths
    assert text.paths[0].read_text().endswith("# EOF\n")


def test_a_push_can_be_read_back(tmp_path: Path) -> None:
    heard = Heard()
    report = push(PUSH, BlocksTarget(tmp_path / "data"), How(verify=True), heard)
    assert report.verified is not None
    assert report.verified.right
    assert report.verified.expected == SAMPLES
    assert heard.kinds[-2:] == ["PushReport", "VerifyReport"]


def test_a_plan_asks_nobody_and_writes_nothing(tmp_path: Path, folder: Path) -> None:
    with Receiver(store) as receiver:
        planned = plan(PUSH, remote(receiver), How(run=RunSettings(tmp_path / "run.json")))
        assert receiver.taken == []
    assert planned.frame.requests is not None
    assert planned.frame.requests > 1
    assert planned.estimated_bytes > 0
    assert planned.look is None
    blocks = plan(PUSH, BlocksTarget(tmp_path / "data"))
    assert (blocks.frame.blocks, blocks.frame.samples) == (3, SAMPLES)
    assert blocks.look is not None
    assert not (tmp_path / "data").exists()
    assert list(folder.iterdir()) == []
    assert not (tmp_path / "run.json").exists()


def test_the_same_push_is_not_made_twice(tmp_path: Path) -> None:
    target = BlocksTarget(tmp_path / "data")
    first = push(PUSH, target)
    again = push(PUSH, target)
    assert (again.samples, again.paths) == (0, ())
    assert again.details["already_there"] == len(first.paths)


def breaking(after: int, status: int) -> Receiver:
    """Takes so many requests, and answers others with a failure."""
    count = itertools.count()

    def answer(taken: Taken) -> Answer:
        if taken.method == "GET":
            return Answer(404)
        return GOOD if next(count) < after else Answer(status)

    return Receiver(answer)


@pytest.mark.parametrize(("status", "kind"), [(500, ReceiverError), (401, RefusedError)])
def test_what_had_arrived_is_told_and_gone_on_with(
    tmp_path: Path, folder: Path, status: int, kind: type[ReceiverError]
) -> None:
    kept = RunSettings(tmp_path / "run.json")
    heard = Heard()
    with breaking(4, status) as receiver, pytest.raises(kind):
        push(PUSH, remote(receiver), How(run=kept), heard)
    remains = heard.parts[-1]
    assert isinstance(remains, Remains)
    assert remains.resumable
    arrived = remains.report.samples
    assert 0 < arrived < SAMPLES
    assert heard.kinds == ["Asked", "Frame", "Look", "Begun", "Remains"]
    with pytest.raises(InputError) as refused:  # before anybody is asked: the port is closed
        push(PUSH, remote(receiver), How(run=kept))
    assert refused.value.field == "resume"
    assert list(folder.iterdir()) == []


def test_a_run_goes_on_at_its_own_times_and_is_then_finished(tmp_path: Path) -> None:
    """What names a run is what was asked for: that now has moved on meanwhile changes nothing."""
    later = replace(PUSH, grid=replace(PUSH.grid, start=START + 7 * STEP))
    calls = itertools.count()
    fails = [True]

    def answer(taken: Taken) -> Answer:
        if taken.method == "GET":
            return Answer(404)
        return Answer(500) if fails[0] and next(calls) >= 4 else GOOD

    with Receiver(answer) as receiver:
        kept = RunSettings(tmp_path / "run.json", options={"start": "now-2d", "mode": "remote-write"})
        with pytest.raises(ReceiverError):
            push(PUSH, remote(receiver), How(run=kept))
        before = len(posted(receiver))
        fails[0] = False
        resumed = push(later, remote(receiver), How(run=replace(kept, resume=True)))
        assert resumed.frame.scenario.grid == PUSH.grid
        assert resumed.samples + resumed.details["sent_before"] == SAMPLES
        assert resumed.checkpoint == kept.checkpoint
        sent = len(posted(receiver))
        assert sent > before
        heard = Heard()
        done = push(later, remote(receiver), How(run=replace(kept, resume=True)), heard)
        assert done.finished_before
        assert done.frame.scenario.grid == PUSH.grid
        assert heard.kinds == ["KeptRun", "PushReport"]
        assert len(posted(receiver)) == sent


def test_a_run_of_other_settings_is_not_gone_on_with(tmp_path: Path) -> None:
    kept = RunSettings(tmp_path / "run.json")
    with Receiver(store) as receiver:
        push(PUSH, remote(receiver), How(run=kept))
        other = replace(PUSH, metric="other")
        with pytest.raises(InputError, match="of a run with other options"):
            push(other, remote(receiver), How(run=replace(kept, resume=True)))


def test_no_checkpoint_without_a_name_for_it(tmp_path: Path, folder: Path) -> None:
    with Receiver(store) as receiver, Mimir(tmp_path / "bucket") as mimir:
        sent = push(PUSH, remote(receiver))
        assert (sent.samples, sent.checkpoint) == (SAMPLES, None)
        up = push(PUSH, BlocksTarget(tmp_path / "data", upload=Upload(Server(mimir.url, setting="upload"))))
    assert up.upload is not None
    assert len(up.upload.complete) == up.frame.blocks == 3
    assert (up.paths, up.checkpoint) == ((), None)
    assert list((tmp_path / "data").iterdir()) == []
    assert list(folder.iterdir()) == []


def test_an_upload_goes_on_where_it_was(tmp_path: Path) -> None:
    broken = [True]

    def trouble(request: object) -> Answer | None:
        ulid, call = request.ulid, request.call  # type: ignore[attr-defined]
        last = call == "start" and ulid not in mimir.completed and len(mimir.completed) >= 1
        return Answer(403, b"not you") if broken[0] and last else None

    with Mimir(tmp_path / "bucket", trouble=trouble) as mimir:
        target = BlocksTarget(tmp_path / "data", upload=Upload(Server(mimir.url), lanes=1))
        kept = RunSettings(tmp_path / "run.json")
        heard = Heard()
        with pytest.raises(ReceiverError):
            push(PUSH, target, How(run=kept), heard)
        remains = heard.parts[-1]
        assert isinstance(remains, Remains)
        assert remains.report.upload is not None
        assert len(remains.report.upload.complete) == 1
        broken[0] = False
        report = push(PUSH, target, How(run=replace(kept, resume=True)))
        assert report.upload is not None
        assert (report.upload.before, len(report.upload.complete)) == (1, 2)
        assert len(mimir.completed) == 3


def test_cdo_is_asked_once(tmp_path: Path) -> None:
    with Receiver(store) as receiver, platform.Cdo(f"http://127.0.0.1:{receiver.port}/api/prom/push") as cdo:
        server = Server(cdo=Cdo(Secret(platform.TOKEN), url=cdo.url))
        heard = Heard()
        report = push(PUSH, RemoteWriteTarget(server, protocol="1.0"), notices=heard)
        assert report.samples == SAMPLES
        assert len(cdo.asked) == 1
        assert report.verify_at is None, "it would want a password that CDO alone tells"
        planned = plan(PUSH, RemoteWriteTarget(server))
        assert planned.frame.destination == cdo.url
        assert len(cdo.asked) == 1
    told = f"{heard.details} {heard.parts} {report} {server}"
    assert platform.TOKEN not in told
    assert platform.PASSWORD not in told


NOWHERE = [
    (RemoteWriteTarget(Server()), "remote_write_url"),
    (ScriptTarget(Server()), "remote_write_url"),
    (BlocksTarget(Path("data"), upload=Upload(Server(setting="upload"))), "upload"),
    (BlocksTarget(Path("data"), upload=Upload(Server("http://a/?x=1", setting="upload"))), "upload"),
]


@pytest.mark.parametrize(("target", "field"), NOWHERE)
def test_a_target_without_an_address_is_refused_before_anything(
    folder: Path, target: RemoteWriteTarget | ScriptTarget | BlocksTarget, field: str
) -> None:
    with pytest.raises(InputError) as refused:
        push(PUSH, target)
    assert refused.value.field == field
    assert list(folder.glob("**/*.json")) == []


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf")])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with Receiver(store) as receiver:
        with pytest.raises(InputError) as refused:
            push(PUSH, remote(receiver, rate_limit=rate))
        assert refused.value.field == "rate_limit"
        assert posted(receiver) == []


def test_a_push_that_could_not_be_read_back_is_not_begun(tmp_path: Path) -> None:
    with Receiver(store) as receiver:
        target = remote(receiver)
        unknown = replace(target, server=replace(target.server, url=receiver.url.replace("/api/v1/write", "/in")))
        with pytest.raises(InputError) as refused:
            push(PUSH, unknown, How(verify=True))
        assert refused.value.field == "query_url"
        assert posted(receiver) == []
    upload = Upload(Server("http://127.0.0.1:9", setting="upload"))
    with pytest.raises(InputError) as refused:
        push(PUSH, BlocksTarget(tmp_path / "data", upload=upload), How(verify=True))
    assert refused.value.field == "verify"


def test_secrets_are_not_shown() -> None:
    credentials = Credentials(password=Secret("s3cret"), bearer_token=Secret("s3cret"), headers=("X-Key: s3cret",))
    told = repr(Server("http://user:s3cret@host/?key=s3cret", credentials, Cdo(Secret("s3cret"))))
    assert "s3cret" not in told


def test_reports_are_of_this_push_alone(tmp_path: Path) -> None:
    """A report is a picture of what was there when it was told: what comes later does not change it."""
    heard = Heard()
    with breaking(2, 401) as receiver, pytest.raises(RefusedError):
        push(PUSH, remote(receiver), notices=heard)
    remains = heard.parts[-1]
    assert isinstance(remains, Remains)
    assert not remains.resumable
    assert isinstance(remains.report, PushReport)
    with pytest.raises(AttributeError):
        remains.report.samples = 1  # type: ignore[misc]
