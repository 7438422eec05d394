"""One function for each job: push, check, verify, upload. Each returns a report; none prints or keeps state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.api import reports
from promfill.api.listener import Listener, OnProgress
from promfill.api.names import plain, python_names
from promfill.api.scenario import Scenario
from promfill.api.servers import Mimir, Store, as_store
from promfill.api.targets import Blocks, OpenMetrics, RemoteWrite, Target, as_target
from promfill.api.values import Duration, flag, path, seconds, to_datetime, whole
from promfill.errors import InputError, PromfillError
from promfill.operations.look import Look
from promfill.operations.settings import How, RunSettings, Server

if TYPE_CHECKING:
    from promfill.operations.reports import PushReport, Uploaded
    from promfill.rules.finding import Finding
    from promfill.scenario import scenario as core

MOST_WORKERS = 256


def push(
    scenario: Scenario,
    target: Target,
    *,
    workers: int = 1,
    resume: str | Path | None = None,
    verify: bool = False,
    progress: OnProgress | None = None,
    accept_loss: bool = False,
    again: bool = False,
    store: Store | str | None = None,
) -> reports.Report:
    """Generate the samples of a scenario, and write or send them to a target: `Blocks`, `RemoteWrite`, `OpenMetrics`.

    Before it sends anything, it queries the store, if possible, to learn what the store would do with the samples.

    workers: the number of processes, for blocks and text. resume: a file that records how far the push has come, for
    `RemoteWrite` and `Blocks` with upload. If the file exists, the push continues with the times in it, and sends
    nothing if it was complete. Without a file, only the target's own output is written. verify: read everything back
    afterwards. progress: a function, such as ``print``, that is called with a `Progress` now and then. accept_loss:
    push even if samples will be lost. again: push even if the store would keep both its own samples and those of the
    push. store: the `Store` (or its address) to query and to read back from; needed only if it is not beside the
    receiver.

    InputError: a value is not valid. LossError: samples would be lost. RepeatError: samples would be stored twice.
    After these three, nothing was sent or written. Other errors may come after samples have arrived; their ``report``
    says how many.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> report = push(scenario, Blocks("data"), verify=True)
    >>> report.samples, len(report.paths), report.verification.ok
    (288, 1, True)
    """
    core = _scenario(scenario)
    flags = {"verify": verify, "accept_loss": accept_loss, "again": again}
    for name, value in flags.items():
        flag(value, name)
    settings = as_target(target)._target(whole(workers, "workers", 1, MOST_WORKERS))
    _refuse_misfits(scenario, target, {**flags, "store": store is not None})
    listener = Listener(progress)
    from promfill.operations.push import push as push_operation

    with _speaking_python(listener):
        how = How(as_store(store), accept_loss, again, verify, _run(scenario, target, resume))
        return _report(push_operation(core, settings, how, listener), listener)


def check(
    scenario: Scenario, target: Target, *, store: Store | str | None = None, resume: str | Path | None = None
) -> reports.CheckReport:
    """Ask what a store or directory would do with a push: delete, refuse, round or double samples. Sends nothing.

    store: the `Store` (or its address) to query; needed only if it is not beside the receiver. resume: the file of a
    push, which shows whether the push was made before. InputError: a value is not valid. ReceiverError: the given store
    does not answer. The report's ``raise_for_loss`` raises an error if samples would be lost or doubled.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> check(scenario, Blocks("data")).raise_for_loss()
    CheckReport: no loss, 0 findings, data
    """
    core = _scenario(scenario)
    settings = as_target(target)._target(1)
    _refuse_misfits(scenario, target, {"store": store is not None})
    listener = Listener(None)
    from promfill.operations.check import check as check_operation

    with _speaking_python(listener):
        how = How(as_store(store), run=_run(scenario, target, resume))
        report = check_operation(core, settings, how, listener)
    facts = report.store
    return reports.CheckReport(
        destination=report.frame.destination or "",
        store=" ".join(filter(None, (facts.name, facts.version))) if facts else None,
        findings=_findings(report.look),
    )


def verify(
    scenario: Scenario,
    where: Blocks | RemoteWrite | Store | str,
    *,
    wait: Duration | None = None,
    progress: OnProgress | None = None,
) -> reports.Verification:
    """Read back every sample that a push of this scenario sent, and compare it with the expected value.

    where: the `Blocks` or `RemoteWrite` that the scenario was pushed to, a `Store`, or the address of a store. wait:
    how long to wait for samples that are not visible yet; None to choose automatically, 0 not to wait. progress: a
    function that is called with a `Progress` now and then.

    InputError: a value is not valid. ReceiverError, FormatError: the store cannot be read. Differences do not raise an
    error: see ``raise_for_difference``.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> report = push(scenario, Blocks("data"))
    >>> verify(scenario, Blocks("data")).raise_for_difference()
    Verification: 288 of 288 samples found in blocks in data
    """
    core = _scenario(scenario)
    place = _place(where)
    listener = Listener(progress)
    from promfill.operations.read_back import read_back
    from promfill.operations.waiting import Patience

    patience = Patience() if wait is None else Patience(0.0 if wait == 0 else seconds(wait, "wait"))
    with _speaking_python(listener, blocks="where", query_url="where"):
        return reports.verification_of(read_back(core, place, patience, listener))


def upload(
    paths: str | Path | Iterable[str | Path],
    to: Mimir | str,
    *,
    wait: bool = False,
    store: Store | str | None = None,
) -> reports.UploadReport:
    """Upload existing blocks to a Mimir. The local blocks are kept.

    paths: blocks, or directories of blocks; all are checked before anything is sent. to: a `Mimir`, or its address.
    wait: wait until every sample can be queried. store: the `Store` to query then; needed only if it is not beside
    `to`.

    InputError: a block is damaged, Mimir would refuse it, or a value is not valid; nothing was sent. ReceiverError: the
    server refused or did not answer; call `upload` again to continue, complete blocks are not sent again.

    >>> upload([], Mimir("https://mimir.example.com", tenant="team-a"))
    Traceback (most recent call last):
    promfill.errors.InputError: paths names no block: give a block, or a directory of blocks
    """
    given = [paths] if isinstance(paths, str | Path) else list(paths)
    found = [path(one, "paths") for one in given]
    if not found:
        raise InputError("paths names no block", "give a block, or a directory of blocks", field="paths")
    mimir = Mimir(to) if isinstance(to, str) else to
    if not isinstance(mimir, Mimir):
        raise InputError(f"to {to!r} is not a pf.Mimir", "give one, or its address", field="to")
    flag(wait, "wait")
    listener = Listener(None)
    from promfill.operations.upload import upload as upload_operation

    with _speaking_python(listener, upload="to"):
        done = upload_operation(found, mimir._upload(keep=True), wait=wait, query=as_store(store), notices=listener)
    return _upload_report(done.uploaded, done.seconds, queryable=done.queryable)


def _scenario(scenario: object) -> core.Scenario:
    if not isinstance(scenario, Scenario):
        raise InputError(f"scenario {scenario!r} is not a pf.Scenario", field="scenario")
    return scenario._core


def _refuse_misfits(scenario: Scenario, target: Target, given: Mapping[str, bool]) -> None:
    """InputError: an option has no effect for this target. Text has no store, and blocks are never stored twice."""
    if isinstance(target, RemoteWrite):
        return
    text = isinstance(target, OpenMetrics)
    meaningless = ("verify", "store", "accept_loss", "again") if text else ("again",)
    for name in meaningless:
        if given.get(name):
            fits = "pf.RemoteWrite and pf.Blocks" if name != "again" else "pf.RemoteWrite"
            raise InputError(f"{name} is for {fits}, not for {target!r}", "leave it out", field=name)
    if text and scenario.stale_at_end:
        fix = "leave stale_at_end out, or push to pf.Blocks or pf.RemoteWrite"
        raise InputError("an OpenMetrics text holds no staleness markers", fix, field="stale_at_end")


def _run(scenario: Scenario, target: Target, resume: str | Path | None) -> RunSettings | None:
    """The resume file, and the options that identify the run. Relative times are kept as they were given."""
    if resume is None:
        return None
    if not (isinstance(target, RemoteWrite) or (isinstance(target, Blocks) and target.upload)):
        raise InputError(
            f"resume is for pf.RemoteWrite and pf.Blocks with upload, not for {target!r}",
            "leave it out: blocks that are there are not made again",
            field="resume",
        )
    from promfill.operations.runs import describe_run

    start, end = scenario._typed
    options = {**describe_run(scenario._core, target._target(1)), "start": start, "end": end}
    return RunSettings(path(resume, "resume"), resume=True, options=options)


def _place(where: object) -> Path | Server:
    if isinstance(where, Blocks):
        return Path(where.directory)
    if isinstance(where, RemoteWrite):
        return _beside(where)
    if isinstance(where, str | Store):
        found = as_store(where, "where")
        assert found is not None
        return found
    also = " (a text cannot be read back)" if isinstance(where, OpenMetrics) else ""
    fix = "give pf.Blocks(directory), pf.RemoteWrite(url) or pf.Store(url)"
    raise InputError(f"where {where!r} is not a place to read{also}", fix, field="where")


def _beside(receiver: RemoteWrite) -> Server:
    """The query API beside a receiver, with the credentials of the push."""
    from promfill.stores.find import query_url_beside

    server = receiver._server()
    url = query_url_beside(server.url or "")
    if url is None:
        raise InputError(
            f"where the store behind {receiver!r} can be read is not known", "give its pf.Store(url)", field="where"
        )
    return replace(server, url=url)


@contextmanager
def _speaking_python(listener: Listener, **also: str) -> Iterator[None]:
    """A context manager: errors get Python's setting names, and a report of what had arrived. also: more names."""
    from promfill.operations.reports import Remains

    with python_names(**also):
        try:
            yield
        except BaseException as error:
            remains = listener.last(Remains)
            if remains:
                report = _report(remains.report, listener)
                if isinstance(error, PromfillError):
                    error.report = report
                else:  # Ctrl-C, or an error in the caller's code
                    error.add_note(f"what had arrived when promfill.push ended early: {report!r}")
            raise


