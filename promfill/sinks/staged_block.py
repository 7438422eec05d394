"""A block that waits, synced, under its temporary name: so that all blocks of a text appear, or none."""

from __future__ import annotations

import os
import shutil

from promfill import made
from promfill.sinks.block_files import BlockFiles
from promfill.sinks.directory import sync_directory


class StagedBlock(BlockFiles):
    """Block files that are synced and closed first, and get their name later."""

    def sync(self) -> int:
        """Make all files durable, and close them; their bytes, which promtool calls the block's size."""
        size = 0
        for file in self._open:
            file.flush()
            os.fsync(file.fileno())
            size += file.tell()
            file.close()
        self._open = []
        for directory in (self._temporary / "chunks", self._temporary):
            sync_directory(directory)
        return size

    def publish(self) -> None:
        """Give the block its name; whoever publishes the last one syncs the directory."""
        made.record(self.path)
        if self.path.exists():  # what it holds is the same, unless it is damaged
            shutil.rmtree(self.path)
        self._temporary.rename(self.path)
