"""One series of 21 days as blocks: a whole push against the original's pipeline (mockseries, jinja2, promtool)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.comparison import Rival
from benchmarks.harness import Case, Result, main
from benchmarks.rivals import rivals


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A comparison of `rivals`, as a case."""

    name: str
    rival: Rival

    def measure(self) -> Result:
        """Take its turns."""
        found = self.rival.measure()
        details = {"turns": float(found.turns)}
        return Result(self.name, found.ratio, "x peer's speed", found.own.samples_per_second, found.extent, details)


def cases(quick: bool) -> Iterator[Case]:
    """The smallest of the comparisons: the others take minutes (`python -m benchmarks.rivals`)."""
    rival = next(one for one in rivals() if one.name == "original_1")
    if rival.missing:
        print(f"pipeline_one_series: {rival.peer} is missing here: {', '.join(rival.missing)}", file=sys.stderr)
    else:
        yield Pipeline("pipeline_one_series", rival)


if __name__ == "__main__":
    main(cases)
