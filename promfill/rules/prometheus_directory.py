"""Whether a directory of blocks is the data directory of a Prometheus, and whose files it holds.

When Prometheus starts, it ignores samples in its write-ahead log that are older than the end of its newest block
(tsdb/db.go, Head.Init). It holds a flock on the file ``lock`` while it runs (tsdb/fileutil), unless it was started with
--storage.tsdb.no-lockfile; then its log shows that it runs. It deletes and compacts only files that its user may.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from promfill.blocks.directory import block_paths
from promfill.files.claims import is_locked
from promfill.rules.prometheus import LOG_MS

_OWN_FILES = ("wal", "lock", "chunks_head", "queries.active")


@dataclass(frozen=True, slots=True)
class Owner:
    """A file and its owner."""

    uid: int
    gid: int
    path: Path


def prometheus_at_work(directory: Path, now: int) -> str | None:
    """In words, why a Prometheus seems to use the directory and to have samples in its log; None if not. `now`: ms."""
    if is_locked(directory / "lock"):
        return f"a Prometheus runs on {directory}"
    written = _last_write(directory / "wal")
    if written is not None and written * 1000 > now - LOG_MS:
        return f"a Prometheus has written to {directory / 'wal'} within the last 3 hours"
    return None


def foreign_owner(directory: Path) -> Owner | None:
    """The owner of the directory, or of a file in it, that is not this user; None if all files are ours."""
    if not hasattr(os, "geteuid") or not directory.is_dir():
        return None
    own = (directory / name for name in _OWN_FILES)
    for path in (*own, *block_paths(directory), directory):
        with contextlib.suppress(OSError):
            status = path.stat()
            if status.st_uid != os.geteuid():
                return Owner(status.st_uid, status.st_gid, path)
    return None


def _last_write(log: Path) -> float | None:
    """Unix seconds of the newest write to a segment of the log; None if it has no segment."""
    times = []
    for path in log.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size:
                times.append(path.stat().st_mtime)
    return max(times, default=None)
