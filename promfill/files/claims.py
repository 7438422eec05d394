"""Temporary names and locks of files that are being written, and the removal of what killed pushes left.

Every file is written under a temporary name, ``NAME.<pid>.promfill``, and renamed when it is complete and synced.
Pushes that write into a directory share a lock on the directory itself, which adds no file to it. A run locks its
checkpoint exclusively, through ``CHECKPOINT.lock``: two runs at once would both send the same samples.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path

from promfill.errors import InputError
from promfill.files.directory import make_directory

try:
    import fcntl
except ImportError:  # Windows: leftovers stay until they are removed by hand
    fcntl = None  # type: ignore[assignment]

TEMPORARY = ".promfill"
"""The suffix. Not one of Prometheus's own, because Prometheus removes those when it starts."""

_LEFTOVER = re.compile(r".+\.\d+" + re.escape(TEMPORARY))


def temporary_path(path: Path, run: int) -> Path:
    """The temporary name of `path`; run: keeps the names of two pushes of the same files apart."""
    return path.with_name(f"{path.name}.{run}{TEMPORARY}")


def claim_directory(directory: Path) -> int | None:
    """Make the directory, and share its lock with other writers until the descriptor is closed or the process ends.

    If no other push writes there, what killed pushes left is removed. InputError if the directory cannot be made.
    """
    make_directory(directory)
    if fcntl is None:
        return None
    descriptor = os.open(directory, os.O_RDONLY)
    with contextlib.suppress(OSError):  # a file system without locks, or other writers: then leftovers stay
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _remove_leftovers(directory)
    with contextlib.suppress(OSError):  # go from the exclusive lock to the shared one
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def claim_file(path: Path) -> int | None:
    """Lock a file, which need not exist, as its only writer, until `release_file` or the process ends.

    None if there are no locks here. InputError: another run holds it. OSError: its directory is not writable.
    """
    if fcntl is None:
        return None
    lock = _lock_of(path)
    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise still_running(path) from None
        except OSError:  # a file system without locks
            release_file(path, descriptor)
            return None
        if _stands_there(descriptor, lock):
            return descriptor
        os.close(descriptor)  # the previous owner has removed it meanwhile


def release_file(path: Path, descriptor: int) -> None:
    """Release the lock that `claim_file` returned."""
    _lock_of(path).unlink(missing_ok=True)
    os.close(descriptor)


def refuse_claimed(path: Path) -> None:
    """InputError if another run holds this file."""
    if is_locked(_lock_of(path)):
        raise still_running(path)


def still_running(path: Path) -> InputError:
    """The error for a file whose run has not ended."""
    return InputError(
        f"{path} belongs to a run of this command that is still running", "wait until it ends, or stop it"
    )


def is_locked(path: Path) -> bool:
    """Whether another process holds a flock on the file; False also if the file is missing or cannot be tested."""
    if fcntl is None or not path.is_file():
        return False
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _lock_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.lock")


def _stands_there(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _remove_leftovers(directory: Path) -> None:
    for path in directory.iterdir():
        if not _LEFTOVER.fullmatch(path.name):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
