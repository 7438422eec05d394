from __future__ import annotations

import sys

import pytest
import snappy

from benchmarks.matrix import Cell, cap_of, cell_of
from benchmarks.matrix import measure as measure_cell
from benchmarks.processes import run_process, samples_of
from benchmarks.profiles import limit_of, shares, spot_name
from benchmarks.receivers import bodies_of
from benchmarks.stages import (
    PUSHED,
    STAGES,
    Clock,
    by_days,
    fleet_source,
    measure,
    measure_once,
    peak_memory_mb,
    plan_of,
)
from benchmarks.whole import WHOLE
from promfill.model.grid import Tile
from promfill.pb.remote_write_1_pb2 import WriteRequest


def test_a_process_is_timed_weighed_and_heard() -> None:
    code = "x = bytearray(10**8); import time; time.sleep(1); print(sum(range(10**6)))"
    run = run_process([sys.executable, "-c", code], watch=True)
    assert run.seconds >= 1
    assert 0 < run.cpu_seconds < run.seconds * 2
    assert run.peak_mb == pytest.approx(108, abs=20)
    assert run.output == "499999500000\n"
    with pytest.raises(RuntimeError, match=r"exit code 3\nwhy"):
        run_process([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"])


def test_memory_is_that_of_the_whole_tree() -> None:
    hold = "import time; held = bytearray(60_000_000); time.sleep(2)"
    code = f"import subprocess, sys; held = bytearray(60_000_000); subprocess.run([sys.executable, '-c', {hold!r}])"
    assert 120 < run_process([sys.executable, "-c", code], watch=True).peak_mb < 200


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_runs_over_the_whole_plane(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.stages.ENOUGH_SECONDS", 0)
    taken = measure(stage, 3, 2)
    assert taken["samples"] == samples_of(3, 2) == 1728
    assert taken["seconds"] > 0
    assert (taken["bytes"] > 0) == (stage not in ("generate", "fleet_index"))
    once = measure_once(stage, 3, 2)
    assert (once["passes"], once["bytes"]) == (1, taken["bytes"])


def test_what_is_written_directly_is_smaller_than_the_message_and_of_every_series() -> None:
    stages = {stage.__name__: stage for stage in PUSHED}
    source = fleet_source(100, 2)
    plain, direct, searched = (
        stages[name](source, Clock()) for name in ("remote_write_1_encode", "snappy_direct_1", "snappy_python")
    )
    assert direct < plain
    assert direct == pytest.approx(searched, rel=0.2)


def test_replayed_requests_are_those_of_a_push() -> None:
    source = fleet_source(1_700, 1)
    plan = plan_of(source)
    bodies = [*bodies_of(source)]
    assert len(bodies) == plan.requests > 2
    held = [WriteRequest.FromString(snappy.decompress(body)) for body in bodies]
    assert sum(len(series.samples) for request in held for series in request.timeseries) == source.samples
    assert [bool(request.metadata) for request in held[:2]] == [True, False]


def test_days_stand_side_by_side() -> None:
    source = fleet_source(3, 2)
    batch = source.batch(Tile(0, 576, 0, 3))
    bits, times = by_days(batch)
    assert bits.shape == (288, 6)
    assert bits[5, 4] == batch.values[288 + 5, 1].view("u8")
    assert times[5].tolist() == [batch.timestamps[5], batch.timestamps[293]]


def test_the_clock_adds_up_its_blocks_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.perf_counter", iter([0.0, 1.0, 10.0, 12.0]).__next__)
    clock = Clock()
    for _ in range(2):
        with clock:
            pass
    assert clock.seconds == 3


def test_a_process_knows_its_most_memory() -> None:
    assert peak_memory_mb() > 10


def test_cells_have_caps_and_rates() -> None:
    assert cap_of("blocks") == cap_of("xor_encode") == 3e8
    assert cap_of("openmetrics") == cap_of("openmetrics_text") == cap_of("verify_prometheus") == 3e7
    cell = cell_of("blocks", 10, 1, seconds=2.0, cpu_seconds=1.0, peak_mb=5.0, made=2880, runs=1)
    assert cell == Cell("blocks", 10, 1, 2880, 2.0, 1.0, 1440.0, 1.0, 5.0, 1)


def test_a_server_that_is_not_there_is_named_in_the_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert measure_cell("remote_write_prometheus", 1, 1).note == "missing: prometheus is not on this machine"


@pytest.mark.parametrize("stage", ["blocks", "verify_blocks", "create_blocks"])
def test_a_stage_that_is_a_process_runs(stage: str) -> None:
    cell = measure_cell(stage, 2, 1)
    assert cell.note == ""
    assert cell.bytes_per_sample > 1
    assert cell.peak_mb > 10
    assert WHOLE[stage].missing == ""


@pytest.mark.parametrize(
    ("place", "name"),
    [
        (("/a/xor_pack.py", 3, "_put"), "xor_pack._put"),
        (("~", 0, "<method 'take' of 'numpy.ndarray' objects>"), "numpy.ndarray.take"),
        (("~", 0, "<built-in method orjson.dumps>"), "orjson.dumps"),
    ],
)
def test_a_hot_spot_has_a_name(place: tuple[str, int, str], name: str) -> None:
    assert spot_name(*place) == name


def test_a_profile_says_what_limits_a_stage() -> None:
    own = [
        ("_thread.lock.acquire", 0.4),
        ("posix.fsync", 0.1),
        ("_io.FileIO.write", 0.1),
        ("bytes.join", 0.02),
        ("numpy.ndarray.take", 0.2),
    ]
    kinds = shares(own, imports=0.1)
    assert kinds == pytest.approx(
        {"waiting": 0.4, "disk": 0.2, "text": 0.02, "compression": 0, "start-up": 0.1, "arithmetic": 0.28}
    )
    said = limit_of(kinds, server=True)
    assert said == (
        "Limited by waiting: 40% of the time passes until the receiver has answered "
        "(arithmetic 28%, disk 20%, start-up 10%)."
    )
    assert "until its own threads have written and synced" in limit_of(kinds)
    assert (
        limit_of({"arithmetic": 0.97, "disk": 0.03})
        == "Limited by arithmetic: 97% of the time is work on arrays, and the Python around it."
    )
