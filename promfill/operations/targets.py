"""Opens targets: makes the sink for each mode from its settings, and feeds it with the samples of a push."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

from promfill.errors import InputError, setting
from promfill.operations.block_upload import PushUpload, check_ranges, refuse_future_upload
from promfill.operations.places import Places
from promfill.operations.remote_write import RemoteWritePush, open_remote_write_push
from promfill.operations.reports import Frame, SendingStatus
from promfill.operations.settings import (
    BlocksTarget,
    How,
    OpenMetricsTarget,
    RemoteWriteTarget,
    ScriptTarget,
)

if TYPE_CHECKING:
    from promfill.operations.notices import Notices, Progress
    from promfill.operations.runs import Run
    from promfill.pipeline.ordered_workers import PlacedSink
    from promfill.pipeline.workers import SinkOf
    from promfill.protocols import Sink, SinkReport
    from promfill.rules.forwarders import Forwarder
    from promfill.rules.store_facts import StoreFacts
    from promfill.sinks.blocks import BlockSink
    from promfill.sinks.openmetrics import OpenMetricsSink
    from promfill.sources.generated import Source
    from promfill.vendors.script import Script

Ready = Callable[[list[Path]], None]


@dataclass(slots=True)
class OpenTarget:
    """A sink and its plan. report: the samples that have arrived so far. makes: the paths that the sink will make."""

    frame: Frame
    sink: Sink
    workers: int = 1
    sink_of: SinkOf | None = None
    upload: PushUpload | None = None
    sending: RemoteWritePush | None = None
    makes: tuple[Path, ...] = ()
    report: SinkReport = field(init=False)

    def __post_init__(self) -> None:
        self.report = self.sink.report

    def push(self, source: Source, progress: Progress) -> None:
        """Run the push. With an upload, complete blocks are uploaded while the next blocks are written."""
        if self.sending:
            self._send(source, progress, self.sending)
            return
        if not self.upload:
            self._write(source, progress)
            return
        try:
            self.upload.begin(source)
            self._write(source, progress, self.upload.offer)
            self.upload.finish()
        except BaseException:
            self.upload.abort()
            raise

    def set_store_facts(self, store: StoreFacts | None, forwarder: Forwarder | None = None) -> None:
        """Adapt the sending to the store, if it was queried before, and to the forwarder in front of it."""
        if self.sending and store:
            self.sending.sink.widen_slack(store.out_of_order)
            self.sending.sink.expect(doubles=store.doubles)
        if self.sending and forwarder:
            doubles = store.doubles if store else forwarder.may_double or None
            any_order = bool(store and store.rounds)  # only VictoriaMetrics rounds
            self.sending.sink.goes_through(forwarder.kind, doubles=doubles, any_order=any_order)
            self.frame = replace(self.frame, forwarder=forwarder)

    @property
    def checkpoint(self) -> Path | None:
        """The file from which the run can be resumed, or which says that nothing is left to do."""
        keeper = self.sending or self.upload
        return keeper.checkpoint if keeper else None

    def block_names(self) -> list[str]:
        """The names of the blocks that the sink makes; empty in other modes."""
        return cast("BlockSink", self.sink).names if self.frame.mode == "blocks" else []

    def status(self) -> SendingStatus | None:
        """The progress of sending, besides the number of samples; None if nothing is sent."""
        return self.sending.status() if self.sending else None

    def _send(self, source: Source, progress: Progress, sending: RemoteWritePush) -> None:
        sending.begin(source)
        progress(self.report.details.get("sent_before", 0))
        try:
            self._write(source, progress)
        except BaseException:
            sending.abort()
            raise

    def _write(self, source: Source, progress: Progress, ready: Ready = lambda paths: None) -> None:
        """Generate and write the samples, in this process or in several worker processes."""
        if self.sink_of and self.workers > 1:
            from promfill.pipeline.workers import WorkerPool

            pool = WorkerPool(source, self.sink_of, self.workers)
            self.report = pool.report
            pool.push(progress, ready)
            return
        if self.workers > 1:
            from promfill.pipeline.ordered_workers import OrderedPool

            OrderedPool(source, cast("PlacedSink", self.sink), self.workers).push(progress)
            return
        from promfill.pipeline.push import push

        push(source, self.sink, progress, ready)


def open_target(source: Source, places: Places, how: How, notices: Notices, run: Run | None = None) -> OpenTarget:
    """Open the sink of a target. run: the run with its checkpoint, if any. InputError: a setting is not valid."""
    match places.target:
        case BlocksTarget() as target:
            return _blocks(source, target, places, how, run)
        case RemoteWriteTarget():
            return _remote_write(source, places, notices, run)
        case OpenMetricsTarget() as target:
            return _openmetrics(source, target, notices)
        case ScriptTarget() as target:
            return _script(source, target, places, notices)


def frame_of(source: Source, mode: str, destination: str) -> Frame:
    """The plan of a push, with the fields that all modes have."""
    return Frame(mode, source.scenario, len(source.fleet), source.samples, destination)


def _workers(source: Source, workers: int) -> int:
    """The number of workers: 1 for a single series, because its noise is one stream that has to be read in order."""
    return 1 if len(source.fleet) == 1 else workers


def _blocks(source: Source, target: BlocksTarget, places: Places, how: How, run: Run | None) -> OpenTarget:
    from promfill.files.directory import check_writable
    from promfill.rules.directory import spans_in
    from promfill.sinks.blocks import BlockSink

    directory, identity = target.directory, source.identity()
    check_writable(directory)
    upload = _open_upload(target, places, how, run)
    done = upload.done if upload else frozenset()

    def sink_of(worker: int, workers: int) -> BlockSink:
        share = (worker, workers)
        return BlockSink(
            source.fleet, source.grid, identity, directory, duration=target.duration, share=share, done=done
        )

    sink = sink_of(0, 1)
    if upload:
        check_ranges(sink.ranges, int(time.time() * 1000))
    frame = replace(
        frame_of(source, target.mode, str(directory)),
        blocks=len(sink.names),
        upload_to=str(upload.destination) if upload else None,
        stays=not upload or upload.keep,
        newest=max((span.end for span in spans_in(directory)), default=0),
    )
    makes = tuple(directory / name for name in sink.names if name not in done)
    return OpenTarget(frame, sink, _workers(source, target.workers), sink_of, upload, makes=makes)


def _open_upload(target: BlocksTarget, places: Places, how: How, run: Run | None) -> PushUpload | None:
    """Open the requested upload; None if the blocks stay on this machine. Nothing is sent yet."""
    if target.upload is None:
        return None
    if how.verify and not (target.upload.keep or how.query):
        problem = f"{setting('verify')} reads the blocks here, which an upload removes"
        raise InputError(problem, f"add {setting('keep')}, or give {setting('query_url')}", field="verify")
    return PushUpload(places.receiver, target.upload, run, target.directory)


def _openmetrics(source: Source, target: OpenMetricsTarget, notices: Notices) -> OpenTarget:
    sink = _text_sink(source, target.directory)
    _say_of_the_text(source, notices)
    frame = frame_of(source, target.mode, str(sink.path))
    return OpenTarget(frame, sink, _workers(source, target.workers), makes=(sink.path,))


def _say_of_the_text(source: Source, notices: Notices) -> None:
    """Report what a Prometheus would do with blocks made from this text."""
    from promfill.rules.directory import predict_from_text

    for finding in predict_from_text(source.grid.last, int(time.time() * 1000)):
        notices.finding(finding)


def _text_sink(source: Source, directory: Path) -> OpenMetricsSink:
    from promfill.sinks.openmetrics import OpenMetricsSink

    what = source.scenario
    return OpenMetricsSink(source.fleet, source.grid, what.metric, what.description, what.unit, directory)


def _remote_write(source: Source, places: Places, notices: Notices, run: Run | None) -> OpenTarget:
    sending = open_remote_write_push(source, places, notices, run)
    plan = sending.sink.plan
    frame = frame_of(source, places.target.mode, str(places.receiver))
    frame = replace(frame, windows=plan.windows, requests=plan.requests)
    return OpenTarget(frame, sending.sink, sending=sending)


def script_of(target: ScriptTarget, last: int) -> Script:
    """Find the script for samples up to `last` (ms).

    InputError: there is no script, or it is promfill's own and the samples end in the future.
    """
    from promfill.vendors.script import find_script, own_script

    script = find_script(target.script, target.directory)
    if script.path == own_script().absolute():
        refuse_future_upload(last, int(time.time() * 1000))
    return script


def _script(source: Source, target: ScriptTarget, places: Places, notices: Notices) -> OpenTarget:
    from promfill.vendors.script import ScriptSink, script_access

    access = script_access(places.receiver)
    script = script_of(target, source.grid.last)
    _say_of_the_text(source, notices)
    if not script.marked:
        notices.warn(f"{script.path} gets the password as an argument, where ps shows it: that is its contract")
    text = _text_sink(source, target.directory)
    sink = ScriptSink(text, script, access, keep=target.keep, to_stderr=target.to_stderr)
    frame = frame_of(source, target.mode, f"{access.url} by {script.path}")
    return OpenTarget(frame, sink, makes=(text.path,))
