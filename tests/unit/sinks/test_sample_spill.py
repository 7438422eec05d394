from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from promfill.codecs.openmetrics_reader import Samples
from promfill.sample_keys import KeyLayout
from promfill.sinks.sample_spill import SampleSpill

SERIES = 50
START = 1_700_000_000_000


def samples(draw: np.random.Generator, count: int, repeats: bool) -> Samples:
    span = 20 if repeats else 30 * 86_400_000
    times = START + draw.integers(0, span, count)
    return Samples(draw.integers(0, SERIES, count), times, draw.standard_normal(count))


@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("capacity", [1, 3, 20, 199, 200, 1_000])
def test_all_samples_come_back_in_order_in_bounded_partitions(capacity: int, repeats: bool, tmp_path: Path) -> None:
    draw = np.random.default_rng(capacity)
    spill = SampleSpill(tmp_path, capacity)
    parts = [samples(draw, int(size), repeats) for size in draw.integers(0, 40, 10)]
    for part in parts:
        spill.add(part)
    series, times, values = (
        np.concatenate([getattr(part, name) for part in parts]) for name in ("series", "times", "values")
    )
    assert (spill.samples, spill.first_time, spill.last_time) == (times.size, times.min(), times.max())
    layout = KeyLayout.covering(7_200_000, spill.first_time, spill.last_time, SERIES)
    ranks = draw.permutation(SERIES)
    found = list(spill.sort(layout, ranks))
    assert len(list(tmp_path.iterdir())) == (capacity < times.size)
    keys = layout.pack(ranks[series], times)
    np.testing.assert_array_equal(np.concatenate([part[0] for part in found]), np.sort(keys))
    order = np.lexsort((values, keys))
    got = np.concatenate([part[1] for part in found])
    np.testing.assert_array_equal(got[np.lexsort((got, np.sort(keys)))], values[order])
    bounds = [(part[0][0], part[0][-1]) for part in found]
    assert all(one[1] < other[0] for one, other in pairwise(bounds))
    if not repeats:
        runs = -(-times.size // capacity)
        assert max(part[0].size for part in found) <= max(capacity, 2 * runs)
    spill.close()
    assert not list(tmp_path.iterdir())


def test_few_samples_touch_no_disk(tmp_path: Path) -> None:
    spill = SampleSpill(tmp_path / "not made", 1_000)
    spill.add(samples(np.random.default_rng(1), 1_000, repeats=False))
    layout = KeyLayout.covering(7_200_000, spill.first_time, spill.last_time, SERIES)
    assert [part[0].size for part in spill.sort(layout, np.arange(SERIES))] == [1_000]
    assert not (tmp_path / "not made").exists()
