"""One block on disk: written under a temporary name beside its own, synced, then renamed.

Every reader ignores a name that is not a ULID, so a block is visible as a whole or not at all.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from promfill.codecs.block.index_format import Piece
from promfill.codecs.block.meta import BlockMeta, encode_meta
from promfill.codecs.block.segment import SEGMENT_HEADER, SegmentCutter, segment_name
from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from promfill.files.claims import temporary_path
from promfill.files.directory import sync_directory
from promfill.model.types import I64Array, U8Array

_BUFFER = 1 << 17
"""Bytes of a file that wait in memory: for smaller files the disk is not touched before the block is complete."""

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


class BlockFiles:
    """The files of a block while it is written: chunks first, then the index, then the rest.

    run: distinguishes this push's temporary names from those of another push of the same blocks.
    """

    def __init__(self, directory: Path, name: str, segment_max: int, run: int) -> None:
        self.path = directory / name
        self.bytes = 0  # of chunks and index, once the block is finished
        self._temporary = temporary_path(self.path, run)
        self._is_made = False
        self._cutter = SegmentCutter(segment_max)
        self._files: list[_File] = []
        self._index: _File | None = None

    @property
    def size(self) -> int:
        """Bytes of all files so far, which promtool calls the block's size."""
        return sum(file.size for file in self._files)

    def write_chunks(self, records: U8Array, lengths: I64Array) -> I64Array:
        """Append encoded chunks: `records` uint8 (N,), `lengths` int64. Returns references, shaped as `lengths`."""
        refs, pieces = self._cutter.place(lengths)
        for piece in pieces:
            if piece.opens:
                self._create(f"chunks/{segment_name(piece.segment)}").write(SEGMENT_HEADER)
            self._files[-1].write(records[piece.start : piece.stop].data)
        return refs

    def write_index(self, piece: Piece) -> None:
        """Append to the index, once all chunks are there."""
        self._index = self._index or self._create("index")
        self._index.write(piece)

    def finish(self, meta: BlockMeta) -> None:
        """Write the small files, and make everything durable under the temporary name."""
        self.bytes = self.size
        self._create("tombstones").write(EMPTY_TOMBSTONES)
        self._create("meta.json").write(encode_meta(meta))
        for file in self._files:
            file.sync()
        for directory in (self._temporary / "chunks", self._temporary):
            sync_directory(directory)

    def rename(self) -> None:
        """Give the block its name."""
        try:
            self._temporary.rename(self.path)
        except OSError:
            if not self.path.exists():
                raise
            shutil.rmtree(self.path)  # damaged, else it would not have been written again
            self._temporary.rename(self.path)

    def discard(self) -> None:
        """Remove all files, whatever state the disk is in."""
        for file in self._files:
            with contextlib.suppress(OSError):
                file.close()
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _create(self, name: str) -> _File:
        file = _File(f"{self._temporary}/{name}", self._make_directories)
        self._files.append(file)
        return file

    def _make_directories(self) -> None:
        if self._is_made:
            return
        try:
            self._temporary.mkdir()
        except FileExistsError:  # left by a worker that died
            shutil.rmtree(self._temporary)
            self._temporary.mkdir()
        (self._temporary / "chunks").mkdir()
        self._is_made = True


class _File:
    """A new file that is opened late: a small file takes one call each to open, write, sync and close."""

    def __init__(self, path: str, make_directories: Callable[[], None]) -> None:
        self.size = 0
        self._path, self._make_directories = path, make_directories
        self._held = bytearray()
        self._descriptor: int | None = None

    def write(self, data: Piece) -> None:
        """Append a copy of the data."""
        self.size += len(data)
        if len(self._held) + len(data) < _BUFFER:
            self._held += data
        else:
            self._flush()
            self._put(data)

    def sync(self) -> None:
        """Make the file durable, and close it."""
        descriptor = self._flush()
        os.fsync(descriptor)
        self.close()

    def close(self) -> None:
        """Close the file; what waits in memory is lost."""
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            os.close(descriptor)

    def _flush(self) -> int:
        descriptor = self._put(self._held)
        self._held = bytearray()
        return descriptor

    def _put(self, data: Piece | bytearray) -> int:
        if self._descriptor is None:
            self._make_directories()
            self._descriptor = os.open(self._path, _FLAGS, 0o666)
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._descriptor, rest) :]
        return self._descriptor


def publish(blocks: Sequence[BlockFiles]) -> None:
    """Give synced blocks their names, and make these durable; all in one directory."""
    if not blocks:
        return
    for block in blocks:
        block.rename()
    sync_directory(blocks[0].path.parent)
