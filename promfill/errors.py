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

Texts name our own settings by `setting`, so that each reader sees the name that they know: ``noise_std`` in Python,
and its option on the command line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Spell = Callable[[str, str | None], str]
"""How a reader writes a setting: from its field (``noise_std``) and its value, None if only the field is meant."""

_MARKED = re.compile("\ue000([\\w.-]+)(?:=([^\ue000\ue001]*))?\ue001")


def setting(field: str, value: str | None = None) -> str:
    """One of our settings in a text: ``f"choose a smaller {setting('noise_std')}"``, ``setting("mode", "blocks")``.

    The name stands between two characters that no text holds otherwise, so that `spelled` finds it again.
    """
    return f"\ue000{field}\ue001" if value is None else f"\ue000{field}={value}\ue001"


def _in_python(field: str, value: str | None) -> str:
    return field if value is None else f"{field}={value}"


def spelled(text: str, spell: Spell = _in_python) -> str:
    """The text with each setting as its reader writes it; by default as Python does: ``noise_std``, ``mode=blocks``."""
    return _MARKED.sub(lambda found: spell(found[1], found[2]), text) if "\ue000" in text else text


def plural(count: int, noun: str, nouns: str = "") -> str:
    """A count with its noun: "1 block", "2,000 blocks", "2 series". nouns: the plural where it is not noun + s."""
    many = nouns or (noun if noun.endswith("series") else f"{noun}s")
    return f"{count:,} {noun if count == 1 else many}"


class PromfillError(Exception):
    """Base of all; ``str(error)`` is one line for the user, without secrets: the problem, then the fix if there is one.

    problem: what is wrong, with the value. fix: what to do about it. note: what had been accepted before; outer code
    adds it without changing the kind of the error. field: the setting that is wrong, "" if it is not a setting. report:
    what had arrived (`promfill.Report`), if a push of `promfill.push` ended early, else None. code: the stable word
    by which the command line's JSON names the kind of the error (docs/json.md).
    """

    exit_code = 1
    code = "failed"
    field = ""
    report: Any = None

    def __init__(self, problem: str, fix: str = "") -> None:
        super().__init__(problem, fix)
        self.note = ""

    @property
    def problem(self) -> str:
        """What is wrong, with the value."""
        return self.parts()[0]

    @property
    def fix(self) -> str:
        """What to do about it; may be empty."""
        return self.parts()[1]

    def parts(self, spell: Spell = _in_python) -> tuple[str, str, str]:
        """Problem, fix and note, with settings as the reader writes them."""
        problem, fix = self.args
        return spelled(problem, spell), spelled(fix, spell), spelled(self.note, spell)

    @property
    def marked(self) -> str:
        """The line with its settings still marked: what another error or finding is made of."""
        problem, fix = self.args
        text = f"{problem}: {fix}" if fix else problem
        return f"{text}. {self.note}" if self.note else text

    def blame(self, who: str) -> None:
        """Put in front who or what failed."""
        problem, fix = self.args
        self.args = (f"{who}: {problem}", fix)

    def __str__(self) -> str:
        return spelled(self.marked)

    def __reduce__(self) -> tuple[Callable[..., PromfillError], tuple[object, ...]]:
        """Let pickle copy an error, whatever its constructor takes: workers send their errors to another process."""
        return _make_again, (type(self), self.args, self.__dict__)


def _make_again(kind: type[PromfillError], args: tuple[str, str], state: Mapping[str, object]) -> PromfillError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class InputError(PromfillError):
    """The user's input cannot be used; nothing was sent or written.

    field: the setting that is wrong, by its name in Python (``noise_std``); "" if it is not one setting.
    """

    exit_code = 2
    code = "input"

    def __init__(self, problem: str, fix: str = "", *, field: str = "") -> None:
        super().__init__(problem, fix)
        self.field = field

    @classmethod
    def about(cls, field: str, words: str, fix: str = "") -> InputError:
        """The setting, and what is wrong with it: ``InputError.about("seed", "-1 is negative")``."""
        return cls(f"{setting(field)} {words}", fix, field=field)


class LossError(InputError):
    """A store would not keep all samples, and that was not accepted beforehand; nothing was sent or written."""

    code = "loss"


class RepeatError(InputError):
    """A store would keep the push beside what it already holds of it; nothing was sent or written."""

    code = "repeat"


class FormatError(PromfillError):
    """Damaged or foreign bytes: `what` is wrong, in which ``section``, at which ``offset`` in bytes of its file."""

    code = "format"

    def __init__(self, what: str, *, section: str = "", offset: int | None = None) -> None:
        where = section if offset is None else f"{section} at byte {offset}"
        super().__init__(f"{where}: {what}" if where else what)
        self.what, self.section, self.offset = what, section, offset


class RunError(PromfillError):
    """A failure while running; the text says what had been accepted and how to go on."""


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
        """The error that an unexpected exception becomes."""
        return cls(f"internal error (please report it): {type(error).__name__}: {error}")


class OutputError(RunError):
    """Writing to disk failed."""

    code = "output"


class ReceiverError(RunError):
    """A receiver refused, or could not be reached."""

    code = "receiver"


class RefusedError(ReceiverError):
    """A receiver refused permanently: the same request would be refused again."""

    exit_code = 3
    code = "refused"


class ScriptError(RunError):
    """A backfill script ended with a failure."""

    code = "script"
