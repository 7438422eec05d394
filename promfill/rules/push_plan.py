"""The properties of a push that matter to stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from promfill.model.grid import Grid
from promfill.rules.directory import Span
from promfill.scenario.scenario import Scenario
from promfill.scenario.times import DAY_MS


@dataclass(frozen=True, slots=True)
class PushPlan:
    """A planned push. directory: for its blocks; there: the existing blocks of others in it."""

    scenario: Scenario
    series: int
    mode: str
    block_duration: int = DAY_MS
    directory: Path | None = None
    there: Sequence[Span] = field(default=())

    @property
    def grid(self) -> Grid:
        """Its time points."""
        return self.scenario.grid

    @property
    def samples(self) -> int:
        """The number of samples."""
        return self.series * self.grid.steps
