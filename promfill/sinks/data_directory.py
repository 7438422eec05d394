"""A directory of blocks: what is there, and who writes into it."""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path

from promfill.errors import FormatError
from promfill.sinks.block_files import TEMPORARY
from promfill.sinks.directory import make_directory
from promfill.tsdb.meta import BlockMeta, decode_meta
from promfill.tsdb.ulid import is_ulid

try:
    import fcntl
except ImportError:  # Windows: leftovers stay until they are removed by hand
    fcntl = None  # type: ignore[assignment]


def read_metas(directory: Path) -> dict[str, BlockMeta]:
    """The blocks of a directory by name, in order; those whose meta.json cannot be read are left out."""
    metas = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        if is_ulid(path.name):
            with contextlib.suppress(OSError, FormatError):
                metas[path.name] = decode_meta((path / "meta.json").read_bytes())
    return metas


def claim_directory(directory: Path) -> int | None:
    """Make the directory, and hold it as one of its writers until the descriptor is closed or the process ends.

    The lock lies on the directory itself, so that nothing is left in it. Whoever is alone there removes what a killed
    push left.
    """
    make_directory(directory)
    if fcntl is None:
        return None
    descriptor = os.open(directory, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks, or other writers: then leftovers stay
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for path in directory.glob(f"*{TEMPORARY}"):
            shutil.rmtree(path, ignore_errors=True)
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    return descriptor
