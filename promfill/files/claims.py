"""Names of what is being written, and who may remove what a killed push left of it.

Everything grows under a temporary name beside its own, ``NAME.<pid>.promfill``, and gets its name when it is whole and
synced. Pushes that write into a directory share a lock on the directory itself, so that nothing is left in it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from promfill.files.directory import make_directory

try:
    import fcntl
except ImportError:  # Windows: leftovers stay until they are removed by hand
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".promfill"
"""The ending. Not one of Prometheus's own: it would remove those when it starts."""

_LEFTOVER = re.compile(r".+\.\d+" + re.escape(TEMPORARY))


def temporary_path(path: Path, run: int) -> Path:
    """Where `path` grows; run: tells one push's names from those of another push of the same things."""
    return path.with_name(f"{path.name}.{run}{TEMPORARY}")


def claim_directory(directory: Path) -> int | None:
    """Make the directory, and hold it as one of its writers until the descriptor is closed or the process ends.

    Whoever is alone there removes what killed pushes left. InputError where the directory cannot be.
    """
    make_directory(directory)
    if fcntl is None:
        return None
    descriptor = os.open(directory, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks, or other writers: then leftovers stay
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_leftovers(directory)
    with contextlib.suppress(OSError):  # whoever is alone there is so for a moment only
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def _remove_leftovers(directory: Path) -> None:
    for path in directory.iterdir():
        if not _LEFTOVER.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
