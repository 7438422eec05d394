"""Whether a directory of blocks is the data directory of a Prometheus, and what a push into it would do there.

A Prometheus that starts takes nothing from its write-ahead log that is older than the end of its newest block
(tsdb/db.go, Head.Init). It holds a flock on the file ``lock`` while it runs (tsdb/fileutil), unless it was started with
--storage.tsdb.no-lockfile; then its log tells. It deletes and compacts only what its own user may.
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
    """Whose a file is, and the file."""

    uid: int
    gid: int
    path: Path


def prometheus_at_work(directory: Path, now: int) -> str | None:
    """How it shows that a Prometheus uses the directory and has samples in its log; None where none does. `now`: ms."""
    if is_locked(directory / "lock"):
        return f"a Prometheus runs on {directory}"
    written = _last_write(directory / "wal")
    if written is not None and written * 1000 > now - LOG_MS:
        return f"a Prometheus has written to {directory / 'wal'} within the last 3 hours"
    return None


def foreign_owner(directory: Path) -> Owner | None:
    """The owner, not this user, of a file in the directory or of the directory; None where all is ours."""
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
    """Unix seconds of the newest write to a segment of the log; None where it has none."""
    times = []
    for path in log.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if path.is_file() and path.stat().st_size:
                times.append(path.stat().st_mtime)
    return max(times, default=None)
