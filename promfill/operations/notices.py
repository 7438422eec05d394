"""Messages that an operation sends while it runs: to the console, to a calling program, or nowhere.

    push(scenario, target, notices=SILENT)

Texts are lines for people. Programs get values: findings, and parts of the result as soon as they are known, because
an operation that fails later has no result to return.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from promfill.operations.reports import SendingStatus
    from promfill.rules.finding import Finding

Status = Callable[[], "SendingStatus | None"]
"""Returns details about the progress of sending; None if there is only the number of samples."""

Progress = Callable[[int], None]
"""Called with the number of samples done since the last call."""


class Notices(Protocol):
    """Listens to an operation. The calls may come from the operation's own thread or from one of its lanes."""

    def warn(self, text: str) -> None:
        """A warning for the user."""

    def note(self, text: str) -> None:
        """A note for the user."""

    def detail(self, text: str) -> None:
        """A detail, shown only with more verbosity."""

    def finding(self, finding: Finding) -> None:
        """A predicted effect of a store on a push."""

    def found(self, part: object) -> None:
        """A part of the result (`promfill.operations.reports`), sent as soon as it is known."""

    def progress(self, samples: int, status: Status = lambda: None) -> AbstractContextManager[Progress]:
        """Begin work on this many samples. status: returns further details to show."""
        ...


class Silent:
    """A listener that ignores everything."""

    def warn(self, text: str) -> None:
        """Do nothing."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def detail(self, text: str) -> None:
        """Do nothing."""

    def finding(self, finding: Finding) -> None:
        """Do nothing."""

    def found(self, part: object) -> None:
        """Do nothing."""

    def progress(self, samples: int, status: Status = lambda: None) -> AbstractContextManager[Progress]:
        """Do nothing."""
        return nullcontext(_ignore)


def _ignore(samples: int) -> None:
    """Do nothing."""


SILENT = Silent()
