"""Mode remote-write of push: its options, the sender that they make, and what it says."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import AUTO, CONCURRENCY, lanes, open_client, push_destination, seconds
from promfill.cli.options.resume import Run
from promfill.errors import InputError

if TYPE_CHECKING:
    from promfill.files.checkpoint import Checkpoint
    from promfill.protocols import SinkReport
    from promfill.sinks.remote_write.sink import RemoteWriteSink, Sending
    from promfill.sources.generated import Source

SENDING = (
    click.option(
        "--protocol",
        type=click.Choice([AUTO, "1.0", "2.0"]),
        default=AUTO,
        show_default=True,
        help="Message of remote write; auto asks for 2.0, and falls back to 1.0.",
    ),
    *CONCURRENCY,
    click.option(
        "--max-samples-per-send", type=int, default=20_000, show_default=True, metavar="N", help="Samples of a request."
    ),
    click.option(
        "--max-bytes-per-send",
        type=int,
        default=3 << 20,
        show_default=True,
        metavar="N",
        help="Bytes of a request before compression.",
    ),
    click.option("--rate-limit", type=float, metavar="N", help="Samples per second at most."),
    click.option(
        "--order",
        type=click.Choice([AUTO, "time", "any"]),
        default=AUTO,
        show_default=True,
        help="time keeps requests in flight within an hour, as a Prometheus wants it; auto is time, and any where the "
        "receiver is a VictoriaMetrics.",
    ),
    click.option(
        "--on-reject",
        type=click.Choice(["fail", "skip"]),
        default="fail",
        show_default=True,
        help="What a sample does that the receiver refuses for good.",
    ),
)
"""How it is sent."""

SENDING_NAMES = (
    "protocol",
    "max_samples_per_send",
    "max_bytes_per_send",
    "rate_limit",
    "order",
    "on_reject",
)

_THERE = "{:,} samples already: an attempt whose answer was lost had written them"
_THERE_BEFORE = "{:,} samples already, all of the push, with the same values: nothing is left to send"
_NOT_COUNTED = "the receiver took all, and by its own count wrote {:,} samples less: see by promfill verify"
_DOUBT = (
    "this VictoriaMetrics may hold {:,} samples twice: answers were lost, and it could not be asked what it holds: "
    "give --query-url, and run it with -dedup.minScrapeInterval=1ms"
)
_DOUBT_BEHIND = (
    "the store behind this {} may hold {:,} samples twice: answers were lost, and what is still on its way cannot be "
    "asked for: run promfill verify with the store's --query-url"
)
_FORWARDED = (
    "the receiver only forwards: whether a store has them, promfill verify tells, with that store's --query-url"
)
_RESIDUE = (
    "answers were lost, and the receiver was asked what it held before anything was sent again; an attempt that was "
    "still in work then may be held twice, unless it runs with -dedup.minScrapeInterval=1ms"
)


class RemoteWritePush:
    """The sender of a push, and the checkpoint of its run."""

    def __init__(self, sink: RemoteWriteSink, run: Run | None) -> None:
        self.sink = sink
        self._run = run
        self._checkpoint: Checkpoint | None = None

    def begin(self, source: Source) -> None:
        """Open the checkpoint. InputError where the noise is no longer what it was."""
        if self._run:
            self._checkpoint = self._run.open(source)
            self.sink.keep(self._checkpoint, resumed=self._run.earlier is not None)

    def abort(self) -> None:
        """The push ended early. Where nothing has been sent there is nothing to resume."""
        untouched = not self.sink.report.samples and not self.sink.report.details.get("unanswered")
        if self._checkpoint and self._run and not self._run.earlier and untouched:
            self._checkpoint.remove()
            if self._run.overwritten:
                self._run.overwritten.save()
            self._checkpoint = None

    @property
    def resumable(self) -> bool:
        """Whether --resume would go on."""
        return self._checkpoint is not None

    @property
    def checkpoint(self) -> Path | None:
        """Where the state of the run is."""
        return self._checkpoint.path if self._checkpoint else None

    def status(self) -> str:
        """Bytes, retries and the time that is being sent, for the progress bar."""
        from promfill.cli.text.format import size_text
        from promfill.scenario.times import format_time

        details = self.sink.report.details
        retries = f", {details['retries']:,} retries" if details["retries"] else ""
        return f"{size_text(details['bytes_sent'])}{retries}, {format_time(self.sink.now_at)}"


def open_remote_write_push(
    source: Source, values: Mapping[str, Any], console: Console, run: Run | None
) -> tuple[RemoteWritePush, str]:
    """The sender, and the name of its destination; nothing is sent yet."""
    from promfill.sinks.remote_write.sink import open_remote_write

    destination = push_destination(values, console)
    checkpoint = run.earlier if run else None
    sink = open_remote_write(
        source,
        lambda: open_client(destination, values),
        build_sending(values, destination.url, console),
        checkpoint,
    )
    return RemoteWritePush(sink, run), str(destination)


def build_sending(values: Mapping[str, Any], url: str, console: Console) -> Sending:
    """What the options say. InputError where one cannot be used."""
    from promfill.sinks.remote_write.plan import SLACK, Limits
    from promfill.sinks.remote_write.sink import Sending
    from promfill.stores.find import query_url_beside

    rate = values["rate_limit"]
    if rate is not None and not 0 < rate < math.inf:
        raise InputError(f"--rate-limit {rate:g} must be a number of samples per second above 0")
    return Sending(
        limits=Limits(values["max_samples_per_send"], values["max_bytes_per_send"]),
        protocol=values["protocol"],
        lanes=lanes(values),
        slack=math.inf if values["order"] == "any" else SLACK,
        keeps_order=values["order"] == "time",
        rate_limit=rate,
        retry_for=seconds(values, "retry_for"),
        skip_rejected=values["on_reject"] == "skip",
        query_url=values["query_url"] or query_url_beside(url),
        on_note=console.note,
        on_trouble=lambda text: console.warn(f"{text}; it is sent again for up to {values['retry_for']}"),
    )


def lines(facts: Mapping[str, Any], size: str, rate: str) -> list[str]:
    """What was sent and what became of it, as a table for people."""
    before, perhaps_twice = facts.get("sent_before", 0), facts.get("perhaps_twice", 0)
    asked = facts.get("receiver") == "VictoriaMetrics" and facts["answers_lost"] and not perhaps_twice
    doubt = _DOUBT_BEHIND.format(facts["receiver"], perhaps_twice) if "forwarder" in facts else _DOUBT
    rows = [
        (True, "sent", f"{facts['acknowledged']:,} samples in {facts['requests']:,} requests, {size} ({rate})"),
        (True, "", f"to {facts['destination']}, by remote write {facts['protocol']}"),
        (before, "", f"{before:,} samples had been sent by an earlier run"),
        (facts.get("there_before"), "there", _THERE_BEFORE.format(facts.get("there_before", 0))),
        (facts["already_there"], "there", _THERE.format(facts["already_there"])),
        (facts["retries"], "again", f"{facts['retries']:,} attempts; {facts['answers_lost']:,} answers were lost"),
        (facts["divided"], "halved", f"{facts['divided']:,} requests that the receiver found too large"),
        *((True, "reject", f"{count:,} samples: {reason}") for reason, count in facts["rejected"].items()),
        (facts.get("not_counted"), "note", _NOT_COUNTED.format(facts.get("not_counted", 0))),
        (perhaps_twice, "note", doubt.format(perhaps_twice)),
        ("forwarder" in facts and "verify" not in facts, "note", _FORWARDED),
        (asked, "note", _RESIDUE),
    ]
    return [f"{name:<6} {text}" for wanted, name, text in rows if wanted]


def remains(report: SinkReport, samples: int, where: str, *, resumable: bool) -> str:
    """What had arrived when the push ended early, and how to go on."""
    arrived = report.samples + report.details.get("sent_before", 0)
    open_ones = report.details.get("unanswered", 0)
    doubt = f" ({open_ones:,} more may be)" if open_ones else ""
    way = "to go on, run the same command with --resume" if resumable else "mend that, and run the same command again"
    return f"{arrived:,} of {samples:,} samples are in {where}{doubt}; {way}"
