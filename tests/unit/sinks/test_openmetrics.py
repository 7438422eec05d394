from __future__ import annotations

import errno
import fcntl
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from promfill.errors import InputError, OutputError
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.grid import Grid, Tile
from promfill.scenario.label_patterns import parse_labels
from promfill.sinks.openmetrics import TILE_SAMPLES, OpenMetricsSink
from promfill.sources.expand_labels import build_fleet
from tests.support.disk_steps import recorded_steps
from tests.support.openmetrics import bits, dump_with_promtool, read_openmetrics

GRID = Grid(1_700_000_000_250, 60_000, 50)
NAME = "m_backfill_1700000000.txt"


def fleet_of(labels: str) -> Fleet:
    return build_fleet("m", parse_labels([labels]).patterns)


def batch_of(fleet: Fleet, grid: Grid, tile: Tile) -> SeriesBatch:
    steps = np.arange(tile.first_step, tile.first_step + tile.steps)
    rows = np.arange(tile.first_series, tile.first_series + tile.series)
    return SeriesBatch(fleet, tile.first_series, grid.start + grid.step * steps, np.sin(steps[:, None] + 7.0 * rows))


def fill(sink: OpenMetricsSink, fleet: Fleet, grid: Grid) -> None:
    for tile in sink.tiles():
        sink.write(batch_of(fleet, grid, tile))


def sink_in(folder: Path, fleet: Fleet, grid: Grid = GRID) -> OpenMetricsSink:
    return OpenMetricsSink(fleet, grid, "m", "Some text", "", folder)


@pytest.mark.parametrize("grid", [GRID, Grid(0, 500, 2 * TILE_SAMPLES + 77)])
def test_a_file_is_whole_whatever_its_tiles(grid: Grid, tmp_path: Path) -> None:
    fleet = fleet_of("a={x,y}")
    sink = sink_in(tmp_path / "new" / "utils", fleet, grid)
    assert not (tmp_path / "new").exists()
    fill(sink, fleet, grid)
    report = sink.commit()
    assert report.paths == [sink.path]
    assert report.samples == 2 * grid.steps
    assert report.bytes == sink.path.stat().st_size
    comments, samples = read_openmetrics(sink.path.read_bytes())
    assert comments == ["# HELP m Some text", "# TYPE m gauge"]
    whole = batch_of(fleet, grid, Tile(0, grid.steps, 0, 2))
    assert samples == [
        (fleet.label_set(s), t, bits(v))
        for s in range(2)
        for t, v in zip(whole.timestamps.tolist(), whole.values[:, s].tolist(), strict=True)
    ]


def test_the_name_is_metric_and_start_in_whole_seconds(tmp_path: Path) -> None:
    assert sink_in(tmp_path, fleet_of("a=x")).path == tmp_path / NAME


def test_an_older_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    fleet = fleet_of("a=x")
    (tmp_path / NAME).write_text("older")
    sink = sink_in(tmp_path, fleet)
    fill(sink, fleet, GRID)
    assert (tmp_path / NAME).read_text() == "older"
    sink.commit()
    assert (tmp_path / NAME).read_text().startswith("# HELP")
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.fixture
def partial(tmp_path: Path) -> Iterator[Path]:
    """Where the file grows; another push holds the directory, so that what is there is no leftover."""
    holder = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(holder, fcntl.LOCK_SH)
    yield tmp_path / f"{NAME}.{os.getpid()}.promfill"
    os.close(holder)


def test_the_text_is_synced_before_it_gets_its_name_and_its_name_is_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet = fleet_of("a={x,y}")
    sink = sink_in(tmp_path, fleet)
    steps = recorded_steps(tmp_path, monkeypatch)
    fill(sink, fleet, GRID)
    (growing,) = (path.name for path in tmp_path.iterdir())
    assert steps == []
    sink.commit()
    assert steps == [("sync", growing), ("rename", growing), ("sync", ".")]


def test_an_aborted_push_leaves_nothing(tmp_path: Path) -> None:
    fleet = fleet_of("a=x")
    (tmp_path / NAME).write_text("older")
    sink = sink_in(tmp_path, fleet)
    fill(sink, fleet, GRID)
    sink.abort()
    assert sink.report.samples == 0
    assert (tmp_path / NAME).read_text() == "older"
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


