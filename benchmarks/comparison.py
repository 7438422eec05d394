"""Compare: the turns of two sides in pairs, and the medians of what they took."""

from __future__ import annotations

import shutil
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.processes import samples_of
from benchmarks.receivers import DAYS, Turn, has_environment


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the medians of its turns; for memory the maximum."""

    seconds: float
    cpu_seconds: float
    samples_per_second: float
    bytes_per_sample: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The medians of the pairs, and `extent`: from the least of them to the most, as a share of the median.

    ratio: how many times as fast as the peer. control: the peer against itself, if a server is involved. started_ratio:
    without start-up on both sides, if both tell it.
    """

    name: str
    peer: str
    series: int
    peer_series: int
    days: int
    turns: int
    own: Side
    other: Side
    ratio: float
    extent: float
    control: float | None = None
    control_extent: float = 0.0
    started_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Rival:
    """A comparison to make: `needs` are environments of `.peers` and programs; `own` and `other` take a turn.

    controlled: the peer takes two turns each time, and the second against the first is the control.
    """

    name: str
    peer: str
    needs: tuple[str, ...]
    own: Callable[[], Turn]
    other: Callable[[], Turn]
    series: int
    turns: int
    peer_series: int = 0
    controlled: bool = False

    @property
    def missing(self) -> list[str]:
        """The needed programs that are missing on this machine."""
        return [need for need in self.needs if not (has_environment(need) or shutil.which(need))]

    def measure(self) -> Comparison:
        """Turn by turn; the sides take turns to begin."""
        own: list[Turn] = []
        other: list[Turn] = []
        control: list[Turn] = []
        ways = [(own, self.own), (other, self.other)] + ([(control, self.other)] if self.controlled else [])
        for turn in range(self.turns):
            first = turn % len(ways)
            for kept, take in ways[first:] + ways[:first]:
                kept.append(take())
        return compared(self, own, other, control)


def compared(rival: Rival, own: Sequence[Turn], other: Sequence[Turn], control: Sequence[Turn] = ()) -> Comparison:
    """The figures of the turns, which are pairs: rates, if the sides have different numbers of series."""
    peer_series = rival.peer_series or rival.series
    work = rival.series / peer_series
    ratios = [work * b.run.seconds / a.run.seconds for a, b in zip(own, other, strict=True)]
    itself = [b.run.seconds / a.run.seconds for a, b in zip(other, control, strict=bool(control))]
    started = [
        work * b.started_seconds / a.started_seconds
        for a, b in zip(own, other, strict=True)
        if a.started_seconds and b.started_seconds
    ]
    return Comparison(
        rival.name,
        rival.peer,
        rival.series,
        peer_series,
        DAYS,
        len(ratios),
        side_of(own, samples_of(rival.series, DAYS)),
        side_of(other, samples_of(peer_series, DAYS)),
        ratio=statistics.median(ratios),
        extent=extent(ratios),
        control=statistics.median(itself) if itself else None,
        control_extent=extent(itself),
        started_ratio=statistics.median(started) if started else None,
    )


def extent(values: Sequence[float]) -> float:
    """From the least to the most, as a share of the median: a few turns allow nothing finer. 0 for one turn."""
    return (max(values) - min(values)) / statistics.median(values) if len(values) > 1 else 0.0


def side_of(turns: Sequence[Turn], samples: int) -> Side:
    """Medians; for memory the maximum."""
    seconds = statistics.median(turn.run.seconds for turn in turns)
    cpu = statistics.median(turn.run.cpu_seconds for turn in turns)
    return Side(seconds, cpu, samples / seconds, turns[-1].made / samples, max(turn.run.peak_mb for turn in turns))
