"""Somebody who listens to an operation, and writes down what it tells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from promfill.operations.notices import Progress, Status
from promfill.rules.finding import Finding


class Heard:
    """What was told, in order. parts: of the result; done: samples that were told as done."""

    def __init__(self, on_part: Callable[[object], None] = lambda part: None) -> None:
        self.warnings: list[str] = []
        self.notes: list[str] = []
        self.details: list[str] = []
        self.findings: list[Finding] = []
        self.parts: list[object] = []
        self.done = 0
        self._on_part = on_part

    def warn(self, text: str) -> None:
        self.warnings.append(text)

    def note(self, text: str) -> None:
        self.notes.append(text)

    def detail(self, text: str) -> None:
        self.details.append(text)

    def finding(self, finding: Finding) -> None:
        self.findings.append(finding)

    def found(self, part: object) -> None:
        self.parts.append(part)
        self._on_part(part)

    @contextmanager
    def progress(self, samples: int, status: Status = lambda: None) -> Iterator[Progress]:
        def more(done: int) -> None:
            self.done += done

        status()
        yield more

    @property
    def kinds(self) -> list[str]:
        """The names of the parts' classes."""
        return [type(part).__name__ for part in self.parts]
