"""Read text from a file, a gzip file or standard input, in pieces of whole lines that share one buffer."""

from __future__ import annotations

import gzip
import io
import os
import stat
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np

from promfill.codecs.openmetrics.reader import PADDING
from promfill.errors import InputError
from promfill.model.types import U8Array

PIECE = 1 << 19
"""Bytes read at a time: enough that numpy's overhead per call does not matter, and few enough for the CPU caches."""

STANDARD_INPUT = "-"
_GZIP = b"\x1f\x8b"
_NEWLINE = ord("\n")


class TextPieces:
    """An open text.

    size: the size of the file in bytes, None if it is unknown. position: how many of these bytes have been read.
    """

    def __init__(self, raw: BinaryIO, name: str, piece: int = PIECE) -> None:
        self.name = name
        self.position = 0
        status = os.fstat(raw.fileno()) if _has_descriptor(raw) else None
        self.size = status.st_size if status and stat.S_ISREG(status.st_mode) else None
        self._raw = _Counted(raw, self)
        self._piece = piece

    def __iter__(self) -> Iterator[tuple[U8Array, int]]:
        """(buffer, size): the next lines are ``buffer[:size]``; at least PADDING bytes without a meaning follow.

        Each piece ends with a newline; the last piece ends as the text does. A piece is valid until the next one.
        InputError: the text cannot be read, or is not a complete gzip file.
        """
        text = self._open()
        buffer, held = np.zeros(2 * self._piece + PADDING, np.uint8), 0
        while True:
            if buffer.size - PADDING - held < self._piece:  # a line longer than a piece
                buffer = np.concatenate([buffer[: buffer.size - PADDING], np.zeros(buffer.size, np.uint8)])
            got = self._read_into(text, buffer.data[held : held + self._piece])
            size = held + got
            end = _last_line_end(buffer[held:size], held) if got else size
            if end:
                yield buffer, end
            if not got:
                return
            held = size - end
            buffer[:held] = buffer[end:size].copy()

    def _open(self) -> io.RawIOBase | gzip.GzipFile | io.BufferedReader:
        with _reading(self.name):
            head = self._raw.peek(len(_GZIP))
        return gzip.GzipFile(fileobj=self._raw) if head == _GZIP else self._raw

    def _read_into(self, text: io.RawIOBase | gzip.GzipFile | io.BufferedReader, view: memoryview) -> int:
        with _reading(self.name):
            return text.readinto(view) or 0


class _Counted(io.RawIOBase):
    """Counts the bytes that are read, and can look at the first bytes without consuming them."""

    def __init__(self, raw: BinaryIO, owner: TextPieces) -> None:
        self._raw = raw
        self._owner = owner
        self._ahead = b""

    def readable(self) -> bool:
        return True

    def peek(self, size: int) -> bytes:
        """The first bytes; they will be read again."""
        self._ahead = self._raw.read(size)
        return self._ahead

    def readinto(self, view: memoryview) -> int:  # type: ignore[override]
        if self._ahead:
            got = min(len(self._ahead), len(view))
            view[:got], self._ahead = self._ahead[:got], self._ahead[got:]
        else:
            got = self._raw.readinto(view)  # type: ignore[attr-defined]
        self._owner.position += got
        return got


@contextmanager
def open_text(path: str, piece: int = PIECE) -> Iterator[TextPieces]:
    """Open a file, plain or gzip, or standard input if `path` is ``-``. InputError: the file cannot be opened."""
    if path == STANDARD_INPUT:
        yield TextPieces(sys.stdin.buffer, "standard input", piece)
        return
    with _reading(path):
        file = open(path, "rb", buffering=0)  # noqa: SIM115, PTH123  (closed below; the path is a str here)
    with file:
        yield TextPieces(file, path, piece)


@contextmanager
def _reading(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{name} is not a complete gzip file: {error}", field="text") from error
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}", field="text") from error


def _last_line_end(fresh: U8Array, start: int) -> int:
    """The position just after the last newline in `fresh`, which was read at `start`; 0 if it has no newline."""
    for stop in range(fresh.size, 0, -_TAIL):
        tail = np.flatnonzero(fresh[max(0, stop - _TAIL) : stop] == _NEWLINE)
        if tail.size:
            return start + max(0, stop - _TAIL) + int(tail[-1]) + 1
    return 0


_TAIL = 4096


def _has_descriptor(raw: BinaryIO) -> bool:
    try:
        raw.fileno()
    except (OSError, AttributeError):
        return False
    return True