def test_abort_before_the_first_batch_makes_nothing(tmp_path: Path) -> None:
    sink_in(tmp_path / "x", fleet_of("a=x")).abort()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_push_left_is_removed(tmp_path: Path) -> None:
    fleet = fleet_of("a=x")
    (tmp_path / f"{NAME}.123.promfill").write_text("left over" * 10_000)
    (tmp_path / "mine.promfill").write_text("no name of ours")
    sink = sink_in(tmp_path, fleet)
    fill(sink, fleet, GRID)
    sink.commit()
    assert {path.name for path in tmp_path.iterdir()} == {NAME, "mine.promfill"}
    assert len(read_openmetrics((tmp_path / NAME).read_bytes())[1]) == GRID.steps


def test_a_push_without_samples_is_still_valid(tmp_path: Path) -> None:
    sink = sink_in(tmp_path, fleet_of("a=x"))
    sink.commit()
    assert sink.path.read_bytes() == b"# HELP m Some text\n# TYPE m gauge\n# EOF\n"


def test_an_output_directory_below_a_plain_file_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be made: .* is a file, not a directory: choose another one"):
        sink_in(tmp_path / "file" / "utils", fleet_of("a=x"))


def test_a_directory_of_that_name_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    with pytest.raises(InputError) as caught:
        sink_in(tmp_path, fleet_of("a=x"))
    assert str(caught.value) == f"{tmp_path / NAME} is a directory: remove it, or choose another output_dir"


@pytest.mark.parametrize("length", [225, 300])  # too long for the partial file, and for the file itself
def test_a_name_that_is_too_long_is_refused_at_once(length: int, tmp_path: Path) -> None:
    metric = "m" * length
    with pytest.raises(InputError) as caught:
        OpenMetricsSink(build_fleet(metric, []), GRID, metric, "x", "", tmp_path / "not" / "there")
    assert str(caught.value) == (
        f"{metric}_backfill_1700000000.txt is too long for a file name: choose a shorter metric_name"
    )


def test_a_file_that_cannot_be_made_is_bad_input(tmp_path: Path, partial: Path) -> None:
    partial.symlink_to(tmp_path / "not" / "there")
    sink = sink_in(tmp_path, fleet_of("a=x"))
    with pytest.raises(InputError) as caught:
        sink.commit()
    assert str(caught.value) == (
        f"{tmp_path / NAME} cannot be written: No such file or directory: choose another output_dir"
    )


def test_a_unit_that_promtool_refuses_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="must end the metric's name"):
        OpenMetricsSink(fleet_of("a=x"), GRID, "m", "x", "seconds", tmp_path)


def test_a_disk_that_is_full_when_all_is_synced(tmp_path: Path) -> None:
    sink = sink_in(tmp_path, fleet_of("a=x"))
    full = patch("promfill.sinks.openmetrics.os.fsync", side_effect=OSError(errno.ENOSPC, "No space left on device"))
    with full, pytest.raises(OutputError) as caught:
        sink.commit()
    sink.abort()
    assert str(caught.value) == f"cannot write {tmp_path / NAME}: No space left on device"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full: a device that is always full")
def test_a_disk_that_is_full_while_writing(tmp_path: Path, partial: Path) -> None:
    partial.symlink_to("/dev/full")
    fleet = fleet_of("a=x")
    sink = sink_in(tmp_path, fleet)
    with pytest.raises(OutputError) as caught:
        fill(sink, fleet, GRID)
    sink.abort()
    assert str(caught.value) == f"cannot write {tmp_path / NAME}: No space left on device"
    assert list(tmp_path.iterdir()) == []


def test_memory_does_not_grow_with_the_push(tmp_path: Path) -> None:
    grid = Grid(0, 1000, 1000)
    fleet = fleet_of("a={1..1000}")
    sink = sink_in(tmp_path, fleet, grid)
    tracemalloc.start()
    fill(sink, fleet, grid)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sink.commit().samples == 1_000_000
    assert peak < 15e6


@pytest.mark.server
def test_promtool_makes_blocks_of_the_file(tmp_path: Path) -> None:
    fleet = fleet_of("a={1..20},b={x,y}")
    sink = sink_in(tmp_path, fleet)
    fill(sink, fleet, GRID)
    sink.commit()
    text = sink.path.read_bytes()
    assert sorted(dump_with_promtool(text, tmp_path)) == sorted(read_openmetrics(text)[1])
