"""The source is random-access: any tiling of the plane gives the same bits."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from promfill.model.batch import STALE_NAN_BITS
from promfill.model.grid import Grid, Tile
from promfill.scenario.label_patterns import parse_labels
from promfill.scenario.scenario import Scenario, Signal
from promfill.sources.generated import Source

GRID = Grid(1_702_771_200_000 + 12_345, 300_000, 700)


def scenario(labels: str, signal: Signal | None = None, grid: Grid = GRID) -> Scenario:
    return Scenario("vpn", tuple(parse_labels([labels]).patterns), grid, signal or Signal())


def whole(source: Source) -> NDArray[np.uint64]:
    batch = source.batch(Tile(0, source.grid.steps, 0, len(source.fleet)))
    return batch.values.view(np.uint64).copy()


SCENARIOS = [
    scenario("job=a"),
    scenario("job=a,instance={1..13}"),
    scenario("i={1..5},j={a,b}", Signal(timezone="Europe/Berlin", resolution=2.0**-7)),
    scenario("i={1..5}", Signal(seasonality="none", decimals=2, noise_mean=4.0)),
]
SOURCES = [Source(one) for one in SCENARIOS]
PLANES = [whole(source) for source in SOURCES]


@given(st.integers(0, len(SOURCES) - 1), st.data())
def test_any_tile_equals_its_part_of_the_whole(which: int, data: st.DataObject) -> None:
    source, plane = SOURCES[which], PLANES[which]
    steps, series = plane.shape
    first_step = data.draw(st.integers(0, steps - 1))
    first_series = data.draw(st.integers(0, series - 1))
    tile = Tile(
        first_step,
        data.draw(st.integers(1, steps - first_step)),
        first_series,
        data.draw(st.integers(1, series - first_series)),
    )
    batch = source.batch(tile)
    rows, columns = slice(first_step, first_step + tile.steps), slice(first_series, first_series + tile.series)
    assert (batch.values.view(np.uint64) == plane[rows, columns]).all()
    assert batch.timestamps.tolist() == [source.grid.time(k) for k in range(first_step, first_step + tile.steps)]
    assert batch.series == range(first_series, first_series + tile.series)


def test_a_series_is_the_same_in_any_fleet() -> None:
    small, large = SOURCES[1], Source(scenario("job=a,instance={7..29}"))
    rows = {large.fleet.label_set(row): row for row in range(len(large.fleet))}
    shared = [(row, rows[small.fleet.label_set(row)]) for row in range(13) if small.fleet.label_set(row) in rows]
    assert len(shared) == 7
    theirs = whole(large)
    assert all((PLANES[1][:, ours] == theirs[:, other]).all() for ours, other in shared)


def test_series_of_a_fleet_differ_from_one_another() -> None:
    assert len({tuple(column) for column in PLANES[1].T.tolist()}) == 13


def test_resolution_and_decimals_are_kept() -> None:
    snapped, rounded = PLANES[2].view(np.float64), PLANES[3].view(np.float64)
    assert (snapped * 128 == np.rint(snapped * 128)).all()
    assert (rounded == np.round(rounded, 2)).all()
    assert len(np.unique(rounded)) > 100


@pytest.mark.parametrize("labels", ["job=a", "job=a,instance={1..13}"])
def test_only_the_last_step_is_stale(labels: str) -> None:
    """Whatever tile it is in; and the samples before it are what they are without it."""
    plain = scenario(labels, grid=replace(GRID, steps=20))
    ending, samples = Source(replace(plain, stale_at_end=True)), whole(Source(plain))
    assert (whole(ending)[:-1] == samples[:-1]).all()
    assert (whole(ending)[-1] == STALE_NAN_BITS).all()
    for first, steps in [(0, 19), (18, 1), (19, 1), (5, 15), (5, 14)]:
        bits = ending.batch(Tile(first, steps, 0, len(ending.fleet))).values.view(np.uint64)
        assert (bits == whole(Source(replace(plain, stale_at_end=True)))[first : first + steps]).all(), (first, steps)


LABELS = ["job=a", "job=a,instance={1..13}"]
SIGNALS = [Signal(), Signal(noise_std=1e-3, flat_base=-0.01), Signal(flat_base=-1e12, noise_mean=1e9, noise_std=1e8)]
PLAIN = [[whole(Source(scenario(labels, signal))).view(np.float64) for signal in SIGNALS] for labels in LABELS]


def rounded_and_plain(one: int, of: int, **rounding: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The same plane with this rounding, and without."""
    source = Source(scenario(LABELS[one], replace(SIGNALS[of], **rounding)))  # type: ignore[arg-type]
    return whole(source).view(np.float64), PLAIN[one][of]


@pytest.mark.parametrize("exponent", [-900, -20, -8, -7, -6, -3, -1, 0, 1, 2, 7, 20, 1000])
@pytest.mark.parametrize("of", range(len(SIGNALS)))
@pytest.mark.parametrize("one", range(len(LABELS)))
def test_a_resolution_moves_no_value_by_more_than_half_of_it(one: int, of: int, exponent: int) -> None:
    resolution = 2.0**exponent
    snapped, plain = rounded_and_plain(one, of, resolution=resolution)
    assert (abs(snapped - plain) <= resolution / 2).all()
    assert not np.fmod(snapped, resolution).any()


@pytest.mark.parametrize("decimals", range(16))
@pytest.mark.parametrize("of", range(len(SIGNALS)))
@pytest.mark.parametrize("one", range(len(LABELS)))
def test_decimals_move_no_value_by_more_than_half_of_the_last_one(one: int, of: int, decimals: int) -> None:
    rounded, plain = rounded_and_plain(one, of, decimals=decimals)
    assert (abs(rounded - plain) <= 0.5 * 10.0**-decimals + 2 * np.spacing(abs(plain))).all()
    texts = [f"{value:.{decimals}f}" for value in rounded[:50].ravel().tolist()]
    assert [float(text) for text in texts] == rounded[:50].ravel().tolist()


@pytest.mark.parametrize(
    "other",
    [
        scenario("job=b,instance={1..13}"),
        scenario("job=a,instance={1..12}"),
        scenario("job=a,instance={1..13}", Signal(seed=43)),
        scenario("job=a,instance={1..13}", grid=replace(GRID, start=GRID.start + 1)),
        scenario("job=a,instance={1..13}", grid=replace(GRID, step=GRID.step + 1)),
    ],
)
def test_identity_tells_sources_apart(other: Scenario) -> None:
    assert Source(other).identity() != SOURCES[1].identity()


def test_identity_does_not_depend_on_the_end() -> None:
    longer = scenario("job=a,instance={1..13}", grid=replace(GRID, steps=2000))
    assert Source(longer).identity() == Source(SCENARIOS[1]).identity()
