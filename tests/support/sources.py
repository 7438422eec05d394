"""Sources for tests, from the words of the command line."""

from __future__ import annotations

from typing import Any

from promfill.model.grid import Grid
from promfill.scenario.label_patterns import parse_labels
from promfill.scenario.scenario import Scenario, Signal
from promfill.sources.generated import Source

START, STEP = 1_700_006_400_000, 300_000


def source_of(
    labels: str, steps: int, *, metric: str = "m", start: int = START, step: int = STEP, **more: Any
) -> Source:
    """A source of one metric; `more` are fields of Scenario, and of Signal under `signal`."""
    signal = Signal(**more.pop("signal", {}))
    patterns = tuple(parse_labels([labels] if labels else [])[0])
    return Source(Scenario(metric, patterns, Grid(start, step, steps), signal, **more))
