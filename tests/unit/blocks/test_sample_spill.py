from __future__ import annotations

from io import FileIO
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from promfill.blocks import sample_spill
from promfill.blocks.sample_keys import KeyLayout
from promfill.blocks.sample_spill import SampleSpill
from promfill.codecs.openmetrics.reader import Samples

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


@pytest.mark.parametrize("runs", [2, 50])
def test_what_is_read_again_grows_with_the_samples_and_not_with_the_runs(
    runs: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each sample as it came, then its key for the bounds, then key and value."""
    sizes: list[int] = []
    read = sample_spill._read

    def counted(file: FileIO, array: np.ndarray) -> None:
        sizes.append(array.nbytes)
        read(file, array)

    monkeypatch.setattr(sample_spill, "_read", counted)
    spill = SampleSpill(tmp_path, 100)
    spill.add(samples(np.random.default_rng(runs), 100 * runs, repeats=False))
    layout = KeyLayout.covering(7_200_000, spill.first_time, spill.last_time, SERIES)
    assert sum(part[0].size for part in spill.sort(layout, np.arange(SERIES))) == 100 * runs
    assert sum(sizes) == 100 * runs * (20 + 8 + 16)
    spill.close()


def test_a_file_that_is_gone_already_is_no_trouble(tmp_path: Path) -> None:
    spill = SampleSpill(tmp_path, 10)
    spill.add(samples(np.random.default_rng(1), 30, repeats=False))
    spill.path.unlink()
    spill.close()
    spill.close()
