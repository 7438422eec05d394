from __future__ import annotations

import numpy as np

from promfill.model.scratch import BLOCK, Scratch, row_blocks


def test_a_smaller_request_reuses_the_memory() -> None:
    work = Scratch()
    large = work.get("a", (10, 20), np.uint64)
    small = work.get("a", (3, 5), np.int16)
    assert np.shares_memory(large, small)
    assert small.shape == (3, 5)
    assert small.dtype == np.int16


def test_a_larger_request_grows_it_and_names_keep_apart() -> None:
    work = Scratch()
    small = work.get("a", (4,), np.uint8)
    large = work.get("a", (1000,), np.uint8)
    assert not np.shares_memory(small, large)
    assert not np.shares_memory(large, work.get("b", (4,), np.uint8))


def test_an_empty_array_is_no_special_case() -> None:
    assert Scratch().get("a", (0, 5), np.float64).shape == (0, 5)


def test_views_are_made_again_only_when_their_array_or_cut_changes() -> None:
    work = Scratch()
    made = []

    def build() -> int:
        made.append(1)
        return len(made)

    array = work.get("a", (6, 2), np.uint8)
    assert work.views("v", (array,), 3, build) == work.views("v", (work.get("a", (6, 2), np.uint8),), 3, build) == 1
    assert work.views("v", (array,), 2, build) == 2
    assert work.views("v", (work.get("a", (4, 3), np.uint8),), 2, build) == 3
    assert work.views("v", (work.get("a", (4, 3), np.int8),), 2, build) == 4
    assert work.views("v", (work.get("a", (4000, 3), np.int8),), 2, build) == 5


def test_row_blocks_cover_the_rows_once() -> None:
    for series in (0, 1, 700, BLOCK, 2 * BLOCK):
        rows = [row for block in row_blocks(2, 500, series) for row in range(block.start, block.stop)]
        assert rows == list(range(2, 500))
        assert all((block.stop - block.start - 1) * series < BLOCK for block in row_blocks(2, 500, series))
    assert not list(row_blocks(2, 1, 10))
