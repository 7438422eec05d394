from __future__ import annotations

import numpy as np
import pytest

from promfill.blocks.sample_keys import KeyLayout
from promfill.errors import InputError

LAST_MS = 253_402_300_799_999


@pytest.mark.parametrize("duration", [7_200_000, 86_400_000, 39_366 * 3_600_000])
def test_keys_sort_by_window_then_series_then_time_and_can_be_read_back(duration: int) -> None:
    draw = np.random.default_rng(1)
    first, last, series = 1_500_000_000_000, 1_700_000_000_000, 1000
    layout = KeyLayout.covering(duration, first, last, series)
    times, ranks = draw.integers(first, last + 1, 20_000), draw.integers(0, series, 20_000)
    keys = layout.pack(ranks, times)
    cells = layout.cells(keys)
    np.testing.assert_array_equal(layout.windows(cells), times // duration)
    np.testing.assert_array_equal(layout.ranks(cells), ranks)
    np.testing.assert_array_equal(layout.times(keys, cells), times)
    np.testing.assert_array_equal(np.argsort(keys), np.lexsort((times, ranks, times // duration)))


def test_the_whole_of_time_for_a_few_series() -> None:
    layout = KeyLayout.covering(7_200_000, 0, LAST_MS, 60_000)
    ranks, times = np.array([0, 59_999]), np.array([0, LAST_MS])
    keys = layout.pack(ranks, times)
    np.testing.assert_array_equal(layout.times(keys, layout.cells(keys)), times)


@pytest.mark.parametrize(("series", "fits"), [(62_000, True), (63_000, False), (1 << 20, False)])
def test_more_than_64_bits_tell(series: int, fits: bool) -> None:
    if fits:
        KeyLayout.covering(7_200_000, 0, LAST_MS, series)
        return
    with pytest.raises(InputError, match="are too many at once: split the input"):
        KeyLayout.covering(7_200_000, 0, LAST_MS, series)
