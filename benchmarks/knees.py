"""Describe the measured figures of a `Growth`: sentences, each chosen by a figure and naming it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.comparison import extent
from benchmarks.growth import WEEK, Growth, steps_of
from benchmarks.processes import samples_of
from promfill.sinks.blocks import TILE_SAMPLES

STEEP = 1.05
BENT = 0.15  # by how much a line may miss a point and still count as the law
FLAT = 0.05  # for memory: smaller changes come from the pages that happen to be resident


def explain(growth: Growth) -> str:
    """The sentences, in a paragraph."""
    sentences = time_sentences(growth) if growth.name == "time" else memory_sentences(growth)
    return " ".join(sentences)


@dataclass(frozen=True, slots=True)
class Line:
    """`fixed` + `each` * size, and how far the measured values lie from it at most, as a share."""

    fixed: float
    each: float
    error: float


def line_through(sizes: Sequence[float], values: Sequence[float]) -> Line:
    """The line nearest to the values, by relative distance, that falls below 0 nowhere."""
    x, y = np.asarray(sizes, float), np.asarray(values, float)
    weights = np.stack([1 / y, x / y], axis=1)
    fixed, each = np.linalg.lstsq(weights, np.ones(y.size), rcond=None)[0]
    if fixed < 0:
        fixed, each = 0.0, float(np.mean(y / x))
    return Line(float(fixed), float(each), float(np.max(np.abs((fixed + each * x) / y - 1))))


def time_sentences(growth: Growth) -> Iterator[str]:
    """The fixed cost and the cost of a sample; then each step that is steeper than it should be."""
    yield from law_sentences(growth, line_through(growth.sizes, growth.values))
    yield from [*steep_steps(growth)] or [f"No step is steeper than {STEEP}."]


def law_sentences(growth: Growth, line: Line) -> Iterator[str]:
    """Whether a straight line explains the times, and from which size on samples are most of the work."""
    samples = samples_of(1, WEEK) if growth.size == "series" else samples_of(1_000, 1)
    law = f"{line.fixed * 1e3:.0f} ms whatever the size and {line.each / samples * 1e9:.0f} ns a sample"
    if line.error > BENT:
        yield f"{law} miss a point by {line.error:.0%}: not a straight line."
        yield f"At one size rounds differ by {unrest(growth):.0%}."
        return
    yield f"{law} give every point within {line.error:.0%}."
    if growth.size == "series" and line.fixed > line.each * growth.sizes[0]:
        yield (
            f"So it grows slower than the fleet at first ({growth.steps[0].exponent:.2f}): "
            f"{line.fixed / WEEK * 1e3:.1f} ms a block are spent however few series share it, and outweigh the samples "
            f"below {line.fixed / line.each:,.0f} series."
        )


def unrest(growth: Growth) -> float:
    """How far apart the rounds of one size are at most: from the least to the most, as a share of the median."""
    return max(extent(taken) for taken in zip(*growth.rounds, strict=True))


def steep_steps(growth: Growth) -> Iterator[str]:
    """A sentence for each step with an exponent above `STEEP`."""
    cpu = steps_of(growth.sizes, growth.cpu_rounds)
    for (small, large), step, busy in zip(itertools.pairwise(growth.sizes), growth.steps, cpu, strict=True):
        if step.exponent <= STEEP:
            continue
        where = f"From {small:,} to {large:,} {growth.size} the exponent is {step.exponent:.2f}"
        rounds = f"{step.least:.2f} to {step.most:.2f} in {len(growth.rounds)} rounds"
        if busy.exponent <= STEEP:
            why = f"in CPU time {busy.exponent:.2f}: the rest is waiting for the disk"
        elif step.least <= 1:
            why = "some rounds show no such step, so it is noise"
        else:
            why = f"in CPU time {busy.exponent:.2f}: a sample costs more work there"
        yield f"{where} ({rounds}); {why}."


def memory_sentences(growth: Growth) -> Iterator[str]:
    """Flat; or, for each step that is not, its cause."""
    if growth.range <= FLAT:
        yield f"Flat, within {growth.range:.1%}: a longer range is more of the same tiles."
        return
    for place, (small, large) in enumerate(itertools.pairwise(growth.sizes)):
        before, after = growth.values[place : place + 2]
        where = f"From {small:,} to {large:,} {growth.size}"
        if after / before - 1 <= FLAT:
            yield f"{where} it is flat ({after - before:+.1f} MB): the scratch arrays of a tile are the most there is."
        else:
            yield f"{where} {after - before:.0f} MB are added: {added(growth, place, after - before)}."


def added(growth: Growth, place: int, rise: float) -> str:
    """What a step consists of: the fleet, measured in a process that holds nothing else; or a tile that grows."""
    if growth.fleet:
        held = growth.fleet[place + 1] - growth.fleet[place]
        if held >= rise / 2:
            return f"the fleet's labels and its part of an index, held alone, take {held:.0f} MB of them"
        small = growth.sizes[place]
        if samples_of(small, WEEK) < TILE_SAMPLES:
            return (
                f"the whole push of {small:,} series has {samples_of(small, WEEK):,} samples, and a tile's scratch "
                f"arrays grow up to {TILE_SAMPLES:,}"
            )
        return f"the fleet, held alone, takes {held:.0f} MB of them, its chunk references and postings the others"
    return "no part of it was measured alone"
