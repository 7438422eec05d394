"""Every error that promfill raises on purpose, in one tree.

    PromfillError                  the base; its text is one line a user can act on
    ├── InputError                 options, environment, files: seen before the first byte   (exit 2)
    ├── FormatError                bytes that are not what their format says                 (exit 1)
    └── RunError                   what happened while running                               (exit 1)
        ├── OutputError            the disk: full, read-only, gone
        ├── ReceiverError          a server's answer, or none: may succeed if repeated
        │   ├── NoAnswerError      none came (`promfill.http`)
        │   └── RefusedError       an answer that repetition cannot change                   (exit 3)
        └── ScriptError            a backfill script that failed

Anything else that comes out of promfill is a bug in promfill.
"""

from __future__ import annotations

from collections.abc import Callable


class PromfillError(Exception):
    """Base of all; ``str(error)`` is one line for the user, without secrets: the problem, then the fix if there is one.

    problem: what is wrong, with the value. fix: what to do about it.
    """

    exit_code = 1

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.problem, self.fix = problem, fix

    def __str__(self) -> str:
        return f"{self.problem}: {self.fix}" if self.fix else self.problem


class InputError(PromfillError):
    """What the user gave cannot be used; nothing was sent or written."""

    exit_code = 2


class FormatError(PromfillError):
    """Damaged or foreign bytes: `what` is wrong, in which ``section``, at which ``offset`` in bytes of its file."""

    def __init__(self, what: str, *, section: str = "", offset: int | None = None) -> None:
        where = section if offset is None else f"{section} at byte {offset}"
        super().__init__(f"{where}: {what}" if where else what)
        self.what, self.section, self.offset = what, section, offset

    def __reduce__(self) -> tuple[Callable[..., FormatError], tuple[str, str, int | None]]:
        """Workers hand their errors over."""
        return _format_error, (self.what, self.section, self.offset)


def _format_error(what: str, section: str, offset: int | None) -> FormatError:
    return FormatError(what, section=section, offset=offset)


class RunError(PromfillError):
    """A failure while running; the text says what had arrived and how to go on."""


class OutputError(RunError):
    """Writing to disk failed."""


class ReceiverError(RunError):
    """A receiver refused, or could not be reached."""


class RefusedError(ReceiverError):
    """A receiver refused for good: the same request would be refused again."""

    exit_code = 3


class ScriptError(RunError):
    """A backfill script ended with a failure."""
