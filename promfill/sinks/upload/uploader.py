"""Upload blocks to a server, several at once, while others are still being written.

    uploader = Uploader(protocol, lanes=4)
    uploader.offer(paths)       # as they become complete; raises what has gone wrong meanwhile
    report = uploader.finish()  # waits for the last one

A block's local copy is removed only after the server has said that it is complete, and never if `keep` says
so. No block is held in memory.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from promfill.errors import FormatError, InputError, PromfillError, ReceiverError, RefusedError, RunError
from promfill.files.claims import temporary_path
from promfill.sinks.upload.base import (
    BlockRefusedError,
    Outcome,
    UploadProtocol,
    UploadStoppedError,
    ValidationFailedError,
)
from promfill.sinks.upload.local import LocalBlock, read_local_block
from promfill.sinks.upload.names import MOST_NAMES, MOST_UPLOADS, name_of_generation

LANES = 4
"""Blocks at once: while one is validated, which takes as long as the server likes, others are sent."""
_AGAIN = "promfill finds nothing wrong with the block: run the command again to upload it under another ULID"
GRACE_SECONDS = 2.0
"""How long what is under way may still take when the upload is ended, in seconds: connections cannot be hurried."""


@dataclass(slots=True)
class UploadReport:
    """Blocks by what became of them: ULIDs, as the server has them, and for refused blocks the words.

    renamed: the ULID here of a complete block, and the one that it went up under (`promfill.sinks.upload.names`).
    """

    uploaded: list[str] = field(default_factory=list)
    there: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    renamed: dict[str, str] = field(default_factory=dict)
    bytes: int = 0

    @property
    def complete(self) -> list[str]:
        """All blocks that the server holds now, in order."""
        return sorted([*self.uploaded, *self.there])


class Uploader:
    """Threads that take blocks from one queue, in the order in which they are offered."""

    def __init__(
        self,
        protocol: UploadProtocol,
        *,
        lanes: int = LANES,
        keep: Callable[[LocalBlock], bool] = lambda block: False,
        on_complete: Callable[[str], None] = lambda ulid: None,
        on_failed: Callable[[str, int], None] = lambda ulid, generation: None,
        generations: Mapping[str, int] = MappingProxyType({}),
        stop: threading.Event | None = None,
    ) -> None:
        """on_complete is told a block's ULID here; on_failed also the generation from which its names are good.

        generations: what on_failed was told in earlier runs.
        """
        self.report = UploadReport()
        self._protocol, self._keep, self._on_complete = protocol, keep, on_complete
        self._on_failed, self._generations = on_failed, generations
        self._stop = stop or threading.Event()
        self._queue: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._sent: list[tuple[LocalBlock, str]] = []
        self._error: BaseException | None = None
        self._refused_for_good = False
        self._lock = threading.Lock()
        self._lanes = [threading.Thread(target=self._run, name=f"upload-{n}", daemon=True) for n in range(lanes)]
        self._begun = False

    def offer(self, paths: Iterable[Path]) -> None:
        """Upload these complete blocks. Raises what has stopped the upload."""
        self._raise()
        for path in paths:
            self._queue.put(path)
            if not self._begun:
                self._begun = True
                for lane in self._lanes:
                    lane.start()

    def finish(self) -> UploadReport:
        """Wait for all blocks that were offered. Raises what stopped the upload; ReceiverError if blocks were refused,
        RefusedError if one of them will never be accepted.
        """
        if self._begun:
            for _ in self._lanes:
                self._queue.put(None)
            for lane in self._lanes:
                while lane.is_alive():  # in short steps: a signal is seen between them
                    lane.join(0.1)
        try:
            self._raise()
            self._protocol.finish()
        finally:
            self._protocol.close()
        for block, name in self._sent:
            self._complete(block, name, Outcome.COMPLETE)
        if self.report.refused:
            raise (RefusedError if self._refused_for_good else ReceiverError)(self._refusals())
        return self.report

    def abort(self) -> None:
        """End the upload early: what is under way gets a moment, nothing else begins."""
        self._stop.set()
        for lane in self._lanes if self._begun else ():
            lane.join(GRACE_SECONDS / len(self._lanes))
        if not any(lane.is_alive() for lane in self._lanes):
            self._protocol.close()

    def _run(self) -> None:
        while (path := self._queue.get()) is not None and not self._stop.is_set():
            try:
                self._upload(path)
            except UploadStoppedError:
                return
            except BaseException as error:
                with self._lock:
                    self._error = self._error or error
                self._stop.set()

    def _upload(self, path: Path) -> None:
        block = read_local_block(path)
        broken = block.breaches()
        if broken:
            self._refuse(block, f"it was not sent: {broken[0]}", is_final=True)
            return
        try:
            name, outcome = self._put(block)
        except BlockRefusedError as error:
            self._refuse(block, error.marked, is_final=isinstance(error, RefusedError))
            return
        except OSError as error:
            raise RunError(f"{path} cannot be read anymore: {error.strerror}") from error
        if outcome is Outcome.SENT:
            with self._lock:
                self._sent.append((block, name))
            return
        self._complete(block, name, outcome)

    def _put(self, block: LocalBlock) -> tuple[str, Outcome]:
        """Upload it under the first of its names that has not failed. BlockRefusedError: with what our check finds."""
        first, uploads = self._generations.get(block.meta.ulid, 0), 0
        failure: BlockRefusedError | None = None
        for generation in range(first, first + MOST_NAMES):
            name = name_of_generation(block.meta.ulid, generation)
            try:
                return name, self._protocol.put(block.named(name) if generation else block)
            except ValidationFailedError as error:
                _refuse_damaged(block, error)
                with self._lock:
                    self._on_failed(block.meta.ulid, generation + 1)
                uploads += error.fresh
                if error.fresh and (uploads == MOST_UPLOADS or not error.by_accident):
                    raise BlockRefusedError(f"{error.marked}; {_AGAIN}") from error
                failure = error
            except BlockRefusedError as error:
                _refuse_damaged(block, error)
                raise
        found = failure.marked if failure else ""
        raise BlockRefusedError(
            f"{found}, and {MOST_NAMES} names of the block one after the other; promfill finds nothing wrong "
            "with it: ask the operator of this Mimir what its compactors say, then run the command again"
        )

    def _complete(self, block: LocalBlock, name: str, outcome: Outcome) -> None:
        with self._lock:
            (self.report.there if outcome is Outcome.THERE else self.report.uploaded).append(name)
            if name != block.meta.ulid:
                self.report.renamed[block.meta.ulid] = name
            self.report.bytes += 0 if outcome is Outcome.THERE else block.size
            self._on_complete(block.meta.ulid)
            if not self._keep(block):
                _remove(block.path)

    def _refuse(self, block: LocalBlock, words: str, *, is_final: bool) -> None:
        with self._lock:
            self.report.refused[block.meta.ulid] = words
            self._refused_for_good |= is_final

    def _refusals(self) -> str:
        (ulid, words), *others = sorted(self.report.refused.items())
        blocks = "block" if len(others) == 1 else "blocks"
        more = f"; and {len(others)} more {blocks}: {', '.join(ulid for ulid, _ in others)}" if others else ""
        return f"block {ulid} was refused: {words}{more}"

    def _raise(self) -> None:
        if self._error is not None:
            error = self._error
            if isinstance(error, PromfillError):
                raise RefusedError(error.marked) if isinstance(error, InputError | FormatError) else error
            raise error


def _remove(path: Path) -> None:
    """Rename it first: a kill on the way then leaves no half of a block for the next run to find."""
    doomed = temporary_path(path, os.getpid())
    with contextlib.suppress(OSError):  # a copy that stays does no harm
        path.rename(doomed)
        shutil.rmtree(doomed)


def _refuse_damaged(block: LocalBlock, refusal: BlockRefusedError) -> None:
    """BlockRefusedError if our own check finds something wrong with a block that a server has refused."""
    from promfill.blocks.check import check_block

    try:
        check_block(block.path, decode=True)
    except (FormatError, InputError) as error:
        fix = "make the block again; it then gets another ULID"
        raise BlockRefusedError(f"{refusal.marked}; promfill finds: {error.marked}", fix) from refusal
