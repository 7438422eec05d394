from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from promfill.model.batch import STALE_NAN_BITS
from promfill.model.grid import Grid
from promfill.operations.comparison import Comparison, PushedSamples, compare
from tests.support import comparison_reference as reference
from tests.support.ragged_reference import batch_of

STEPS, STEP, START = 5, 10, 1_000
GRID = Grid(START, STEP, STEPS)
TIMES = [GRID.time(step) for step in range(STEPS)]
VALUES = (0.0, -0.0, 1.0, 1.0 + 2e-12, 1.0 + 1e-12, 1.0 + 4e-12, 1e-9, 3e6, float("inf"), float("nan"))
BITS = st.sampled_from([reference.as_bits(value) for value in VALUES])
PUSHED = st.sampled_from([*(reference.as_bits(value) for value in VALUES), STALE_NAN_BITS])
TRUE = -1
SAMPLE = st.tuples(st.integers(START, START + STEP * (STEPS - 1)).map(lambda time: time // 5 * 5), BITS)


@st.composite
def stores(draw: st.DrawFn) -> tuple[list[list[int]], list[list[tuple[int, int]]]]:
    """A push, and a store that holds it with a few changes."""
    expected = draw(st.lists(st.lists(PUSHED, min_size=STEPS, max_size=STEPS), min_size=1, max_size=4))
    held = []
    for row in expected:
        samples = list(zip(TIMES, row, strict=True))
        for place in draw(st.sets(st.integers(0, STEPS - 1), max_size=2)):
            samples[place] = (samples[place][0], draw(BITS))
        samples += draw(st.lists(SAMPLE, max_size=2))
        gone = draw(st.sets(st.integers(0, len(samples) - 1), max_size=3))
        kept = [sample for place, sample in enumerate(samples) if place not in gone]
        held.append(sorted(kept, key=lambda sample: sample[0]) if draw(st.booleans()) else kept)
    return expected, held


@given(stores(), st.booleans())
def test_arrays_count_what_dictionaries_count(
    store: tuple[list[list[int]], list[list[tuple[int, int]]]], by_bits: bool
) -> None:
    expected, held = store
    tally = Comparison(STEP)
    found = batch_of(enumerate(held))
    compare(PushedSamples(GRID, np.array(expected, np.uint64)), found, tally, by_bits=by_bits)
    wanted = reference.count(TIMES, expected, held, by_bits=by_bits)
    assert (tally.found, tally.rounded) == (wanted.found, wanted.rounded)
    for name in ("missing", "unexpected", "different", "doubled"):
        times = getattr(wanted, name)
        fault = getattr(tally, name)
        assert fault.samples == len(times), name
        covered = fault.ranges.first(1000)
        assert all(any(first <= time <= last for first, last in covered) for time in times), name
        assert {edge for pair in covered for edge in pair} <= set(times), name
