"""Where a push goes: the options of the modes, and the sink that each mode makes of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import CREDENTIALS, push_destination
from promfill.cli.options.resume import Run
from promfill.cli.remote_write import SENDING, SENDING_NAMES, RemoteWritePush, open_remote_write_push
from promfill.cli.text.commands import serve_command
from promfill.cli.uploads import PushUpload, check_ranges, open_push_upload, refuse_future_upload
from promfill.scenario.times import DAY_MS, parse_duration

if TYPE_CHECKING:
    from promfill.pipeline.ordered_workers import PlacedSink
    from promfill.pipeline.workers import SinkOf
    from promfill.protocols import Sink, SinkReport
    from promfill.rules.forwarders import Forwarder
    from promfill.rules.store_facts import StoreFacts
    from promfill.scenario.scenario import Scenario
    from promfill.sinks.blocks import BlockSink
    from promfill.sinks.openmetrics import OpenMetricsSink
    from promfill.sources.generated import Source
    from promfill.vendors.script import Script

MODES = ("blocks", "remote-write", "openmetrics", "script")
DIRECTORIES = {"blocks": "data", "openmetrics": "utils", "script": "utils"}


class _Directory(click.Path):
    """A path; an empty one, as of a variable that is not set, is no directory, though Path takes it for this one."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            self.fail("it is empty: name a directory, or leave the option out", param, ctx)
        return super().convert(value, param, ctx)


