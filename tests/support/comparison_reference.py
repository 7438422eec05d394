"""The comparison of verify with dictionaries, a sample at a time: the judge of the one by arrays."""

from __future__ import annotations

import math
import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

Held = Sequence[Sequence[tuple[int, int]]]
"""(time, bits) of the samples that a store holds of each series, in any order."""


@dataclass
class Counts:
    """What `promfill.operations.comparison.Comparison` counts, and the times of each fault."""

    found: int = 0
    rounded: int = 0
    missing: list[int] = field(default_factory=list)
    unexpected: list[int] = field(default_factory=list)
    different: list[int] = field(default_factory=list)
    doubled: list[int] = field(default_factory=list)


def count(times: Sequence[int], expected: Sequence[Sequence[int]], held: Held, *, by_bits: bool) -> Counts:
    """Series by series, cell by cell; expected: the bits at each time of each series."""
    counts = Counts()
    for bits, samples in zip(expected, held, strict=True):
        wanted = dict(zip(times, bits, strict=True))
        largest = max([abs(as_float(value)) for value in bits if math.isfinite(as_float(value))], default=0.0)
        cells: dict[int, list[int]] = defaultdict(list)
        for time, value in samples:
            if time in wanted:
                cells[time].append(value)
            else:
                counts.unexpected.append(time)
        for time, want in wanted.items():
            _count_cell(counts, time, want, cells[time], 0.0 if by_bits else largest, by_bits)
    return counts


def _count_cell(counts: Counts, time: int, want: int, held: list[int], largest: float, by_bits: bool) -> None:
    counts.doubled += [time] * (len(held) - 1)
    if not held:
        counts.missing.append(time)
    elif want in held:
        counts.found += 1
    elif not by_bits and any(is_near(as_float(want), as_float(value), largest) for value in held):
        counts.found += 1
        counts.rounded += 1
    else:
        counts.different.append(time)


def is_near(want: float, held: float, largest: float) -> bool:
    """VictoriaMetrics's rounding: 2e-12 of the value, or 1e-15 of the series' largest finite one."""
    return math.isfinite(want) and abs(held - want) <= max(2e-12 * abs(want), 1e-15 * largest)


def as_float(bits: int) -> float:
    """The float64 of these bits."""
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def as_bits(value: float) -> int:
    """The bits of this float64."""
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])
