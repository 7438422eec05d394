"""Output directories: checked before the first byte is written, and made if they are missing."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from promfill.errors import InputError, OutputError


def check_writable(directory: Path) -> None:
    """InputError unless the directory, or its nearest existing parent, is writable. Makes nothing."""
    try:
        there = next(path for path in (directory, *directory.absolute().parents) if _is_there(path))
    except (OSError, ValueError) as error:  # a name that is too long, or holds a NUL
        reason = error.strerror if isinstance(error, OSError) else error
        raise _wrong(f"the output directory {directory} cannot be made: {reason}") from None
    if not there.is_dir():
        if there in (directory, directory.absolute()):
            raise _wrong(f"{directory} is a file, not a directory")
        raise _wrong(f"the output directory {directory} cannot be made: {there} is a file, not a directory")
    if not os.access(there, os.W_OK | os.X_OK):
        fix = f"chown {there}, or choose another one"
        raise _wrong(f"the output directory {directory} cannot be written by this user", fix)


def _wrong(problem: str, fix: str = "choose another one") -> InputError:
    return InputError(problem, fix, field="output_dir")


def _is_there(path: Path) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def make_directory(directory: Path) -> None:
    """Make the directory and its parents. InputError if that fails."""
    check_writable(directory)
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _wrong(f"the output directory {directory} cannot be made: {error.strerror}") from error


def sync_directory(directory: Path) -> None:
    """Make the names in the directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def disk_errors(what: Path) -> Iterator[None]:
    """Turn OSError into OutputError with the system's message."""
    try:
        yield
    except OSError as error:
        raise OutputError(f"cannot write {what}: {error.strerror or error}") from error
