"""Blocks in a directory, judged by promtool and by a Prometheus that serves them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from promfill.blocks.block import open_block
from promfill.model.grid import Grid, Tile
from promfill.pipeline.push import push
from promfill.scenario.times import DAY_MS
from promfill.sinks.blocks import BlockSink
from promfill.sources.generated import Source
from tests.support.pushes import PUSHES, scenario
from tests.support.readback import Samples, of_prometheus, of_promtool, of_source
from tests.support.servers import run_promtool, start_prometheus


def write_blocks(source: Source, directory: Path, duration: int = DAY_MS) -> BlockSink:
    sink = BlockSink(source.fleet, source.grid, source.identity(), directory, duration=duration)
    report = push(source, sink)
    assert report.samples == source.samples
    assert sorted(path.name for path in report.paths) == sink.names
    return sink


@pytest.fixture(params=PUSHES)
def pushed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Source, Path, Samples]:
    source = PUSHES[request.param]()
    directory = tmp_path / "data"
    write_blocks(source, directory)
    return source, directory, of_source(source)


@pytest.mark.server
def test_promtool_and_prometheus_hold_the_same_bits(pushed: tuple[Source, Path, Samples]) -> None:
    source, directory, expected = pushed
    assert of_promtool(directory) == expected
    with start_prometheus(directory) as server:
        assert of_prometheus(server.url, source.scenario.metric, source.grid.last) == expected


@pytest.mark.server
@pytest.mark.parametrize("duration", [2 * 3_600_000, DAY_MS, 7 * DAY_MS])
def test_promtool_accepts_blocks_of_any_duration(tmp_path: Path, duration: int) -> None:
    source = PUSHES["fleet"]()
    sink = write_blocks(source, tmp_path, duration)
    assert of_promtool(tmp_path) == of_source(source)
    listed = run_promtool("tsdb", "list", tmp_path)
    assert listed.returncode == 0
    assert [line.split()[0] for line in listed.stdout.splitlines()[1:]] == sink.names
    analyzed = run_promtool("tsdb", "analyze", tmp_path, sink.names[0])
    assert analyzed.returncode == 0
    assert "\nSeries: 40\n" in analyzed.stdout


@pytest.mark.server
def test_the_same_text_makes_the_same_samples_by_promtool(tmp_path: Path) -> None:
    from promfill.sinks.openmetrics import OpenMetricsSink

    source = PUSHES["example 2"]()
    text = OpenMetricsSink(source.fleet, source.grid, "cpu", "CPU", "", tmp_path)
    push(source, text)
    made = run_promtool("tsdb", "create-blocks-from", "openmetrics", text.path, tmp_path / "theirs")
    assert made.returncode == 0, made.stderr
    write_blocks(source, tmp_path / "ours")
    assert of_promtool(tmp_path / "theirs") == of_promtool(tmp_path / "ours") == of_source(source)


def test_a_second_segment_is_begun_where_the_first_is_full(tmp_path: Path) -> None:
    source = PUSHES["fleet"]()
    sink = BlockSink(source.fleet, source.grid, source.identity(), tmp_path, segment_max=20_000)
    push(source, sink)
    segments = sorted((tmp_path / sink.names[1] / "chunks").iterdir())
    assert [path.name for path in segments] == [f"{n:06d}" for n in range(1, len(segments) + 1)]
    assert len(segments) > 1
    assert all(path.stat().st_size <= 20_000 for path in segments)
    if shutil.which("promtool"):
        assert of_promtool(tmp_path) == of_source(source)


def test_ten_thousand_series_for_three_weeks(tmp_path: Path) -> None:
    """Every 97th series is read back whole, and equals the source by bits."""
    grid = Grid(1_702_800_000_000, 300_000, 21 * 288)
    source = Source(scenario("vpn", "instance=host-{00001..10000},job=node", grid))
    sink = write_blocks(source, tmp_path)
    rows = np.arange(0, 10_000, 97)
    expected = np.hstack(
        [source.batch(Tile(0, grid.steps, row, 1)).values.view(np.uint64).copy() for row in rows.tolist()]
    )
    first = 0
    for name in sink.names:
        block = open_block(tmp_path / name)
        runs = list(block.samples(rows))
        steps = int(runs[0].bounds[1] - runs[0].bounds[0])
        assert np.concatenate([run.rows for run in runs]).tolist() == rows.tolist()
        bits = np.concatenate([run.bits for run in runs]).reshape(len(rows), steps).T
        times = np.concatenate([run.times for run in runs]).reshape(len(rows), steps)
        assert (bits == expected[first : first + steps]).all()
        assert (times == source.timestamps(first, steps)).all()
        first += steps
    assert first == grid.steps
