"""Several processes write what one would write, and the death of one changes nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from promfill.cli import run
from promfill.errors import OutputError, RunError
from promfill.model.grid import Grid, Tile
from promfill.pipeline.ordered_workers import OrderedPool
from promfill.pipeline.push import push
from promfill.pipeline.workers import WorkerPool
from promfill.scenario.label_patterns import parse_labels
from promfill.scenario.scenario import Scenario
from promfill.sinks.blocks import BlockSink
from promfill.sinks.openmetrics import OpenMetricsSink
from promfill.sources.generated import Source
from tests.support.cli import END, START

GRID = Grid(1_702_800_000_000, 60_000, 7_000)
SOURCE = Source(Scenario("vpn", tuple(parse_labels(["i={1..300}"]).patterns), GRID))
Files = dict[str, bytes]


def files_in(directory: Path) -> Files:
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def block_sink(directory: Path, worker: int = 0, workers: int = 1) -> BlockSink:
    share = (worker, workers)
    return BlockSink(SOURCE.fleet, GRID, SOURCE.identity(), directory, duration=7_200_000, share=share)


def text_sink(directory: Path) -> OpenMetricsSink:
    return OpenMetricsSink(SOURCE.fleet, GRID, "vpn", "Text", "", directory)


@pytest.fixture(scope="module")
def blocks(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory = tmp_path_factory.mktemp("blocks")
    push(SOURCE, block_sink(directory))
    return files_in(directory)


@pytest.fixture(scope="module")
def text(tmp_path_factory: pytest.TempPathFactory) -> Files:
    directory = tmp_path_factory.mktemp("text")
    push(SOURCE, text_sink(directory))
    return files_in(directory)


def kill_a_child(after: int) -> Callable[[int], None]:
    """Progress that kills one worker when it has been told of so many samples."""
    done = [0, 0]

    def progress(samples: int) -> None:
        done[0] += samples
        if done[0] >= after and not done[1]:
            done[1] = 1
            psutil.Process().children()[0].kill()

    return progress


@pytest.mark.parametrize("workers", [2, 3])
def test_blocks_are_the_same_files(tmp_path: Path, blocks: Files, workers: int) -> None:
    report = WorkerPool(SOURCE, lambda w, n: block_sink(tmp_path, w, n), workers).push()
    assert files_in(tmp_path) == blocks
    assert report.samples == SOURCE.samples
    assert [path.name for path in report.paths] == block_sink(tmp_path).names


@pytest.mark.parametrize("workers", [2, 3])
def test_text_is_the_same_file(tmp_path: Path, text: Files, workers: int) -> None:
    told: list[int] = []
    report = OrderedPool(SOURCE, text_sink(tmp_path), workers).push(told.append)
    assert files_in(tmp_path) == text
    assert sum(told) == report.samples == SOURCE.samples
    assert report.bytes == len(next(iter(text.values())))


def test_a_worker_that_dies_is_replaced_in_blocks(tmp_path: Path, blocks: Files) -> None:
    pool = WorkerPool(SOURCE, lambda w, n: block_sink(tmp_path, w, n), 2)
    report = pool.push(kill_a_child(SOURCE.samples // 3))
    assert files_in(tmp_path) == blocks
    assert report.samples <= SOURCE.samples


def test_a_worker_that_dies_is_replaced_in_text(tmp_path: Path, text: Files) -> None:
    report = OrderedPool(SOURCE, text_sink(tmp_path), 2).push(kill_a_child(SOURCE.samples // 3))
    assert files_in(tmp_path) == text
    assert report.samples == SOURCE.samples


def test_a_worker_that_dies_while_it_waits_for_its_turn(tmp_path: Path, text: Files) -> None:
    """Its place is told to nobody, and that is noticed when its next word does not come."""
    pool = OrderedPool(SOURCE, text_sink(tmp_path), 2)
    killed: list[int] = []

    def progress(samples: int) -> None:
        if not killed:  # the first tile is placed: the second worker has told its length, and waits
            time.sleep(0.3)
            child = psutil.Process().children()[1]
            killed.append(child.pid)
            child.kill()
            child.wait()

    assert pool.push(progress).samples == SOURCE.samples
    assert killed
    assert files_in(tmp_path) == text


class FullDisk(OpenMetricsSink):
    """A disk that is full after some tiles."""

    def write_at(self, offset: int, data: bytes) -> None:
        """Refuse what lies behind the first megabyte."""
        if offset > 1 << 20:
            raise OutputError("cannot write: No space left on device")
        super().write_at(offset, data)


def test_an_error_of_a_worker_ends_the_push_and_leaves_nothing(tmp_path: Path) -> None:
    sink = FullDisk(SOURCE.fleet, GRID, "vpn", "Text", "", tmp_path)
    with pytest.raises(OutputError, match="No space left"):
        OrderedPool(SOURCE, sink, 2).push()
    assert files_in(tmp_path) == {}
    assert psutil.Process().children() == []


class Doomed(Source):
    """A source whose every worker is killed."""

    def batch(self, tile: Tile) -> object:  # type: ignore[override]
        """Die without a word."""
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError


def test_workers_that_always_die_end_the_push(tmp_path: Path) -> None:
    doomed = Doomed(SOURCE.scenario)
    with pytest.raises(RunError, match="a worker died 3 times"):
        WorkerPool(doomed, lambda w, n: block_sink(tmp_path, w, n), 2).push()
    with pytest.raises(RunError, match="a worker died 3 times"):
        OrderedPool(doomed, text_sink(tmp_path / "text"), 2).push()


@pytest.mark.parametrize("mode", ["blocks", "openmetrics"])
def test_workers_end_when_their_parent_is_killed(tmp_path: Path, mode: str) -> None:
    words = ["push", "--metric-name", "vpn", "--labels", "i={1..9000}", "--start", START, "--end", "1703800000"]
    words += ["--mode", mode, "--workers", "2", "--output-dir", str(tmp_path / "out"), "-q"]
    parent = subprocess.Popen([sys.executable, "-m", "promfill", *words])
    process = psutil.Process(parent.pid)
    while len(process.children()) < 2:
        time.sleep(0.01)
    workers = process.children()
    time.sleep(0.2)
    parent.kill()
    parent.wait()
    _, alive = psutil.wait_procs(workers, timeout=10)
    assert not alive


def test_one_series_is_not_shared_out(tmp_path: Path) -> None:
    words = ["push", "--metric-name", "vpn", "--start", START, "--end", END, "-q", "--output-dir"]
    assert run([*words, str(tmp_path / "one")]) == 0
    assert run([*words, str(tmp_path / "two"), "--workers", "2"]) == 0
    assert files_in(tmp_path / "one") == files_in(tmp_path / "two")
