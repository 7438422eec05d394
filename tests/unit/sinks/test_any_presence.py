"""What every sink owes a batch in which samples are missing, or whose series have times of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest
import snappy
from numpy.typing import NDArray

from promfill.blocks.block import open_block
from promfill.blocks.check import check_block
from promfill.blocks.directory import block_paths
from promfill.codecs.remote_write.rewrite import to_version_1
from promfill.codecs.remote_write.snappy_rows import SnappyEncoder
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.errors import InputError
from promfill.model.batch import STALE_NAN_BITS, Fleet, SeriesBatch
from promfill.model.grid import Grid, Tile
from promfill.protocols import Sink
from promfill.scenario.label_patterns import parse_labels
from promfill.sinks import blocks
from promfill.sinks.blocks import BlockSink
from promfill.sinks.openmetrics import OpenMetricsSink
from promfill.sources.expand_labels import build_fleet
from tests.support.openmetrics import PROMTOOL_NAN, read_openmetrics
from tests.support.remote_write import Held, read_request

HOUR = 3_600_000
GRID = Grid(1_700_006_400_000, 15_000, 700)  # from 2023-11-15T00:00:00Z on: two blocks of two hours, the second begun
FLEET = build_fleet("m", parse_labels(["a={1..5}"]).patterns)


@dataclass(frozen=True)
class Plane:
    """A source whose plane is written out: times (T,) or (T, S), bits (T, S), and which are there, if not all."""

    times: NDArray[np.int64]
    bits: NDArray[np.uint64]
    present: NDArray[np.bool_] | None
    fleet: Fleet = FLEET

    def batch(self, tile: Tile) -> SeriesBatch:
        rows = slice(tile.first_step, tile.first_step + tile.steps)
        columns = slice(tile.first_series, tile.first_series + tile.series)
        times = self.times[rows] if self.times.ndim == 1 else self.times[rows, columns]
        present = None if self.present is None else self.present[rows, columns]
        if present is not None and present.all():
            present = None  # as a source may do that fills some tiles whole
        values = np.ascontiguousarray(self.bits[rows, columns]).view(np.float64)
        return SeriesBatch(self.fleet, tile.first_series, times, values, present)

    def held(self) -> Held:
        """What must have arrived, of series that have anything."""
        held: Held = {}
        steps, series = self.bits.shape
        for row, step in itertools.product(range(series), range(steps)):
            if self.present is None or self.present[step, row]:
                time = self.times[step] if self.times.ndim == 1 else self.times[step, row]
                held.setdefault(self.fleet.label_set(row), []).append((int(time), int(self.bits[step, row])))
        return held


def plane(presence: str, *, own_times: bool, steps: int = GRID.steps) -> Plane:
    random = np.random.default_rng(7)
    times = GRID.start + GRID.step * np.arange(steps)
    bits = np.round(random.normal(20, 3, (steps, len(FLEET))), 2).view(np.uint64)
    bits[steps // 2, 1] = STALE_NAN_BITS
    if own_times:
        times = times[:, None] + random.integers(0, GRID.step, (steps, len(FLEET)))
    return Plane(times, bits, PRESENCES[presence](random, steps))


def _half(random: np.random.Generator, steps: int) -> NDArray[np.bool_]:
    return random.random((steps, len(FLEET))) < 0.5


def _lives(random: np.random.Generator, steps: int) -> NDArray[np.bool_]:
    """Each series is there from some step to another."""
    there = np.zeros((steps, len(FLEET)), np.bool_)
    for row in range(1, len(FLEET)):
        first, stop = sorted(random.integers(0, steps, 2).tolist())
        there[first : stop + 1, row] = True
    return there


def _first_block_gone(random: np.random.Generator, steps: int) -> NDArray[np.bool_]:
    there = np.ones((steps, len(FLEET)), np.bool_)
    there[:480] = False
    return there


def _one_missing(random: np.random.Generator, steps: int) -> NDArray[np.bool_]:
    there = np.ones((steps, len(FLEET)), np.bool_)
    there[130, 3] = False
    return there


PRESENCES: dict[str, Callable[[np.random.Generator, int], NDArray[np.bool_] | None]] = {
    "all": lambda random, steps: None,
    "one missing": _one_missing,
    "half": _half,
    "lives": _lives,
    "first block gone": _first_block_gone,
    "none": lambda random, steps: np.zeros((steps, len(FLEET)), np.bool_),
}
CASES = [pytest.param(name, own, id=f"{name}{', own times' * own}") for name in PRESENCES for own in (False, True)]


def fill(sink: Sink, source: Plane) -> None:
    for tile in sink.tiles():
        sink.write(source.batch(tile))
    assert sink.commit().samples == sum(map(len, source.held().values()))


def read_blocks(folder: Path) -> Held:
    held: Held = {}
    for path in block_paths(folder):
        check_block(path, decode=True)
        block = open_block(path)
        for samples in block.samples():
            assert (samples.counts > 0).all()
            ends = samples.bounds.tolist()
            pairs = list(zip(samples.times.tolist(), samples.bits.tolist(), strict=True))
            for row, (first, stop) in zip(samples.rows.tolist(), itertools.pairwise(ends), strict=True):
                held.setdefault(block.label_set(row), []).extend(pairs[first:stop])
    return held


def block_sink(folder: Path, *, duration: int = 2 * HOUR, gaps: bool = True) -> BlockSink:
    return BlockSink(FLEET, GRID, b"identity", folder, duration=duration, gaps=gaps)


@pytest.mark.parametrize(("presence", "own_times"), CASES)
@pytest.mark.parametrize("most", [120, 700, 600_000])
def test_blocks_hold_what_is_there(
    presence: str, own_times: bool, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blocks, "TILE_SAMPLES", most)
    source = plane(presence, own_times=own_times)
    for duration in (2 * HOUR, 900_000, 24 * HOUR):
        folder = tmp_path / str(duration)
        fill(block_sink(folder, duration=duration), source)
        assert read_blocks(folder) == source.held()
        assert all(path in block_paths(folder) for path in folder.iterdir())


def test_a_block_with_gaps_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    source = plane("lives", own_times=False)
    fill(block_sink(tmp_path), source)
    again = block_sink(tmp_path)
    assert list(again.tiles()) == []
    again.commit()
    whole = block_sink(tmp_path, gaps=False)
    assert len(list(whole.tiles())) == 2  # where all must be there, a block that holds less is not right
    whole.abort()


def test_a_time_of_another_block_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = plane("all", own_times=True)
    source.times[479] += GRID.step
    source.times[480:] += 2 * GRID.step
    sink = block_sink(tmp_path)
    with pytest.raises(InputError, match=r"2023-11-15T02:00:\S+Z, belongs to another block"):
        fill(sink, source)
    sink.abort()
    assert list(tmp_path.iterdir()) == []


def test_times_that_do_not_rise_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    source = plane("half", own_times=True)
    there = np.flatnonzero(source.present[:, 2]) if source.present is not None else np.arange(9)
    source.times[there[5], 2] = source.times[there[4], 2]
    sink = block_sink(tmp_path)
    with pytest.raises(InputError, match="times of a series do not ascend"):
        fill(sink, source)
    sink.abort()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("presence", "own_times"), CASES)
def test_text_holds_what_is_there(presence: str, own_times: bool, tmp_path: Path) -> None:
    source = plane(presence, own_times=own_times)
    sink = OpenMetricsSink(FLEET, GRID, "m", "", "", tmp_path)
    with patch("promfill.sinks.openmetrics.TILE_SAMPLES", 900):
        fill(sink, source)
    held: Held = {}
    for labels, time, bits in read_openmetrics(sink.path.read_bytes())[1]:
        held.setdefault(labels, []).append((time, bits))
    plain = {STALE_NAN_BITS: PROMTOOL_NAN}  # text does not tell one NaN from another
    assert held == {
        labels: [(time, plain.get(bits, bits)) for time, bits in samples] for labels, samples in source.held().items()
    }


@pytest.mark.parametrize(("presence", "own_times"), CASES)
@pytest.mark.parametrize("version", [1, 2])
def test_requests_hold_what_is_there(presence: str, own_times: bool, version: int) -> None:
    source = plane(presence, own_times=own_times, steps=300)
    encoder = WriteRequestEncoder(FLEET) if version == 1 else RequestEncoder(FLEET)
    direct = SnappyEncoder(encoder.frame)
    searched: Held = {}
    written: Held = {}
    for tile in _requests(300):
        batch = source.batch(tile)
        take(searched, encoder.encode(batch).tobytes(), version)
        packed = direct.encode(batch)
        body = encoder.encode(batch).tobytes() if packed is None else snappy.uncompress(packed[0])
        take(written, body, version)
    assert searched == source.held()
    assert written == source.held()


def _requests(steps: int) -> Iterator[Tile]:
    for first, series in itertools.product(range(0, steps, 50), (slice(0, 2), slice(2, 5))):
        yield Tile(first, 50, series.start, series.stop - series.start)


@pytest.mark.parametrize("presence", ["half", "none"])
def test_a_sample_has_an_estimated_size_whatever_is_missing(presence: str, tmp_path: Path) -> None:
    source = plane(presence, own_times=True)
    batch = source.batch(Tile(0, 480, 0, len(FLEET)))
    text = OpenMetricsSink(FLEET, GRID, "m", "", "", tmp_path)
    sizes = [block_sink(tmp_path).bytes_per_sample(batch), text.bytes_per_sample(batch)]
    assert all(1 < size < 100 for size in sizes) if presence == "half" else sizes == [0, 0]


def take(held: Held, message: bytes, version: int) -> None:
    for labels, samples in read_request(message if version == 1 else to_version_1(message)).items():
        held.setdefault(labels, []).extend(samples)
