"""A push: checks the store first, then sends or writes, and finally verifies if the settings say so."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.errors import InputError, RunError, setting
from promfill.operations.block_upload import beside_upload
from promfill.operations.first_look import UNKNOWN_OF_A_MIMIR, find_receiver, first_look, look_for_earlier
from promfill.operations.look import CONFLICTS, Look
from promfill.operations.notices import SILENT
from promfill.operations.places import Places
from promfill.operations.reports import Asked, Begun, Frame, PlanReport, PushReport, Remains
from promfill.operations.runs import Run, find_run
from promfill.operations.settings import BlocksTarget, How, RemoteWriteTarget, Target
from promfill.operations.targets import OpenTarget, open_target

if TYPE_CHECKING:
    from promfill.operations.notices import Notices
    from promfill.rules.forwarders import Forwarder
    from promfill.scenario.scenario import Scenario
    from promfill.sources.generated import Source


def push(scenario: Scenario, target: Target, how: How | None = None, notices: Notices = SILENT) -> PushReport:
    """Generate the series of a scenario, and send or write them.

    Parts of the result are reported as soon as they are known. If the push ends early, the samples that had arrived are
    reported too. InputError: nothing was sent or written; LossError and RepeatError are predicted problems that the
    settings do not accept. ReceiverError, OutputError and other errors: some samples may have arrived.
    """
    how = how or How()
    run = find_run(how.run, scenario, target, notices) if how.run and _keeps_state(target) else None
    if run and run.finished:
        return _finished(run, run.at_its_times(scenario), target, notices)
    return _Push(run.at_its_times(scenario) if run else scenario, target, how, run, notices).run()


def plan(scenario: Scenario, target: Target, how: How | None = None, notices: Notices = SILENT) -> PlanReport:
    """Plan a push: no server is queried, and nothing is sent or written. Raises InputError like `push`."""
    from promfill.model.grid import Tile

    job = _Push(scenario, target, how or How(), None, notices, dry_run=True)
    look = job.look_first()
    source, opened = job.source, job.opened
    probe = source.batch(Tile(0, min(source.grid.steps, 240), 0, min(len(source.fleet), 16)))
    estimate = round(opened.sink.bytes_per_sample(probe) * source.samples)
    return PlanReport(opened.frame, estimate, look)


class _Push:
    """One push, step by step."""

    def __init__(
        self,
        scenario: Scenario,
        target: Target,
        how: How,
        run: Run | None,
        notices: Notices,
        *,
        dry_run: bool = False,
    ) -> None:
        notices.found(Asked(target.mode, scenario))
        from promfill.sources.generated import Source

        self.target, self.how, self.kept, self.notices, self.dry_run = target, how, run, notices, dry_run
        self.places = Places(target, how.query, notices, ask=not dry_run)
        self.source: Source = Source(scenario)
        self.opened: OpenTarget = open_target(self.source, self.places, how, notices, run)

    def run(self) -> PushReport:
        """Run all steps."""
        opened, notices, how = self.opened, self.notices, self.how
        notices.found(opened.frame)
        look = None if self.kept and self.kept.earlier else self.look_first()
        forwarder = look.forwarder if look else find_receiver(self.places, notices)
        self._refuse_blind_verify(forwarder)
        opened.set_store_facts(look.store if look else None, forwarder)
        has_all = bool(look and look.has_all)
        if self.kept and self.kept.overwritten and not has_all:
            notices.note(f"{self.kept.path} belongs to a finished run and is overwritten")
        seconds = 0.0 if has_all else self._send()
        report = replace(
            report_of(opened, seconds),
            look=look,
            there_before=self.source.samples if has_all else 0,
            verify_at=self._verify_at(),
        )
        notices.found(report)
        if not how.verify:
            return report
        from promfill.operations.read_back import read_back_push

        try:
            verified = read_back_push(self.source, self.places, notices, forwarded=forwarder is not None)
        except RunError as error:
            where = opened.frame.destination
            error.note = error.note or f"The push itself is complete: {self.source.samples:,} samples are in {where}"
            raise
        notices.found(verified)
        return replace(report, verified=verified)

    def look_first(self) -> Look | None:
        """Report the predicted effects. Raise InputError if samples would be lost, or mixed with existing samples."""
        target, how, notices = self.target, self.how, self.notices
        blocks = isinstance(target, BlocksTarget)
        if not (blocks or (isinstance(target, RemoteWriteTarget) and not self.dry_run)):
            return None
        stays = not (isinstance(target, BlocksTarget) and target.upload)
        look = first_look(
            self.source.scenario,
            len(self.source.fleet),
            self.places,
            notices,
            own=self.opened.block_names,
            ask=not self.dry_run and bool(stays or how.query),
        )
        unsaid = {"recent", *(() if stays or look.store else UNKNOWN_OF_A_MIMIR)}
        look = look.without(unsaid)
        look = look_for_earlier(look, self.source.scenario, lambda: self.source, self.places, how, notices)
        notices.found(look)
        conflicts = [one for one in look.findings if one.kind in CONFLICTS]
        told = conflicts if self.dry_run else [one for one in conflicts if how.again or not one.spoils]
        for finding in told:
            notices.finding(finding)
        if not self.dry_run:
            look.refuse_repeat(how.again)
            look.refuse_loss(how.accept_loss)
        for finding in look.findings:
            if finding.kind not in CONFLICTS:
                notices.finding(finding)
        return look

    def _send(self) -> float:
        """Send or write the samples, and return the seconds it took. If it ends early, report what has arrived."""
        opened, source, notices = self.opened, self.source, self.notices
        notices.found(Begun(opened.makes))
        started = time.monotonic()
        try:
            with notices.progress(source.samples, opened.status) as progress:
                opened.push(source, progress)
        except InputError:  # nothing was written
            raise
        except BaseException:
            report = report_of(opened, time.monotonic() - started)
            notices.found(Remains(report, resumable=report.checkpoint is not None))
            raise
        finally:
            if self.kept:
                self.kept.release()
        return time.monotonic() - started

    def _refuse_blind_verify(self, forwarder: Forwarder | None) -> None:
        """Raise InputError if the push should be verified, but the store to read is unknown."""
        if not (isinstance(self.target, RemoteWriteTarget) and self.how.verify) or self.how.query:
            return
        unread = f"{setting('verify')} has nothing to read"
        if forwarder:
            raise InputError(
                f"{unread}: {forwarder.where} is {forwarder.name}",
                f"set {setting('query_url')} to the store behind it, or leave {setting('verify')} out",
                field="query_url",
            )
        if self.places.asked is None:
            raise InputError(
                f"{unread}: no query API is known beside the push address",
                f"set {setting('query_url')} to the store, or leave {setting('verify')} out",
                field="query_url",
            )

    def _verify_at(self) -> str | Path | None:
        """The query API or directory where the push can be verified; None if it is unknown.

        Uploaded blocks are verified at the server, except at a stack from CDO: its password comes only from CDO.
        """
        target, query = self.target, self.how.query
        if query is not None:
            return query.url
        if self.opened.frame.forwarder:
            return None
        match target:
            case BlocksTarget(upload=None):
                return target.directory
            case BlocksTarget(upload=upload) if upload:
                if upload.keep:
                    return target.directory
                return None if upload.server.by_cdo else beside_upload(self.places.receiver.url)
            case RemoteWriteTarget() if target.server.url:
                from promfill.stores.find import query_url_beside

                return query_url_beside(target.server.url)
            case _:
                return None


def report_of(opened: OpenTarget, seconds: float) -> PushReport:
    """Report the samples that have arrived so far."""
    done, upload = opened.report, opened.upload
    return PushReport(
        opened.frame,
        done.samples,
        done.bytes,
        tuple(done.paths) if not upload or upload.keep else (),
        dict(done.details),
        seconds,
        checkpoint=opened.checkpoint,
        upload=upload.report if upload else None,
    )


def _keeps_state(target: Target) -> bool:
    """Whether a run has a checkpoint. Blocks without an upload need none: a new run recognises finished blocks."""
    return isinstance(target, RemoteWriteTarget) or (isinstance(target, BlocksTarget) and target.upload is not None)


def _finished(run: Run, scenario: Scenario, target: Target, notices: Notices) -> PushReport:
    """Report a run that has nothing left to do."""
    from promfill.scenario.label_patterns import count_series

    notices.note(f"{run.path} belongs to a finished run: nothing is left to send")
    series = count_series(scenario.labels)
    frame = Frame(target.mode, scenario, series, series * scenario.grid.steps, None)
    report = PushReport(frame, checkpoint=run.path, finished_before=True)
    notices.found(report)
    return report
