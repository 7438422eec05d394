"""Counts the series that have a label value longer than a limit, without expanding the label patterns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from promfill.scenario.label_patterns import LabelPattern, NumberRange, Part

Lengths = Counter[int]
"""How many values there are of each length in bytes."""


def value_lengths(pattern: LabelPattern) -> Lengths:
    """The lengths of all values of a label. Cheap: a pattern has few parts, and each part few lengths."""
    lengths = Counter({0: 1})
    for part in pattern.parts:
        grown: Lengths = Counter()
        for length, count in _part_lengths(part).items():
            for before, times in lengths.items():
                grown[before + length] += count * times
        lengths = grown
    return lengths


def series_within(patterns: Iterable[LabelPattern], longest: int) -> int:
    """The number of series whose label values all have at most `longest` bytes."""
    return math.prod(
        sum(count for length, count in value_lengths(pattern).items() if length <= longest) for pattern in patterns
    )


def _part_lengths(part: Part) -> Lengths:
    if isinstance(part, str):
        return Counter({len(part.encode()): 1})
    if isinstance(part, NumberRange):
        return _number_lengths(part)
    return Counter(len(item.encode()) for item in part)


def _number_lengths(numbers: NumberRange) -> Lengths:
    lengths: Lengths = Counter()
    for digits in range(len(str(numbers.first)), len(str(numbers.last)) + 1):
        lowest = 0 if digits == 1 else 10 ** (digits - 1)
        count = min(numbers.last, 10**digits - 1) - max(numbers.first, lowest) + 1
        lengths[max(digits, numbers.width)] += count
    return lengths
