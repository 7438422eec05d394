"""push, check, verify and upload from Python: reports, files, secrets, and what had arrived when a push ends early."""

from __future__ import annotations

import base64
import dataclasses
import logging
import signal
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import promfill as pf
from promfill.api.values import now_ms
from promfill.cli import run
from tests.support.mimir import Mimir
from tests.support.receiver import GOOD, Answer, Receiver, Taken
from tests.support.remote_write import read_request

ANY: Any = pf  # wrong types, too
FLEET = pf.Metric("m", labels={"instance": pf.fan("h-{1..7}"), "job": "j"})
DAYS: Any = {"start": "2024-01-01T00:00:00Z", "end": "2024-01-04T00:00:00Z"}
SCENARIO = pf.Scenario([FLEET], **DAYS)
UNIT = pf.Scenario([pf.Metric("m", unit="seconds")], **DAYS)
STALE = pf.Scenario([FLEET], **DAYS, stale_at_end=True)
SAMPLES = 7 * 288 * 3


def here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def test_blocks_are_written_and_reported(capfd: pytest.CaptureFixture[str]) -> None:
    report = pf.push(SCENARIO, pf.Blocks("data"))
    assert (report.samples, report.series, report.start, report.end) == (SAMPLES, 7, SCENARIO.start, SCENARIO.end)
    assert [path.parent for path in report.paths] == [Path("data")] * 3
    files = [file for path in report.paths for file in path.rglob("*") if file.is_file()]
    assert report.bytes == sum(file.stat().st_size for file in files if file.name in ("index", "000001"))
    assert repr(report).startswith("Report: 6,048 samples in data, ")
    assert here() == ["data"]
    assert capfd.readouterr() == ("", "")


def test_blocks_that_are_there_are_not_made_again() -> None:
    first = pf.push(SCENARIO, pf.Blocks("data"))
    second = pf.push(SCENARIO, pf.Blocks("data"))
    assert (second.samples, second.paths) == (0, first.paths)
    assert "3 blocks there before" in repr(second)


@pytest.mark.parametrize("workers", [1, 3])
def test_blocks_are_those_of_the_command_line(workers: int) -> None:
    report = pf.push(SCENARIO, pf.Blocks("data", duration="12h"), workers=workers)
    words = ["push", "--metric-name=m", "--labels=instance=h-{1..7},job=j", "--block-duration=12h", "-q"]
    assert run([*words, "--start", DAYS["start"], "--end", DAYS["end"], "--output-dir", "cli"]) == 0
    assert sorted(path.name for path in report.paths) == sorted(path.name for path in Path("cli").iterdir())


def test_a_text_is_written_and_reported() -> None:
    report = pf.push(SCENARIO, pf.OpenMetrics("text"))
    (path,) = report.paths
    assert path == Path("text/m_backfill_1704067200.txt")
    assert path.read_text().startswith("# HELP m Backfilled metric data\n# TYPE m gauge\n")
    assert report.samples == SAMPLES
    assert here() == ["text"]


def test_a_push_leaves_signals_and_streams_alone(capfd: pytest.CaptureFixture[str]) -> None:
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(number) for number in numbers]
    seen = []
    pf.push(SCENARIO, pf.Blocks("data"), progress=lambda _: seen.append([signal.getsignal(n) for n in numbers]))
    with Receiver(lambda _: Answer(400)) as receiver, pytest.raises(pf.PromfillError):
        pf.push(SCENARIO, pf.RemoteWrite(receiver.url))
    assert seen
    assert [*seen, [signal.getsignal(number) for number in numbers]] == [before] * (len(seen) + 1)
    assert capfd.readouterr() == ("", "")


def test_progress_is_told_up_to_all_samples() -> None:
    told: list[pf.Progress] = []
    scenario = pf.Scenario([pf.Metric("m", labels={"i": pf.fan("{1..150}")})], **DAYS)
    pf.push(scenario, pf.OpenMetrics("text"), progress=told.append)
    counts = [one.samples for one in told]
    assert len(counts) > 2
    assert counts == sorted(set(counts))
    assert (counts[-1], told[-1].total) == (scenario.samples, scenario.samples)
    assert str(told[-1]).startswith("129,600 of 129,600 samples (100 %) after ")


def test_an_error_of_the_callers_own_goes_through() -> None:
    def stop(progress: pf.Progress) -> None:
        raise LookupError("enough")

    with pytest.raises(LookupError, match="enough") as caught:
        pf.push(SCENARIO, pf.OpenMetrics("text"), progress=stop)
    (note,) = caught.value.__notes__
    told = "what had arrived when promfill.push ended early: Report: 0 samples in text/m_backfill_1704067200.txt, "
    assert note.startswith(told)
    assert not list(Path("text").iterdir())


