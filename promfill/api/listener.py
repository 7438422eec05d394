"""Collect the messages of an operation for a Python program. Nothing is printed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from promfill.api.names import spell
from promfill.api.reports import Progress
from promfill.errors import InputError, spelled

if TYPE_CHECKING:
    from promfill.operations.notices import Status
    from promfill.rules.finding import Finding

T = TypeVar("T")

OnProgress = Callable[[Progress], object]
"""A function that is called now and then with the progress of a push or verification."""

log = logging.getLogger("promfill")
log.addHandler(logging.NullHandler())  # else Python prints our warnings if the program has not set up logging


class Listener:
    """Collects messages and parts of the result, logs messages to ``promfill``, and reports progress to a function."""

    def __init__(self, on_progress: OnProgress | None) -> None:
        if on_progress is not None and not callable(on_progress):
            raise InputError(f"progress {on_progress!r} must be a function, such as print", field="progress")
        self._on_progress = on_progress
        self._parts: list[object] = []
        self._lines: list[str] = []
        self._lock = threading.Lock()

    @property
    def lines(self) -> tuple[str, ...]:
        """Warnings and notes, one line each, in order."""
        return tuple(self._lines)

    def last(self, kind: type[T]) -> T | None:
        """The most recent part of this type, or None."""
        return next((part for part in reversed(self._parts) if isinstance(part, kind)), None)

    def warn(self, text: str) -> None:
        """Log and keep a warning: something that the user should know."""
        self._tell(logging.WARNING, text)

    def note(self, text: str) -> None:
        """Log and keep a note: something that may be useful to know."""
        self._tell(logging.INFO, text)

    def detail(self, text: str) -> None:
        """Log a detail, at level DEBUG."""
        log.debug("%s", spelled(text, spell))

    def finding(self, finding: Finding) -> None:
        """Log a finding. It is not kept here, because the report holds all findings."""
        log.info("%s", "; ".join(filter(None, (spelled(finding.text, spell), spelled(finding.fix, spell)))))

    def found(self, part: object) -> None:
        """Keep a part of the result, for `last`."""
        self._parts.append(part)

    @contextmanager
    def progress(self, samples: int, status: Status = lambda: None) -> Iterator[Callable[[int], None]]:
        """Report the progress of work on this number of samples."""
        started, done = time.monotonic(), 0

        def on_progress(more: int) -> None:
            nonlocal done
            with self._lock:
                done += more
                if self._on_progress:
                    self._on_progress(Progress(done, samples, time.monotonic() - started))

        yield on_progress

    def _tell(self, level: int, text: str) -> None:
        line = spelled(text, spell)
        self._lines.append(line)
        log.log(level, "%s", line)
