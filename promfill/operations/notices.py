"""What an operation says while it works: to the command line's console, to a program, or to nobody.

    push(scenario, target, notices=SILENT)

Texts are lines for people. What programs act on comes as values: findings, and parts of the result as soon as they are
known, since an operation that fails later has no result to give.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from promfill.operations.reports import SendingStatus
    from promfill.rules.finding import Finding

Status = Callable[[], "SendingStatus | None"]
"""How far the sending is, where there is more to tell than samples."""

Progress = Callable[[int], None]
"""Is told how many samples more are done."""


class Notices(Protocol):
    """Who listens. Every call may come from the operation's own thread or from one of its lanes."""

    def warn(self, text: str) -> None:
        """Something the user would want to know."""

    def note(self, text: str) -> None:
        """Something that may be good to know."""

    def detail(self, text: str) -> None:
        """For those who asked for more."""

    def finding(self, finding: Finding) -> None:
        """What a store will do with a push."""

    def found(self, part: object) -> None:
        """A part of the result (`promfill.operations.reports`), as soon as it is known."""

    def progress(self, samples: int, status: Status = lambda: None) -> AbstractContextManager[Progress]:
        """Work of so many samples begins; status: what may be said beside their number."""
        ...


class Silent:
    """Nobody listens."""

    def warn(self, text: str) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def detail(self, text: str) -> None:
        """Nothing."""

    def finding(self, finding: Finding) -> None:
        """Nothing."""

    def found(self, part: object) -> None:
        """Nothing."""

    def progress(self, samples: int, status: Status = lambda: None) -> AbstractContextManager[Progress]:
        """Nothing."""
        return nullcontext(_ignore)


def _ignore(samples: int) -> None:
    """Nothing."""


SILENT = Silent()
