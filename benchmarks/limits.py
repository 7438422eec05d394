"""floors.toml: limits that a figure must not fall below, or rise above."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FLOORS = Path(__file__).with_name("floors.toml")


@dataclass(frozen=True, slots=True)
class Limit:
    """A case's table."""

    kind: str
    bound: float

    def holds(self, value: float) -> bool:
        """Whether the figure keeps the limit; a NaN does not."""
        return value >= self.bound if self.kind == "floor" else value <= self.bound

    def verdict(self, value: float, unit: str) -> str:
        """How a figure misses the limit."""
        side = "below its floor" if self.kind == "floor" else "above its ceiling"
        return f"{value:.4g} {unit} is {side} of {self.bound:g}"

    def __str__(self) -> str:
        return f"{self.kind} {self.bound:g}"


def read_limits(path: Path = FLOORS) -> dict[str, Limit]:
    """The limits by case. ValueError for a table without exactly one of floor and ceiling, or without `measured`."""
    limits = {}
    for case, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
        kinds = [kind for kind in ("floor", "ceiling") if kind in table]
        if len(kinds) != 1 or set(table) != {*kinds, "measured"}:
            raise ValueError(f"{path.name}: [{case}] needs a floor or a ceiling, and `measured`")
        limits[case] = Limit(kinds[0], float(table[kinds[0]]))
    return limits


def with_measured(text: str, measured: Mapping[str, float]) -> str:
    """The text of floors.toml with these figures beside their limits; cases without a table are left out."""
    for case, value in measured.items():
        table = rf"(^\[{re.escape(case)}\][^\[]*^measured = )\S+"
        text = re.sub(table, rf"\g<1>{value:.4g}", text, flags=re.MULTILINE)
    return text
