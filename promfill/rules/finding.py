"""What a store does to a push, as it is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a store does to a push. `samples`: how many it concerns, None where that cannot be said.

    loses: samples will not be there afterwards. spoils: what is there already would be doubled, or mixed with others.
    """

    kind: str
    loses: bool
    samples: int | None
    text: str
    fix: str = ""
    spoils: bool = False
