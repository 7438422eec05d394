"""Uploads existing blocks to a Mimir: checks all of them first, sends them, and can wait until they are queryable."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.errors import FormatError, InputError, setting
from promfill.operations.block_upload import beside_upload, open_uploader
from promfill.operations.destinations import open_client, upload_destination
from promfill.operations.notices import SILENT
from promfill.operations.reports import BlocksFound, UploadDone, Uploaded
from promfill.operations.settings import Server, Upload
from promfill.scenario.times import UNITS_MS

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.operations.notices import Notices
    from promfill.sinks.upload.local import LocalBlock
    from promfill.sinks.upload.uploader import Uploader

STORE_AFTER = 12 * UNITS_MS["h"]
"""ms, Mimir's -querier.query-store-after: it reads newer samples only from ingesters, which lack uploaded blocks."""

_LATE = (
    "a Mimir looks into uploaded blocks only for samples that are older than 12 h, unless its "
    "-querier.query-store-after says otherwise: the newest ones come into sight one after the other"
)


def upload(
    paths: Sequence[Path],
    to: Upload | None,
    *,
    wait: bool = False,
    query: Server | None = None,
    ours: Collection[Path] = (),
    notices: Notices = SILENT,
) -> UploadDone:
    """Upload the blocks of the directories to a Mimir.

    wait: wait until every sample can be queried. query: the query API for that; None means the one that belongs to the
    Mimir's address. ours: absolute paths of blocks whose local copies are removed after their upload, unless `to.keep`
    is set. InputError: a block is damaged or breaks a rule of Mimir, and nothing was sent.
    """
    blocks = find(paths, notices, decode=False)
    found = _describe(blocks)
    notices.found(found)
    if to is None:
        fix = "give the base address of a Mimir, or set CDO_TOKEN and ENV"
        raise InputError(f"{setting('upload')} is missing", fix, field="upload")
    destination = upload_destination(to.server, notices)
    found = replace(found, destination=str(destination))
    waiting = _Waiting(blocks, destination, to, query, notices) if wait else None
    notices.found(found)
    started = time.monotonic()
    uploader = open_uploader(destination, to, _keep(to.keep, ours))
    try:
        _run(uploader, blocks, destination, notices)
    finally:
        notices.found(Uploaded.of(uploader.report, str(destination)))
    if waiting:
        waiting.wait()
    uploaded = Uploaded.of(uploader.report, str(destination))
    return UploadDone(found, uploaded, time.monotonic() - started, queryable=wait)


def plan_upload(paths: Sequence[Path], to: Upload | None, notices: Notices = SILENT) -> BlocksFound:
    """Plan an upload: check every block completely, and send nothing.

    CDO is not queried, so its own address is reported instead of the stack's.
    """
    found = _describe(find(paths, notices, decode=True))
    notices.found(found)
    destination = upload_destination(to.server, notices, ask=False) if to else None
    return replace(found, destination=str(destination) if destination else None)


def find(paths: Sequence[Path], notices: Notices, *, decode: bool) -> list[LocalBlock]:
    """Find and check the blocks in the directories; returns them oldest first. decode: decode float chunks too.

    If Mimir finds a block damaged, the upload stays failed under this ULID, so this checks as much as possible first.
    InputError: a block is damaged or breaks a rule of Mimir.
    """
    from promfill.sinks.upload.local import find_blocks, read_local_block

    blocks = sorted(map(read_local_block, find_blocks(paths)), key=lambda block: block.meta.min_time)
    _refuse_twins(blocks)
    broken = [(block, breach) for block in blocks for breach in block.breaches()]
    if broken:
        block, breach = broken[0]
        more = f"; and {len(broken) - 1} faults more" if broken[1:] else ""
        raise InputError(f"Mimir would refuse {block.path}: {breach}{more}. Nothing was sent", field="paths")
    for block in blocks:
        _check_whole(block, decode)
        if block.has_tombstones:
            notices.warn(f"{block.path} has tombstones, and Mimir takes none: what was deleted there comes back")
    return blocks


def _refuse_twins(blocks: Sequence[LocalBlock]) -> None:
    """Raise InputError if two blocks have the same ULID: Mimir accepts only one block per ULID."""
    found: dict[str, LocalBlock] = {}
    for block in blocks:
        twin = found.setdefault(block.meta.ulid, block)
        if twin is not block:
            raise InputError(
                f"{twin.path} and {block.path} are both block {block.meta.ulid}", "leave one out", field="paths"
            )


def _check_whole(block: LocalBlock, decode: bool) -> None:
    from promfill.blocks.check import check_block

    try:
        check_block(block.path, decode=decode)
    except FormatError as error:
        raise InputError(f"{block.path} is damaged: {error}. Nothing was sent", field="paths") from None


def _run(uploader: Uploader, blocks: Sequence[LocalBlock], destination: Destination, notices: Notices) -> None:
    """Upload the blocks. If this ends early, report how many are complete and how to continue."""
    try:
        uploader.offer(block.path for block in blocks)
        uploader.finish()
    except BaseException:
        uploader.abort()
        notices.note(
            f"{len(uploader.report.complete)} of {len(blocks)} blocks are complete at {destination}, the others are "
            "here as they were; to go on, run the same command again"
        )
        raise


def _keep(asked: bool, ours: Collection[Path]) -> Callable[[LocalBlock], bool]:
    """Make the test whether to keep a local copy. It keeps all if asked to, else only blocks outside `ours`."""
    return lambda block: asked or block.path.resolve() not in ours


def _describe(blocks: Sequence[LocalBlock]) -> BlocksFound:
    samples = sum(block.meta.stats.samples for block in blocks)
    return BlocksFound(len(blocks), samples, sum(block.size for block in blocks))


class _Waiting:
    """Waits until every sample can be queried. Reads the expected counts early, because the upload removes blocks."""

    def __init__(
        self,
        blocks: Sequence[LocalBlock],
        destination: Destination,
        to: Upload,
        query: Server | None,
        notices: Notices,
    ) -> None:
        from promfill.net.retry import Retry
        from promfill.sinks.upload.wait import count_found, expectations
        from promfill.stores.api import Api

        self._notices, self._destination = notices, destination
        self._expected = [one for block in blocks for one in expectations(block.path)]
        self._retry = Retry(to.retry_for)
        url = query.url if query and query.url else beside_upload(destination.url, cloud=to.server.by_cdo)
        self._api = Api(open_client(replace(destination, url=url), to.server))
        with self._closed_on_failure():  # finds a wrong address before anything is sent
            count_found(self._api, self._expected[0], Retry(0))

    def wait(self) -> None:
        """Query until every sample is counted. ReceiverError: the query API cannot be reached any more."""
        from promfill.sinks.upload.wait import wait_until_queryable

        def on_progress(found: int, total: int) -> None:
            self._notices.note(f"{found:,} of {total:,} samples can be queried")

        if max(one.end for one in self._expected) > time.time() * 1000 - STORE_AFTER:
            self._notices.note(_LATE)
        try:
            wait_until_queryable(self._api, self._expected, on_progress, retry=self._retry)
        except BaseException:
            self._notices.note(f"every block is complete at {self._destination}; it is the question that failed")
            raise
        finally:
            self._api.client.close()

    @contextmanager
    def _closed_on_failure(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._api.client.close()
            raise
