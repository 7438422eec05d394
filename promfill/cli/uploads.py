"""Block upload as push and upload offer it: the uploader, a push's checkpoint, and what is said at the end."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from promfill.cli.console import Console
from promfill.cli.options.destination import lanes, open_client, seconds, upload_destination, uploads
from promfill.cli.options.resume import Run
from promfill.errors import InputError

if TYPE_CHECKING:
    from promfill.files.checkpoint import Checkpoint
    from promfill.net.destination import Destination
    from promfill.rules.finding import Finding
    from promfill.sinks.upload.local import LocalBlock
    from promfill.sinks.upload.mimir import MimirUpload
    from promfill.sinks.upload.uploader import Uploader, UploadReport
    from promfill.sources.generated import Source

LATER = (
    "a Mimir may need minutes to hours until they can be queried, and may answer with a part of them until then: "
    "ask for the full count, with Cache-Control: no-store"
)


class PushUpload:
    """The upload of the blocks that a push makes, and the checkpoint that says which are up."""

    def __init__(self, destination: Destination, values: Mapping[str, Any], run: Run, directory: Path) -> None:
        self.destination = destination
        self.keep: bool = values["keep"]
        self.done = frozenset(run.earlier.done.get("complete", ())) if run.earlier else frozenset[str]()
        self._run, self._directory = run, directory
        self._checkpoint: Checkpoint | None = None
        self._uploader = open_uploader(
            destination,
            values,
            lambda block: self.keep,
            on_complete=self._remember,
            on_failed=self._remember_failed,
            generations=run.earlier.done.get("generations", {}) if run.earlier else {},
        )

    @property
    def report(self) -> UploadReport:
        """What became of the blocks."""
        return self._uploader.report

    @property
    def checkpoint(self) -> Path | None:
        """Where the state of the run is."""
        return self._checkpoint.path if self._checkpoint else None

    def begin(self, source: Source) -> None:
        """Open the checkpoint. Copies of blocks that an earlier run saw complete, and could not remove, are removed."""
        self._checkpoint = self._run.open(source)
        for name in () if self.keep else self.done:
            shutil.rmtree(self._directory / name, ignore_errors=True)

    def offer(self, paths: Iterable[Path]) -> None:
        """Upload blocks that are whole."""
        self._uploader.offer(paths)

    def finish(self) -> None:
        """Wait for the last one."""
        self._uploader.finish()
        if self._checkpoint:
            self._checkpoint.finished = True
            self._checkpoint.save()

    def abort(self) -> None:
        """The push ended early."""
        self._uploader.abort()

    def _remember(self, ulid: str) -> None:
        assert self._checkpoint is not None
        self._checkpoint.done.setdefault("complete", []).append(ulid)
        self._checkpoint.save()

    def _remember_failed(self, ulid: str, generation: int) -> None:
        """The names of a block before this generation have failed."""
        assert self._checkpoint is not None
        self._checkpoint.done.setdefault("generations", {})[ulid] = generation
        self._checkpoint.save()


def open_push_upload(
    values: Mapping[str, Any], run: Run | None, directory: Path, console: Console
) -> PushUpload | None:
    """The upload that the options ask for, None where blocks stay here; nothing is sent yet."""
    if uploads(values) and values["verify"] and not (values["keep"] or values["query_url"]):
        raise InputError("--verify reads the blocks here, which an upload removes", "add --keep, or give --query-url")
    destination = upload_destination(values, console)
    if destination is None:
        if values["env"] and not values["upload"] and given("env"):
            console.warn("--env without CDO_TOKEN names no destination: the blocks stay here")
        return None
    return PushUpload(destination, values, run or Run("", Path(), values, None), directory)


def given(name: str) -> bool:
    """Whether an option stands on the command line."""
    return click.get_current_context().get_parameter_source(name) is ParameterSource.COMMANDLINE


def open_uploader(
    destination: Destination,
    values: Mapping[str, Any],
    keep: Callable[[LocalBlock], bool],
    **remembered: Any,
) -> Uploader:
    """An uploader to a Mimir; nothing is sent yet. remembered: of earlier runs, as `Uploader` takes it."""
    from promfill.sinks.upload.uploader import LANES, Uploader

    stop = threading.Event()
    protocol = _open_protocol(destination, values, stop)
    return Uploader(protocol, lanes=lanes(values) or LANES, keep=keep, stop=stop, **remembered)


def _open_protocol(destination: Destination, values: Mapping[str, Any], stop: threading.Event) -> MimirUpload:
    from promfill.sinks.upload.mimir import MimirUpload

    return MimirUpload(
        destination.url,
        lambda: open_client(destination, values),
        stop,
        retry_for=seconds(values, "retry_for"),
        timeout=seconds(values, "timeout"),
    )


def ask_for_upload(values: Mapping[str, Any], console: Console) -> Finding | None:
    """Whether the Mimir that an upload goes to takes blocks of this tenant; None where blocks stay here."""
    from promfill.rules.finding import Finding
    from promfill.sinks.upload.mimir import DISABLED_MEND

    destination = upload_destination(values, console)
    if destination is None:
        return None
    protocol = _open_protocol(destination, values, threading.Event())
    try:
        is_on = protocol.is_on()
    finally:
        protocol.close()
    if is_on:
        return Finding("upload", False, None, f"{destination} takes blocks of this tenant")
    return Finding(
        "upload", True, None, f"block upload is switched off for this tenant at {destination}", DISABLED_MEND
    )


def query_url_beside_upload(destination: Destination, values: Mapping[str, Any]) -> str:
    """The query API's base address: --query-url, or what stands beside the address of an upload."""
    return str(values["query_url"] or beside_upload(destination.url, cloud=not values["upload"]))


def beside_upload(url: str, *, cloud: bool = False) -> str:
    """The query API's base address of the Mimir that blocks are uploaded to; in Grafana Cloud it is another."""
    from urllib.parse import urlsplit

    cloud = cloud or (urlsplit(url).hostname or "").endswith(".grafana.net")
    return url.rstrip("/") + ("/api/prom" if cloud else "/prometheus")


def check_ranges(ranges: Iterable[tuple[int, int]], now: int) -> None:
    """InputError where a block of these times (first, end; ms) would break a rule of Mimir's: nothing is written then.

    A sample at now ends its block a millisecond later, which has passed when Mimir looks.
    """
    from promfill.rules.mimir import range_breaches

    for low, high in ranges:
        for breach in range_breaches(low, high, now + 1):
            if breach.rule.name == "future":
                raise InputError(str(breach), "take an earlier --end")
            raise InputError(str(breach), "take --block-duration 24h or a part of it, or --upload none")


def refuse_future_upload(last: int, now: int) -> None:
    """InputError where the newest sample, at `last` ms, is after now: Mimir takes no block that it would be in."""
    from promfill.rules.mimir import range_breaches

    for breach in range_breaches(last, last + 1, now + 1):
        raise InputError(str(breach), "take an earlier --end")


def upload_facts(report: UploadReport, destination: Destination) -> dict[str, Any]:
    """What was uploaded, for ``--json``."""
    return {
        "destination": str(destination),
        "uploaded": len(report.uploaded),
        "uploaded_bytes": report.bytes,
        "already_uploaded": len(report.there),
        "complete": report.complete,
        "refused": dict(sorted(report.refused.items())),
        "renamed": dict(sorted(report.renamed.items())),
    }
