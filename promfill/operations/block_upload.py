"""Uploads blocks to a Mimir, for push and upload: the uploader, a push's checkpoint, and checks of Mimir's rules."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promfill.errors import InputError, setting
from promfill.operations.destinations import open_client
from promfill.operations.reports import Uploaded
from promfill.operations.settings import Upload

if TYPE_CHECKING:
    from promfill.files.checkpoint import Checkpoint
    from promfill.net.destination import Destination
    from promfill.operations.runs import Run
    from promfill.rules.finding import Finding
    from promfill.sinks.upload.local import LocalBlock
    from promfill.sinks.upload.mimir import MimirUpload
    from promfill.sinks.upload.uploader import Uploader
    from promfill.sources.generated import Source


class PushUpload:
    """Uploads the blocks of a push, and records the uploaded ones in its checkpoint."""

    def __init__(self, destination: Destination, upload: Upload, run: Run | None, directory: Path) -> None:
        self.destination, self.keep = destination, upload.keep
        earlier = run.earlier if run else None
        self.done = frozenset[str](earlier.done.get("complete", ())) if earlier else frozenset[str]()
        self._run, self._directory = run, directory
        self._checkpoint: Checkpoint | None = None
        self._uploader = open_uploader(
            destination,
            upload,
            lambda block: self.keep,
            on_complete=self._remember,
            on_failed=self._remember_failed,
            generations=earlier.done.get("generations", {}) if earlier else {},
        )

    @property
    def report(self) -> Uploaded:
        """The upload state of each block."""
        return Uploaded.of(self._uploader.report, str(self.destination), len(self.done))

    @property
    def checkpoint(self) -> Path | None:
        """The path of the run's checkpoint."""
        return self._checkpoint.path if self._checkpoint else None

    def begin(self, source: Source) -> None:
        """Open the checkpoint, and remove the local copies of complete blocks that an earlier run could not remove."""
        if self._run:
            self._checkpoint = self._run.open(source)
        for name in () if self.keep else self.done:
            shutil.rmtree(self._directory / name, ignore_errors=True)

    def offer(self, paths: Iterable[Path]) -> None:
        """Upload complete blocks."""
        self._uploader.offer(paths)

    def finish(self) -> None:
        """Wait for the last upload, then mark the run as finished."""
        self._uploader.finish()
        if self._checkpoint:
            self._checkpoint.finished = True
            self._checkpoint.save()

    def abort(self) -> None:
        """Stop uploading, because the push ended early."""
        self._uploader.abort()

    def _remember(self, ulid: str) -> None:
        if self._checkpoint:
            self._checkpoint.done.setdefault("complete", []).append(ulid)
            self._checkpoint.save()

    def _remember_failed(self, ulid: str, generation: int) -> None:
        """Remember that the upload failed under each name that the block had before this generation."""
        if self._checkpoint:
            self._checkpoint.done.setdefault("generations", {})[ulid] = generation
            self._checkpoint.save()


def open_uploader(
    destination: Destination, upload: Upload, keep: Callable[[LocalBlock], bool], **remembered: Any
) -> Uploader:
    """Make an uploader to a Mimir; nothing is sent yet. remembered: state of earlier runs, passed to `Uploader`."""
    from promfill.sinks.upload.uploader import LANES, Uploader

    stop = threading.Event()
    protocol = _open_protocol(destination, upload, stop)
    return Uploader(protocol, lanes=upload.lanes or LANES, keep=keep, stop=stop, **remembered)


def ask_for_upload(destination: Destination, upload: Upload) -> Finding:
    """Ask the Mimir whether it accepts blocks of this tenant."""
    from promfill.rules.finding import Finding
    from promfill.sinks.upload.mimir import DISABLED_FIX

    protocol = _open_protocol(destination, upload, threading.Event())
    try:
        is_on = protocol.is_on()
    finally:
        protocol.close()
    if is_on:
        return Finding("upload", False, None, f"{destination} accepts blocks of this tenant")
    return Finding("upload", True, None, f"block upload is disabled for this tenant at {destination}", DISABLED_FIX)


def beside_upload(url: str, *, cloud: bool = False) -> str:
    """The base address of the query API that belongs to a Mimir's upload address; Grafana Cloud uses another path."""
    from urllib.parse import urlsplit

    cloud = cloud or (urlsplit(url).hostname or "").endswith(".grafana.net")
    return url.rstrip("/") + ("/api/prom" if cloud else "/prometheus")


def check_ranges(ranges: Iterable[tuple[int, int]], now: int) -> None:
    """Raise InputError if a block with one of these ranges (first, end; ms) would break a rule of Mimir.

    This runs before anything is written. Blocks may end at now + 1: a sample at `now` (ms) ends its block a millisecond
    later, and that time has passed when Mimir checks it.
    """
    from promfill.rules.mimir import range_breaches

    for low, high in ranges:
        for breach in range_breaches(low, high, now + 1):
            if breach.rule.name == "future":
                raise InputError(str(breach), f"take an earlier {setting('end')}", field="end")
            days, here = setting("block_duration", "24h"), setting("upload", "none")
            raise InputError(str(breach), f"take {days} or a part of it, or {here}", field="block_duration")


def refuse_future_upload(last: int, now: int) -> None:
    """Raise InputError if the newest sample (`last`, ms) is after `now`: Mimir would not accept its block."""
    from promfill.rules.mimir import range_breaches

    for breach in range_breaches(last, last + 1, now + 1):
        raise InputError(str(breach), f"take an earlier {setting('end')}", field="end")


def _open_protocol(destination: Destination, upload: Upload, stop: threading.Event) -> MimirUpload:
    from promfill.sinks.upload.mimir import MimirUpload

    return MimirUpload(
        destination.url,
        lambda: open_client(destination, upload.server),
        stop,
        retry_for=upload.retry_for,
        timeout=upload.server.timeout,
    )
