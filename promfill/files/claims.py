"""Names of what is being written, and who may remove what a killed push left of it.

Everything grows under a temporary name beside its own, ``NAME.<pid>.promfill``, and gets its name when it is whole and
synced. Pushes that write into a directory share a lock on the directory itself, so that nothing is left in it. A run
holds its checkpoint alone, by a lock on ``CHECKPOINT.lock``: of two at once each would send what the other sends.
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


def claim_file(path: Path) -> int | None:
    """Hold a file, which need not exist, as its only writer, until `release_file` or the process ends.

    None where there are no locks. InputError: somebody else holds it. OSError: its directory cannot be written to.
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
        os.close(descriptor)  # who held it has removed it meanwhile


def release_file(path: Path, descriptor: int) -> None:
    """Let go of what `claim_file` gave."""
    _lock_of(path).unlink(missing_ok=True)
    os.close(descriptor)


def refuse_claimed(path: Path) -> None:
    """InputError where another run holds this file."""
    if is_locked(_lock_of(path)):
        raise still_running(path)


def still_running(path: Path) -> InputError:
    """What is to be said where a run is still at work."""
    return InputError(f"{path} is of a run of this command that is still at work", "wait until it has ended, or end it")


def is_locked(path: Path) -> bool:
    """Whether another process holds a flock on the file; False where there is none or nobody can tell."""
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