def _report(report: PushReport, listener: Listener) -> reports.Report:
    frame, grid = report.frame, report.frame.scenario.sampled
    look = report.look or listener.last(Look)
    return reports.Report(
        destination=frame.destination or "",
        start=to_datetime(grid.start),
        end=to_datetime(grid.time(grid.steps)),
        series=frame.series,
        samples=report.samples + int(report.details.get("sent_before", 0)),
        bytes=report.bytes,
        seconds=report.seconds,
        paths=_paths(report, listener),
        findings=_findings(look),
        notes=listener.lines,
        details=dict(report.details),
        checkpoint=report.checkpoint,
        upload=_upload_report(report.upload, report.seconds) if report.upload else None,
        verification=reports.verification_of(report.verified) if report.verified else None,
        there_before=report.there_before,
    )


def _paths(report: PushReport, listener: Listener) -> tuple[Path, ...]:
    """The local paths that hold the push now, in time order, including blocks that existed before."""
    from promfill.operations.reports import Begun

    begun = listener.last(Begun)
    if begun is None or not report.frame.stays:
        return report.paths
    return tuple(path for path in begun.paths if path.exists())


def _findings(look: Look | None) -> tuple[Finding, ...]:
    return tuple(plain(finding) for finding in look.findings) if look else ()


def _upload_report(uploaded: Uploaded, took: float, *, queryable: bool = False) -> reports.UploadReport:
    return reports.UploadReport(
        destination=uploaded.destination,
        uploaded=uploaded.uploaded,
        there=uploaded.there,
        refused=dict(uploaded.refused),
        renamed=dict(uploaded.renamed),
        bytes=uploaded.bytes,
        seconds=took,
        queryable=queryable,
    )
