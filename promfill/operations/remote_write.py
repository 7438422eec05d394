"""Pushes by remote write: makes the sender from the settings, and keeps the checkpoint of the run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.errors import InputError, setting
from promfill.operations.destinations import open_client
from promfill.operations.places import Places
from promfill.operations.reports import SendingStatus
from promfill.operations.settings import RemoteWriteTarget
from promfill.scenario.times import format_duration

if TYPE_CHECKING:
    from promfill.files.checkpoint import Checkpoint
    from promfill.operations.notices import Notices
    from promfill.operations.runs import Run
    from promfill.sinks.remote_write.sink import RemoteWriteSink, Sending
    from promfill.sources.generated import Source


class RemoteWritePush:
    """The sender of a push, and the checkpoint of its run."""

    def __init__(self, sink: RemoteWriteSink, run: Run | None) -> None:
        self.sink = sink
        self._run = run
        self._checkpoint: Checkpoint | None = None

    def begin(self, source: Source) -> None:
        """Open the checkpoint. Raise InputError if the noise differs from the noise of the interrupted run."""
        if self._run:
            self._checkpoint = self._run.open(source)
            self.sink.keep(self._checkpoint, resumed=self._run.earlier is not None)

    def abort(self) -> None:
        """Clean up after a push that ended early. If nothing was sent, remove the checkpoint: it is of no use."""
        untouched = not self.sink.report.samples and not self.sink.report.details.get("unanswered")
        if self._checkpoint and self._run and not self._run.earlier and untouched:
            self._checkpoint.remove()
            if self._run.overwritten:
                self._run.overwritten.save()
            self._checkpoint = None

    @property
    def checkpoint(self) -> Path | None:
        """The path of the run's checkpoint; None if there is nothing to resume."""
        return self._checkpoint.path if self._checkpoint else None

    def status(self) -> SendingStatus:
        """The bytes sent, the retries, and the time that is being sent."""
        details = self.sink.report.details
        return SendingStatus(details["bytes_sent"], details["retries"], self.sink.now_at)


def open_remote_write_push(source: Source, places: Places, notices: Notices, run: Run | None) -> RemoteWritePush:
    """Make the sender; nothing is sent yet. Raise InputError if a setting is not valid."""
    from promfill.sinks.remote_write.sink import open_remote_write

    target, destination = places.target, places.receiver
    assert isinstance(target, RemoteWriteTarget)
    sink = open_remote_write(
        source,
        lambda: open_client(destination, target.server),
        _sending(target, places, notices),
        run.earlier if run else None,
    )
    return RemoteWritePush(sink, run)


def _sending(target: RemoteWriteTarget, places: Places, notices: Notices) -> Sending:
    from promfill.sinks.remote_write.plan import SLACK, Limits
    from promfill.sinks.remote_write.sink import Sending
    from promfill.stores.find import query_url_beside

    rate = target.rate_limit
    if rate is not None and not 0 < rate < math.inf:
        problem = f"{setting('rate_limit')} {rate:g} must be above 0 (samples per second)"
        raise InputError(problem, field="rate_limit")
    patience = format_duration(round(target.retry_for * 1000))
    return Sending(
        limits=Limits(target.max_samples, target.max_bytes),
        protocol=target.protocol,
        lanes=target.lanes,
        slack=math.inf if target.order == "any" else SLACK,
        keeps_order=target.order == "time",
        rate_limit=rate,
        retry_for=target.retry_for,
        skip_rejected=target.skip_rejected,
        query_url=(places.query.url if places.query else None) or query_url_beside(places.receiver.url),
        on_note=notices.note,
        on_trouble=lambda text: notices.warn(f"{text}; retrying for up to {patience}"),
    )