def test_what_is_sent_is_what_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMFILL_PASSWORD", "not-this")
    monkeypatch.setenv("PROMFILL_BEARER_TOKEN", "not-this")
    monkeypatch.setenv("CDO_TOKEN", "not-this")
    Path(".env").write_text("PROMFILL_PUSH_TENANT=not-this\n")
    with Receiver() as receiver:
        target = pf.RemoteWrite(receiver.url, auth=("user", "secret"), tenant="a", headers={"X-Key": "k"})
        report = pf.push(SCENARIO, target)
    sent = [taken for taken in receiver.taken if taken.method == "POST"]
    held = [read_request(taken.message) for taken in sent]
    assert sum(len(samples) for one in held for samples in one.values()) == report.samples == SAMPLES
    expected = "Basic " + base64.b64encode(b"user:secret").decode()
    assert {taken.headers["authorization"] for taken in sent} == {expected}
    assert {(taken.headers["x-scope-orgid"], taken.headers["x-key"]) for taken in sent} == {("a", "k")}
    assert report.destination == receiver.url
    assert "secret" not in repr(report) + repr(target)
    assert here() == [".env"]


def test_without_credentials_none_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMFILL_PASSWORD", "not-this")
    monkeypatch.setenv("PROMFILL_BEARER_TOKEN", "not-this")
    with Receiver() as receiver:
        pf.push(SCENARIO, pf.RemoteWrite(receiver.url))
    assert receiver.taken
    assert not [taken for taken in receiver.taken if "authorization" in taken.headers]


def refuse_after(count: int) -> Callable[[Taken], Answer]:
    """Takes so many requests, and is gone for good after that."""
    left = [count]

    def answer(taken: Taken) -> Answer:
        if taken.method != "POST":
            return Answer(404)
        left[0] -= 1
        return GOOD if left[0] >= 0 else Answer(401, b"who are you")

    return answer


def sent(receiver: Receiver) -> list[tuple[Any, int]]:
    """(labels, time) of all samples of the requests, in order."""
    held = [read_request(taken.message) for taken in receiver.taken if taken.method == "POST"]
    return [(labels, time) for one in held for labels, run in one.items() for time, _ in run]


def small(receiver: Receiver, **more: Any) -> pf.RemoteWrite:
    return pf.RemoteWrite(receiver.url, protocol="1.0", concurrency=1, max_samples_per_send=500, **more)


def test_a_push_that_ends_early_tells_what_had_arrived_and_goes_on() -> None:
    scenario = pf.Scenario([FLEET], start="now-1d", step="5m")
    with Receiver(refuse_after(2)) as receiver:
        with pytest.raises(pf.RefusedError) as caught:
            pf.push(scenario, small(receiver), resume="run.json")
        arrived = len(set(sent(receiver)[: caught.value.report.samples]))
    assert caught.value.exit_code == 3
    assert isinstance(caught.value.report, pf.Report)
    assert 0 < caught.value.report.samples == arrived < scenario.samples
    assert caught.value.report.checkpoint == Path("run.json")
    assert here() == ["run.json"]


