"""Requests: every sample once, time-major, within the limits, and never a window that waits for itself."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.codecs.remote_write.version_1 import HEADER_MAX
from promfill.codecs.remote_write.wire_samples import LONGEST_SAMPLE
from promfill.errors import InputError
from promfill.model.grid import Grid, Tile
from promfill.sinks.remote_write.plan import MAX_BYTES, SLACK, Limits, RequestPlan, request_plan

MINUTE, HOUR = 60_000, 3_600_000
START = 1_700_000_000_000


def plan(series: int, steps: int = 6048, step: int = 5 * MINUTE, limits: Limits | None = None) -> RequestPlan:
    return request_plan(Grid(START, step, steps), series, 90, limits or Limits())


def tiles_of(made: RequestPlan) -> list[Tile]:
    return [*map(made.tile, range(made.requests))]


@pytest.mark.parametrize(
    ("series", "steps", "requests_a_window"),
    [
        (1, 6048, 1),
        (3, 6048, 1),
        (20, 1000, 1),
        (1000, 20, 1),
        (1666, 12, 1),
        (1667, 12, 2),
        (5000, 12, 4),
        (100_000, 12, 61),
    ],
)
def test_windows_at_5m(series: int, steps: int, requests_a_window: int) -> None:
    made = plan(series)
    assert (made.steps, len(made.slices)) == (steps, requests_a_window)


@pytest.mark.parametrize(
    ("step", "steps"), [(30_000, 12), (5 * MINUTE, 12), (15 * MINUTE, 4), (HOUR, 1), (24 * HOUR, 1)]
)
def test_a_window_of_several_requests_is_what_an_hour_holds(step: int, steps: int) -> None:
    made = plan(30_000, step=step)
    assert made.steps == steps
    assert len(made.slices) > 1


def test_hourly_samples_of_a_small_fleet_go_in_wide_windows() -> None:
    assert plan(100, step=HOUR).steps == 200


def test_a_short_range_of_many_series_is_one_request() -> None:
    made = plan(5000, steps=3)
    assert tiles_of(made) == [Tile(0, 3, 0, 5000)]


def test_the_last_window_is_what_is_left() -> None:
    assert [tile.steps for tile in tiles_of(plan(1000, steps=45))] == [20, 20, 5]


def test_one_sample_a_request() -> None:
    tiles = tiles_of(plan(2, steps=2, limits=Limits(samples=1)))
    assert tiles == [Tile(0, 1, 0, 1), Tile(0, 1, 1, 1), Tile(1, 1, 0, 1), Tile(1, 1, 1, 1)]


@pytest.mark.parametrize(
    ("samples", "size", "words"),
    [
        (0, 1, "max_samples_per_send 0 must be at least 1"),
        (1, 0, "max_bytes_per_send 0 must be at least 1"),
        (
            1,
            MAX_BYTES + 1,
            "max_bytes_per_send 33554433 is over 33554432 (32 MiB): receivers refuse such bodies",
        ),
    ],
)
def test_limits_that_no_receiver_keeps(samples: int, size: int, words: str) -> None:
    with pytest.raises(InputError) as refusal:
        Limits(samples, size)
    assert str(refusal.value) == words


def test_a_body_too_small_for_one_sample() -> None:
    with pytest.raises(
        InputError,
        match="max_bytes_per_send 100 is too small for one sample: one sample with its labels needs up to 115 bytes",
    ):
        plan(1, limits=Limits(bytes=100))


@given(
    series=st.integers(1, 60),
    steps=st.integers(1, 60),
    step=st.sampled_from([1, 1000, 5 * MINUTE, 15 * MINUTE, HOUR, 90 * MINUTE]),
    samples=st.integers(1, 100),
    size=st.integers(200, 5000),
    labels=st.integers(10, 100),
    metadata=st.integers(0, 50),
)
def test_every_sample_once_in_order_and_within_the_limits(
    series: int, steps: int, step: int, samples: int, size: int, labels: int, metadata: int
) -> None:
    made = request_plan(Grid(START, step, steps), series, labels, Limits(samples, size), metadata)
    tiles = tiles_of(made)
    assert len(tiles) == made.requests
    cells = [
        (t, s)
        for tile in tiles
        for t in range(tile.first_step, tile.first_step + tile.steps)
        for s in range(tile.first_series, tile.first_series + tile.series)
    ]
    assert sorted(cells) == [*itertools.product(range(steps), range(series))]
    for tile in tiles:
        assert 1 <= tile.samples <= samples
        assert tile.series * (HEADER_MAX + labels + tile.steps * LONGEST_SAMPLE) + metadata <= size
    assert [tile.first_step for tile in tiles] == sorted(tile.first_step for tile in tiles)
    if len(made.slices) > 1:
        assert (made.steps - 1) * step <= SLACK


def test_where_refused_samples_are_looked_for_no_window_is_wider_than_the_slack() -> None:
    made = request_plan(Grid(START, 5 * MINUTE, 6048), 1, 90, Limits(), may_be_wide=False)
    assert made.steps == 13
    assert (made.steps - 1) * 5 * MINUTE == SLACK
