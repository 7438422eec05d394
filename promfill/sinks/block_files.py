"""One block on disk: written under a temporary name beside its own, synced, then renamed.

A name that is not a ULID is ignored by every reader, so a block is there whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from promfill import made
from promfill.sinks.claims import temporary_path
from promfill.sinks.directory import sync_directory
from promfill.tsdb.meta import BlockMeta, encode_meta
from promfill.tsdb.segment import SEGMENT_HEADER, SegmentCutter, segment_name
from promfill.tsdb.tombstones import EMPTY_TOMBSTONES


class BlockFiles:
    """The files of a block while it is written: chunks first, then the index, then the rest.

    run: tells this push's temporary names from those of another push of the same blocks.
    """

    def __init__(self, directory: Path, name: str, segment_max: int, run: int) -> None:
        self.path = directory / name
        self.bytes = 0
        self._temporary = temporary_path(self.path, run)
        self._cutter = SegmentCutter(segment_max)
        self._open: list[BinaryIO] = []
        self._chunks: BinaryIO  # the segment under way

    def begin(self) -> None:
        """Make the temporary directory anew: a worker that died may have left one."""
        shutil.rmtree(self._temporary, ignore_errors=True)
        (self._temporary / "chunks").mkdir(parents=True)

    def write_chunks(self, records: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.int64]:
        """Append encoded chunks: `records` uint8 (N,), `lengths` int64. Returns references, shaped as `lengths`."""
        refs, pieces = self._cutter.place(lengths)
        for piece in pieces:
            if piece.opens:
                self._chunks = self._create(f"chunks/{segment_name(piece.segment)}")
                self.bytes += self._chunks.write(SEGMENT_HEADER)
            self._chunks.write(records[piece.start : piece.stop].data)
        self.bytes += records.size
        return refs

    def finish(self, index: Iterable[bytes | memoryview], meta: BlockMeta) -> None:
        """Write the index and the small files; what remains is `publish`."""
        file = self._create("index")
        for piece in index:
            file.write(piece)
        self.bytes += file.tell()
        self._create("tombstones").write(EMPTY_TOMBSTONES)
        self._create("meta.json").write(encode_meta(meta))

    def publish(self) -> None:
        """Sync everything, then give the block its name."""
        for file in self._open:
            file.flush()
            os.fsync(file.fileno())
            file.close()
        self._open = []
        for directory in (self._temporary / "chunks", self._temporary):
            sync_directory(directory)
        made.record(self.path)
        if self.path.exists():  # damaged, or it would not have been written again
            shutil.rmtree(self.path)
        self._temporary.rename(self.path)
        sync_directory(self.path.parent)

    def discard(self) -> None:
        """Leave nothing behind, whatever state the disk is in."""
        for file in self._open:
            with contextlib.suppress(OSError):  # closing writes what is buffered, and a full disk refuses it
                file.close()
        self._open = []
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _create(self, name: str) -> BinaryIO:
        file = (self._temporary / name).open("wb")
        self._open.append(file)
        return file