def test_a_run_is_gone_on_with_and_finished_once(monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = pf.Scenario([FLEET], start="now-1d", step="5m")
    answers = [refuse_after(2)]
    with Receiver(lambda taken: answers[0](taken)) as receiver:
        with pytest.raises(pf.RefusedError):
            pf.push(scenario, small(receiver), resume="run.json")
        before = [taken for taken in receiver.taken if taken.method == "POST"]
        answers[0] = lambda taken: GOOD if taken.method == "POST" else Answer(404)
        later = now_ms() + 3_600_000
        monkeypatch.setattr("promfill.api.scenario.now_ms", lambda: later)
        again = pf.Scenario([FLEET], start="now-1d", step="5m")
        report = pf.push(again, small(receiver), resume="run.json")
        assert report.samples == scenario.samples
        assert report.start == scenario.start == again.start - timedelta(hours=1)
        assert set(sent(receiver)) == {
            (tuple(sorted(labels.items())), int(scenario.start.timestamp() * 1000) + 300_000 * step)
            for labels in scenario.series
            for step in range(288)
        }
        assert len(sent(receiver)) <= scenario.samples + 500
        count = len(receiver.taken)
        finished = pf.push(again, small(receiver), resume="run.json")
        assert finished.samples == 0
        assert [taken for taken in receiver.taken[count:] if taken.method == "POST"] == []
        assert "finished" in finished.notes[0]
    assert len(before) == 3
    assert here() == ["run.json"]


@pytest.mark.parametrize("times", [{"start": "2024-01-02T00:00:00Z"}, {"end": "2024-01-03T00:00:00Z"}])
def test_other_times_are_another_run(times: Any) -> None:
    with Receiver(refuse_after(2)) as receiver:
        with pytest.raises(pf.RefusedError):
            pf.push(SCENARIO, small(receiver), resume="run.json")
        other = pf.Scenario([FLEET], **{**DAYS, **times})
        with pytest.raises(pf.InputError) as caught:
            pf.push(other, small(receiver), resume="run.json")
    assert "other options" in str(caught.value)


def test_verify_counts_what_differs() -> None:
    pf.push(SCENARIO, pf.Blocks("data"))
    right = pf.verify(SCENARIO, pf.Blocks("data"))
    assert right.ok
    assert right.raise_for_difference() is right
    assert (right.expected, right.found, right.ranges) == (SAMPLES, SAMPLES, {})
    assert repr(right) == "Verification: 6,048 of 6,048 samples found in blocks in data"

    longer = pf.Scenario([FLEET], start=DAYS["start"], end="2024-01-04T12:00:00Z", seed=42)
    wrong = pf.verify(longer, pf.Blocks("data"), wait=0)
    assert (wrong.missing, wrong.found, wrong.different, wrong.ok) == (7 * 144, SAMPLES, 0, False)
    first, last = wrong.ranges["missing"][0]
    assert (first, last) == (SCENARIO.end, longer.end - timedelta(minutes=5))
    with pytest.raises(pf.DiffersError, match="1,008 missing"):
        wrong.raise_for_difference()

    other = pf.verify(pf.Scenario([FLEET], **DAYS, seed=7), pf.Blocks("data"))
    assert other.different == SAMPLES
    fewer = pf.Scenario([pf.Metric("m", labels={"instance": pf.fan("h-{1..6}"), "job": "j"})], **DAYS)
    stranger = pf.verify(fewer, pf.Blocks("data"))
    assert stranger.unexpected == 288 * 3
    assert stranger.strangers == ({"__name__": "m", "instance": "h-7", "job": "j"},)


def test_what_a_store_still_holds_back_is_not_there_yet() -> None:
    held = dataclasses.replace(pf.verify(SCENARIO, _pushed()), not_yet_visible=3)
    assert not held.ok
    with pytest.raises(pf.DiffersError, match="3 not yet visible"):
        held.raise_for_difference()


def _pushed() -> pf.Blocks:
    pf.push(SCENARIO, pf.Blocks("data"))
    return pf.Blocks("data")


def test_a_push_may_verify_itself() -> None:
    report = pf.push(SCENARIO, pf.Blocks("data"), verify=True)
    assert report.verification
    assert report.verification.ok


def test_check_tells_what_would_happen_and_writes_nothing() -> None:
    old = pf.Scenario([FLEET], start="now-40d", step="1h")
    report = pf.check(old, pf.Blocks("data"))
    assert "retention" in [finding.kind for finding in report.findings]
    assert not report.loses
    assert report.raise_for_loss() is report
    assert report.destination == "data"
    assert repr(report) == f"CheckReport: no loss, {len(report.findings)} findings, data"
    assert here() == []
    (found,) = (finding for finding in report.findings if finding.kind == "retention")
    assert "or set store to check" in found.fix
    pushed = pf.push(old, pf.Blocks("data"))
    assert [finding for finding in pushed.findings if finding.kind == "retention"] == [found]


def finding(**more: Any) -> pf.Finding:
    return pf.Finding(**{"kind": "k", "loses": False, "samples": 3, "text": "words", "fix": "a fix", **more})


def test_a_check_raises_for_loss_and_for_repeats() -> None:
    from promfill.api.reports import CheckReport

    assert CheckReport("d", None, (finding(),)).raise_for_loss()
    loss = CheckReport("d", None, (finding(loses=True),))
    with pytest.raises(pf.LossError, match=r"words.*a fix"):
        loss.raise_for_loss()
    assert repr(loss) == "CheckReport: samples would be lost, 1 finding, d"
    repeat = CheckReport("d", None, (finding(spoils=True),))
    with pytest.raises(pf.RepeatError, match=r"words.*a fix"):
        repeat.raise_for_loss()
    assert repr(repeat) == "CheckReport: samples would be doubled, 1 finding, d"


def test_blocks_are_uploaded_and_stay(tmp_path: Path) -> None:
    report = pf.push(SCENARIO, pf.Blocks("data"))
    with Mimir(tmp_path / "bucket") as mimir:
        done = pf.upload(report.paths, pf.Mimir(mimir.url, tenant="a"))
        again = pf.upload("data", pf.Mimir(mimir.url, tenant="a"))
    assert sorted(done.uploaded) == sorted(mimir.completed) == sorted(path.name for path in report.paths)
    assert (again.uploaded, sorted(again.there)) == ((), sorted(done.uploaded))
    assert here() == ["data"]
    assert len(list(Path("data").iterdir())) == 3
    assert repr(done) == f"UploadReport: 3 uploaded, 0 there before, 0 refused, {mimir.url}"


def test_a_push_uploads_its_blocks(tmp_path: Path) -> None:
    with Mimir(tmp_path / "bucket") as mimir:
        report = pf.push(SCENARIO, pf.Blocks("data", upload=pf.Mimir(mimir.url)))
        assert report.upload
        assert sorted(report.upload.uploaded) == sorted(mimir.completed)
        assert report.paths == ()
        kept = pf.push(SCENARIO, pf.Blocks("kept", upload=pf.Mimir(mimir.url, tenant="b"), keep=True))
    assert len(kept.paths) == len(mimir.completed) / 2 == 3
    assert here() == ["data", "kept"]


def test_notes_are_logged_and_reported(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "promfill")
    answers = iter([Answer(503), *[GOOD] * 100])
    with Receiver(lambda taken: next(answers) if taken.method == "POST" else Answer(404)) as receiver:
        report = pf.push(SCENARIO, pf.RemoteWrite(receiver.url, protocol="1.0"))
    assert report.notes
    assert "503" in report.notes[0]
    assert [record.name for record in caplog.records if "503" in record.getMessage()] == ["promfill"]


@pytest.mark.parametrize(
    ("build", "field", "words"),
    [
        (lambda: ANY.push("m", pf.Blocks("data")), "scenario", "pf.Scenario"),
        (lambda: ANY.push(SCENARIO, "data"), "target", "pf.Blocks"),
        (lambda: ANY.push(SCENARIO, pf.Store("http://a")), "target", "pf.RemoteWrite"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), workers=0), "workers", "1 to 256"),
        (lambda: ANY.push(SCENARIO, pf.RemoteWrite("http://a"), workers=2), "workers", "concurrency"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), progress=3), "progress", "print"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), verify=1), "verify", "True or False"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), again="no"), "again", "True or False"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), store=3), "store", "pf.Store"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), store="a"), "url", "http://"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), resume="r.json"), "resume", "not made again"),
        (lambda: ANY.push(SCENARIO, pf.OpenMetrics("text"), resume="r.json"), "resume", "pf.RemoteWrite"),
        (lambda: ANY.push(SCENARIO, pf.RemoteWrite("http://a/b"), resume=""), "resume", "path"),
        (lambda: ANY.push(SCENARIO, pf.OpenMetrics("text"), verify=True), "verify", "pf.Blocks"),
        (lambda: ANY.push(SCENARIO, pf.OpenMetrics("text"), store="http://a"), "store", "pf.Blocks"),
        (lambda: ANY.check(SCENARIO, pf.OpenMetrics("text"), store="http://a"), "store", "pf.Blocks"),
        (lambda: ANY.push(SCENARIO, pf.OpenMetrics("text"), accept_loss=True), "accept_loss", "pf.Blocks"),
        (lambda: ANY.push(SCENARIO, pf.OpenMetrics("text"), again=True), "again", "pf.RemoteWrite"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("data"), again=True), "again", "pf.RemoteWrite"),
        (lambda: ANY.push(STALE, pf.OpenMetrics("text")), "stale_at_end", "no staleness markers"),
        (lambda: ANY.push(SCENARIO, pf.RemoteWrite("http://a/unknown"), verify=True), "store", "set store"),
        (lambda: ANY.push(SCENARIO, pf.Blocks("d", upload="http://a"), verify=True), "verify", "add keep"),
        (lambda: ANY.push(UNIT, pf.OpenMetrics("text")), "unit", "name='m_seconds'"),
        (lambda: ANY.check(SCENARIO, None), "target", "None"),
        (lambda: ANY.verify(SCENARIO, None), "where", "None"),
        (lambda: ANY.verify(SCENARIO, pf.OpenMetrics("text")), "where", "cannot be read back"),
        (lambda: ANY.verify(SCENARIO, pf.RemoteWrite("http://a/unknown")), "where", "pf.Store"),
        (lambda: ANY.verify(SCENARIO, pf.Blocks("data"), wait="x"), "wait", "'x'"),
        (lambda: ANY.upload([], "http://m"), "paths", "no block"),
        (lambda: ANY.upload([3], "http://m"), "paths", "3"),
        (lambda: ANY.upload("data", 3), "to", "pf.Mimir"),
        (lambda: ANY.upload("data", "m"), "url", "http://"),
        (lambda: ANY.upload("data", "http://m", wait=1), "wait", "True or False"),
    ],
)
def test_a_wrong_value_is_an_input_error_with_its_field(build: Any, field: str, words: str) -> None:
    with pytest.raises(pf.InputError) as caught:
        build()
    assert caught.value.field == field
    assert words in str(caught.value)
    assert "--" not in str(caught.value)
    assert here() == []