TARGET = (
    click.option("--mode", type=click.Choice(MODES), default="blocks", show_default=True, help="What is written."),
    click.option(
        "--output-dir",
        type=_Directory(path_type=Path, readable=False),
        metavar="DIR",
        help="Where files go; made if missing.  [default: data for blocks, utils for openmetrics and script]",
    ),
    click.option(
        "--block-duration",
        default="auto",
        show_default=True,
        metavar="DURATION",
        help="Range of a block: 2h, 24h, …; auto is 24h, aligned to UTC days.",
    ),
    click.option(
        "--workers",
        type=click.IntRange(1, 256),
        default=1,
        show_default=True,
        metavar="N",
        help="Processes that write.",
    ),
    *SENDING,
    click.option(
        "--backfill-script",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Mode script.  [default: backfill.sh of the output directory if it is there, else promfill's own]",
    ),
    click.option("--keep", is_flag=True, help="Keep files that would be removed after an upload."),
    click.option("--dry-run", is_flag=True, help="Print the plan; write nothing."),
)
"""Where to: push's second table."""

_FILES = frozenset({"blocks", "openmetrics", "script"})
SERVERS = frozenset({"remote-write", "script"})
"""The modes that go to a server, by --remote-write-url."""
_REMOTE_WRITE = frozenset({"remote-write"})
_SENDERS = frozenset({"remote-write", "--upload"})

FITS: Mapping[str, frozenset[str]] = {
    "output_dir": _FILES,
    "block_duration": frozenset({"blocks"}),
    "workers": frozenset({"blocks", "openmetrics"}),
    "remote_write_url": SERVERS,
    "username": SERVERS | _SENDERS,
    "password_file": SERVERS | _SENDERS,
    **dict.fromkeys((*CREDENTIALS[2:], "timeout"), _SENDERS),
    **dict.fromkeys(SENDING_NAMES, _REMOTE_WRITE),
    "upload": frozenset({"blocks"}),
    **dict.fromkeys(("cdo_url", "env"), frozenset({"blocks", "remote-write", "script"})),
    **dict.fromkeys(("concurrency", "retry_for", "checkpoint", "resume"), _SENDERS),
    "accept_loss": frozenset({"blocks", "remote-write"}),
    "again": _REMOTE_WRITE,
    "stale_at_end": frozenset({"blocks", "remote-write"}),
    "verify": frozenset({"blocks", "remote-write"}),
    "query_url": frozenset({"blocks", "remote-write"}),
    "backfill_script": frozenset({"script"}),
    "keep": frozenset({"script", "--upload"}),
}
"""The modes in which an option means something, or blocks with --upload; an option that is not named fits all."""


@dataclass(slots=True)
class Target:
    """A sink, and how to speak of it. `where` holds no secret; `report` is what has arrived there so far."""

    mode: str
    sink: Sink
    where: str
    facts: dict[str, Any] = field(default_factory=dict)
    workers: int = 1
    sink_of: SinkOf | None = None
    upload: PushUpload | None = None
    sending: RemoteWritePush | None = None
    report: SinkReport = field(init=False)

    def __post_init__(self) -> None:
        self.report = self.sink.report

    def push(self, source: Source, progress: Callable[[int], None]) -> None:
        """Run the push; what is whole goes up while the rest is written."""
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

    def know(self, store: StoreFacts | None, forwarder: Forwarder | None = None) -> None:
        """What the store told of itself beforehand, if it was asked; and who forwards to it."""
        if self.sending and store:
            self.sending.sink.allow(store.out_of_order)
        if self.sending and forwarder:
            doubles = store.doubles if store else forwarder.may_double or None
            any_order = bool(store and store.rounds)  # VictoriaMetrics alone
            self.sending.sink.goes_through(forwarder.kind, doubles=doubles, any_order=any_order)
            self.facts["forwarder"] = asdict(forwarder)

    @property
    def checkpoint(self) -> Path | None:
        """The file by which --resume would go on, or that says that nothing is left to do."""
        keeper = self.sending or self.upload
        return keeper.checkpoint if keeper else None

    def block_names(self) -> list[str]:
        """The names of the blocks that it makes."""
        return cast("BlockSink", self.sink).names if self.mode == "blocks" else []

    def status(self) -> str:
        """What the progress bar says beside the samples."""
        return self.sending.status() if self.sending else ""

    def _send(self, source: Source, progress: Callable[[int], None], sending: RemoteWritePush) -> None:
        sending.begin(source)
        progress(self.report.details.get("sent_before", 0))
        try:
            self._write(source, progress)
        except BaseException:
            sending.abort()
            raise

    def _write(
        self, source: Source, progress: Callable[[int], None], ready: Callable[[list[Path]], None] = lambda paths: None
    ) -> None:
        """In this process or in several."""
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


def build_target(source: Source, values: Mapping[str, Any], console: Console, run: Run | None = None) -> Target:
    """The sink of the mode; InputError where its options cannot be used. `run`: its checkpoint, if it has one."""
    if values["mode"] == "blocks":
        return _blocks(source, values, console, run)
    if values["mode"] == "remote-write":
        return _remote_write(source, values, console, run)
    return _BUILDERS[values["mode"]](source, values, console)


def _workers(source: Source, values: Mapping[str, Any]) -> int:
    """One series is one stream of noise, which has no random access: it is not shared out."""
    return 1 if len(source.fleet) == 1 else int(values["workers"])


def directory_of(values: Mapping[str, Any]) -> Path:
    """Where the mode's files go."""
    return values["output_dir"] or Path(DIRECTORIES.get(values["mode"], "."))


def _blocks(source: Source, values: Mapping[str, Any], console: Console, run: Run | None) -> Target:
    from promfill.files.directory import check_writable
    from promfill.rules.directory import spans_in
    from promfill.sinks.blocks import BlockSink

    directory = directory_of(values)
    check_writable(directory)
    duration = block_duration(values)
    identity = source.identity()
    upload = open_push_upload(values, run, directory, console)
    done = upload.done if upload else frozenset()

    def sink_of(worker: int, workers: int) -> BlockSink:
        share = (worker, workers)
        return BlockSink(source.fleet, source.grid, identity, directory, duration=duration, share=share, done=done)

    sink = sink_of(0, 1)
    if upload:
        check_ranges(sink.ranges, int(time.time() * 1000))
    facts: dict[str, Any] = {"blocks": len(sink.names)}
    if upload:
        facts["upload_to"] = str(upload.destination)
    if not upload or upload.keep:
        newest = max((span.end for span in spans_in(directory)), default=0)
        facts["serve"] = serve_command(directory, source.grid, newest)
    return Target("blocks", sink, str(directory), facts, _workers(source, values), sink_of, upload)


def block_names(scenario: Scenario, directory: Path, values: Mapping[str, Any]) -> list[str]:
    """The names of the blocks that a push of this scenario makes."""
    from promfill.sinks.blocks import BlockSink
    from promfill.sources.generated import Source

    source = Source(scenario)
    duration = block_duration(values)
    return BlockSink(source.fleet, source.grid, source.identity(), directory, duration=duration).names


def block_duration(values: Mapping[str, Any]) -> int:
    """ms: what --block-duration says."""
    text = values["block_duration"]
    return DAY_MS if text == "auto" else parse_duration(text, "--block-duration")


def _openmetrics(source: Source, values: Mapping[str, Any], console: Console) -> Target:
    sink = _text_sink(source, values)
    _say_of_the_text(source, console)
    return Target("openmetrics", sink, str(sink.path), workers=_workers(source, values))


def _say_of_the_text(source: Source, console: Console) -> None:
    """What blocks made of it would do."""
    from promfill.cli.store import say_findings
    from promfill.rules.directory import predict_from_text

    say_findings(predict_from_text(source.grid.last, int(time.time() * 1000)), console)


def _text_sink(source: Source, values: Mapping[str, Any]) -> OpenMetricsSink:
    from promfill.sinks.openmetrics import OpenMetricsSink

    what = source.scenario
    return OpenMetricsSink(source.fleet, source.grid, what.metric, what.description, what.unit, directory_of(values))


def _remote_write(source: Source, values: Mapping[str, Any], console: Console, run: Run | None) -> Target:
    sending, where = open_remote_write_push(source, values, console, run)
    plan = sending.sink.plan
    facts = {"windows": plan.windows, "requests": plan.requests}
    return Target("remote-write", sending.sink, where, facts, sending=sending)


def script_of(values: Mapping[str, Any], last: int) -> Script:
    """The script that takes samples up to `last` (ms). InputError: there is none, or it is ours, and they are late."""
    from promfill.vendors.script import find_script, own_script

    script = find_script(values["backfill_script"], directory_of(values))
    if script.path == own_script().absolute():
        refuse_future_upload(last, int(time.time() * 1000))
    return script


def _script(source: Source, values: Mapping[str, Any], console: Console) -> Target:
    from promfill.vendors.script import ScriptSink, script_access

    access = script_access(push_destination(values, console))
    script = script_of(values, source.grid.last)
    _say_of_the_text(source, console)
    if not script.marked:
        console.warn(f"{script.path} gets the password as an argument, where ps shows it: that is its contract")
    sink = ScriptSink(_text_sink(source, values), script, access, keep=values["keep"], to_stderr=values["as_json"])
    return Target("script", sink, f"{access.url} by {script.path}")


_BUILDERS: Mapping[str, Callable[[Source, Mapping[str, Any], Console], Target]] = {
    "openmetrics": _openmetrics,
    "script": _script,
}
