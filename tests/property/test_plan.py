"""Every plan covers its plane once, in its order, with tiles of bounded size."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from promfill.model.grid import SAMPLES_PER_CHUNK, Grid, Tile, block_tiles, series_tiles, spans, windows

GRIDS = st.builds(Grid, st.integers(0, 2 * 10**12), st.integers(1, 4 * 10**6), st.integers(1, 900))
DURATIONS = st.sampled_from([60_000, 7_200_000, 86_400_000])


def cover(tiles: list[Tile], steps: int, series: int) -> NDArray[np.int64]:
    count = np.zeros((steps, series), np.int64)
    for tile in tiles:
        count[tile.first_step : tile.first_step + tile.steps, tile.first_series : tile.first_series + tile.series] += 1
    return count


@given(GRIDS, DURATIONS)
def test_windows_part_the_grid_at_aligned_borders(grid: Grid, duration: int) -> None:
    parts = list(windows(grid, duration))
    assert [w.first_step for w in parts] == [0, *(w.end_step for w in parts[:-1])]
    assert parts[-1].end_step == grid.steps
    ranges = [(grid.time(w.first_step) // duration, grid.time(w.end_step - 1) // duration) for w in parts]
    assert all(first == last for first, last in ranges)
    assert len({first for first, _ in ranges}) == len(ranges)


@given(st.integers(0, 500), st.integers(1, 90))
def test_spans_are_few_and_near_equal(total: int, most: int) -> None:
    parts = list(spans(total, most))
    assert sum(count for _, count in parts) == total
    assert len(parts) == -(-total // most)
    counts = [count for _, count in parts]
    assert not counts or (max(counts) <= most and max(counts) - min(counts) <= 1)


@given(GRIDS, st.integers(1, 9), st.integers(1, 3000))
def test_series_tiles_go_series_by_series(grid: Grid, series: int, most: int) -> None:
    tiles = list(series_tiles(grid, series, most))
    assert (cover(tiles, grid.steps, series) == 1).all()
    assert all(tile.samples <= most for tile in tiles)
    order = [(tile.first_series, tile.first_step) for tile in tiles]
    assert order == sorted(order)


@given(GRIDS, DURATIONS, st.integers(1, 9), st.integers(SAMPLES_PER_CHUNK, 3000))
def test_block_tiles_go_block_by_block(grid: Grid, duration: int, series: int, most: int) -> None:
    parts = list(windows(grid, duration))
    tiles = list(block_tiles(parts, series, most))
    assert (cover(tiles, grid.steps, series) == 1).all()
    assert all(tile.samples <= most for tile in tiles)
    borders = {w.first_step for w in parts}
    for tile in tiles:
        inside = [w for w in parts if w.first_step < tile.first_step + tile.steps and w.end_step > tile.first_step]
        if len(inside) > 1:  # several blocks share a tile only when it holds each of them whole, at one length
            assert tile.first_step in borders
            assert tile.series == series
            assert {w.steps for w in inside} == {tile.steps // len(inside)}
        else:
            assert (tile.first_step - inside[0].first_step) % SAMPLES_PER_CHUNK == 0


def test_a_window_left_out_parts_the_tiles() -> None:
    grid = Grid(0, 60_000, 1440 * 4)
    parts = list(windows(grid, 86_400_000))
    tiles = list(block_tiles([parts[0], parts[2], parts[3]], 2, 10**6))
    assert [(tile.first_step, tile.steps) for tile in tiles] == [(0, 1440), (2880, 2880)]
