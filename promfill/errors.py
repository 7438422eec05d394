"""Every error that promfill raises on purpose, in one tree.

    PromfillError                  the base; its text is one line a user can act on
    ├── InputError                 options, environment, files: seen before the first byte   (exit 2)
    │   ├── LossError              what a store would not keep, foreseen before anything is sent
    │   └── RepeatError            what a store holds already, and would keep beside the push
    ├── FormatError                bytes that are not what their format says                 (exit 1)
    └── RunError                   what happened while running                               (exit 1)
        ├── DiffersError           what is there is not what was pushed
        ├── DamagedError           blocks that are not as their format says
        ├── InternalError          a bug in promfill
        ├── OutputError            the disk: full, read-only, gone
        ├── ReceiverError          a server's answer, or none: may succeed if repeated
        │   ├── NoAnswerError      none came (`promfill.net.http`)
        │   └── RefusedError       an answer that repetition cannot change                   (exit 3)
        └── ScriptError            a backfill script that failed

Anything else that comes out of promfill is a bug in promfill.
"""

from __future__ import annotations

from collections.abc import Callable


class PromfillError(Exception):
    """Base of all; ``str(error)`` is one line for the user, without secrets: the problem, then the fix if there is one.

    problem: what is wrong, with the value. fix: what to do about it. note: what had arrived before, where somebody
    further out knows it; it keeps the kind of the error. code: the stable word by which ``--json`` names
    its kind (docs/json.md).
    """

    exit_code = 1
    code = "failed"

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.problem, self.fix, self.note = problem, fix, ""

    def __str__(self) -> str:
        text = f"{self.problem}: {self.fix}" if self.fix else self.problem
        return f"{text}. {self.note}" if self.note else text


class InputError(PromfillError):
    """What the user gave cannot be used; nothing was sent or written."""

    exit_code = 2
    code = "input"


class LossError(InputError):
    """A store would not keep all samples, and nobody has accepted that; nothing was sent or written."""

    code = "loss"


class RepeatError(InputError):
    """A store would keep the push beside what it holds of it; nothing was sent or written."""

    code = "repeat"


class FormatError(PromfillError):
    """Damaged or foreign bytes: `what` is wrong, in which ``section``, at which ``offset`` in bytes of its file."""

    code = "format"

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


class DiffersError(RunError):
    """A store does not hold a push as it was made."""

    code = "differs"


class DamagedError(RunError):
    """Blocks are damaged."""

    code = "format"


class InternalError(RunError):
    """A bug in promfill."""

    code = "internal"

    @classmethod
    def of(cls, error: BaseException) -> InternalError:
        """What an exception that nobody foresaw becomes."""
        return cls(f"internal error (please report it): {type(error).__name__}: {error}")


class OutputError(RunError):
    """Writing to disk failed."""

    code = "output"


class ReceiverError(RunError):
    """A receiver refused, or could not be reached."""

    code = "receiver"


class RefusedError(ReceiverError):
    """A receiver refused for good: the same request would be refused again."""

    exit_code = 3
    code = "refused"


class ScriptError(RunError):
    """A backfill script ended with a failure."""

    code = "script"
