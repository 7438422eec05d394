"""Every error that promfill raises on purpose, in one tree.

    PromfillError                  the base; its text is one line a user can act on
    ├── InputError                 options, environment, files: seen before the first byte   (exit 2)
    ├── FormatError                bytes that are not what their format says                 (exit 1)
    └── RunError                   what happened while running                               (exit 1)
        ├── OutputError            the disk: full, read-only, gone
        ├── ReceiverError          a server's answer, or none
        └── ScriptError            a backfill script that failed

Anything else that comes out of promfill is a bug in promfill.
"""

from __future__ import annotations


class PromfillError(Exception):
    """Base of all; ``str(error)`` is one line for the user, without secrets."""

    exit_code = 1


class InputError(PromfillError):
    """What the user gave cannot be used; nothing was sent or written."""

    exit_code = 2


class FormatError(PromfillError):
    """Damaged or foreign bytes. ``section`` names the part, ``offset`` is in bytes from its start."""

    def __init__(self, message: str, *, section: str = "", offset: int | None = None) -> None:
        where = section if offset is None else f"{section} at byte {offset}"
        super().__init__(f"{where}: {message}" if where else message)
        self.section = section
        self.offset = offset


class RunError(PromfillError):
    """A failure while running; the text says what had arrived and how to go on."""


class OutputError(RunError):
    """Writing to disk failed."""


class ReceiverError(RunError):
    """A receiver refused, or could not be reached."""


class ScriptError(RunError):
    """A backfill script ended with a failure."""
