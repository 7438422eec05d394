from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare, full, report, rivals
from benchmarks.charts import Axis, Bar, Line, bar_chart, line_chart
from benchmarks.growth import fitted
from benchmarks.harness import Case, Figure, main
from benchmarks.matrix import Cell, cap_of, cell_of
from benchmarks.processes import ROOT, Run, run_process, samples_of
from benchmarks.profiles import spot_name
from benchmarks.receivers import PEERS, Turn
from benchmarks.rivals import Comparison, Rival, Side, compared
from benchmarks.stages import STAGES, Clock, by_days, fleet_source, measure, peak_memory_mb
from promfill.plan import Tile


def known() -> dict[str, Any]:
    side = {"seconds": 1.0, "cpu_seconds": 1.0, "samples_per_second": 6.048e6, "bytes_per_sample": 7.8, "peak_mb": 68.0}
    return {
        "date": "2026-01-02",
        "commit": "abc",
        "machine": {"cpu": "A CPU", "cores": 2, "python": "3.11.7"},
        "versions": {"promtool": "2.42"},
        "comparisons": [
            {"name": "original_1000", "peer": "the original", "series": 1000, "peer_series": 1000,
             "days": 21, "note": "", "ratio": 300.0, "spread": 0.1, "turns": 3, "own": side,
             "other": {**side, "seconds": 300.0}, "control": None},
        ],
        "missing": ["mockseries: not to be had on this machine"],
        "cells": [
            {"stage": "blocks", "series": 10_000, "days": 21, "samples": 60_480_000, "seconds": 2.0, "cpu_seconds": 2.0,
             "samples_per_second": 3.024e7, "bytes_per_sample": 7.7, "peak_mb": 68.0, "runs": 1, "note": ""},
            {"stage": "blocks", "series": 100_000, "days": 365, "note": "not run"},
        ],
        "growth": [
            {"name": "time", "size": "series", "unit": "s", "sizes": [100, 1000], "values": [0.1, 1.0], "exponent": 1.0,
             "local_exponents": [1.0], "range": 9.0},
        ],
    }  # fmt: skip


def test_the_page_holds_what_was_measured_what_was_not_and_what_was_missing() -> None:
    page = report.page(known())
    assert re.search(r"\| the original \| 1,000 \| 300 \| 3 \| 10% \|", page)
    assert "| 10,000 x 21 days | 2 | 2 | 30 | 7.70 | 68 |" in page
    assert "| 100,000 x 1 year | not run |" in page
    assert "- mockseries: not to be had on this machine" in page
    assert "{" not in page


def test_the_readme_keeps_all_but_its_section() -> None:
    text = report.with_section("a\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nb\n", report.readme_section(known()))
    assert text.startswith("a\n<!-- benchmarks -->\n![")
    assert text.endswith("<!-- /benchmarks -->\nb\n")
    assert "old" not in text
    assert "30 M samples/s (10,000 series x 21 days" in text
    with pytest.raises(ValueError, match="lacks"):
        report.with_section("no marks", "section")


def test_the_projects_readme_has_a_section() -> None:
    assert report.with_section(report.README.read_text(), "")


def test_charts_are_xml_with_every_name_in_them() -> None:
    lines = line_chart("a < b", "series", "s", [Line("one", [(1, 0.1), (100, 20)]), Line("two", [(10, 1)])])
    bars = bar_chart("title", "note", [Bar("peer", 300, "300")])
    for chart, names in ((lines, ["a < b", "series", "one", "two", "0.1"]), (bars, ["title", "note", "peer", "300"])):
        texts = [element.text for element in ET.fromstring(chart).iter() if element.text]
        assert set(names) <= set(texts)


def test_an_axis_is_logarithmic_over_whole_decades() -> None:
    axis = Axis.over([2, 900], 0, 300)
    assert axis.ticks == [1, 10, 100, 1000]
    assert axis.at(10) == pytest.approx(100)


def test_a_power_law_is_found() -> None:
    growth = fitted("time", "series", "s", [1, 10, 100], [2.0, 20.0, 200.0])
    assert growth.exponent == pytest.approx(1)
    assert growth.local_exponents == pytest.approx([1, 1])
    assert growth.range == pytest.approx(99)


def test_a_process_is_timed_weighed_and_heard() -> None:
    code = "x = bytearray(10**8); import time; time.sleep(0.3); print(sum(range(10**6)))"
    run = run_process([sys.executable, "-c", code], watch=True)
    assert run.seconds >= 0.3
    assert 0 < run.cpu_seconds < 10
    assert run.peak_mb == pytest.approx(108, abs=20)
    assert run.output == "499999500000\n"
    with pytest.raises(RuntimeError, match=r"exit code 3\nwhy"):
        run_process([sys.executable, "-c", "import sys; print('why'); sys.exit(3)"])


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_runs_over_the_whole_plane(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.stages.ENOUGH_SECONDS", 0)
    taken = measure(stage, 3, 2)
    assert taken["samples"] == samples_of(3, 2) == 1728
    assert taken["seconds"] > 0
    assert (taken["bytes"] > 0) == (stage != "generate")


def test_days_stand_side_by_side() -> None:
    source = fleet_source(3, 2)
    batch = source.batch(Tile(0, 576, 0, 3))
    bits, times = by_days(batch)
    assert bits.shape == (288, 6)
    assert bits[5, 4] == batch.values[288 + 5, 1].view("u8")
    assert times[5].tolist() == [batch.timestamps[5], batch.timestamps[293]]


def test_the_clock_adds_up_its_blocks_only() -> None:
    clock = Clock()
    for _ in range(2):
        with clock:
            sum(range(10_000))
    assert 0 < clock.seconds < 1
    assert peak_memory_mb() > 10


def test_cells_over_the_cap_are_not_run() -> None:
    assert cap_of("blocks", large=False) < cap_of("blocks", large=True)
    assert cap_of("openmetrics", large=False) == cap_of("openmetrics", large=True)
    cell = cell_of("blocks", 10, 1, seconds=2.0, cpu_seconds=1.0, peak_mb=5.0, made=2880, runs=1)
    assert cell == Cell("blocks", 10, 1, 2880, 2.0, 1.0, 1440.0, 1.0, 5.0, 1)


def rival(**more: Any) -> Rival:
    def turn() -> Turn:
        return Turn(Run(1.0, 1.0))

    return Rival(
        **{"name": "r", "peer": "p", "needs": (), "own": turn, "other": turn, "series": 10, "turns": 2, **more}
    )


def test_a_comparison_is_the_median_of_its_pairs_for_equal_work() -> None:
    own, other = [Turn(Run(1, 1)), Turn(Run(2, 2))], [Turn(Run(4, 4)), Turn(Run(12, 12))]
    assert compared(rival(), own, other).ratio == 5
    assert compared(rival(peer_series=5), own, other).ratio == 10


def test_a_peer_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("benchmarks.receivers.ENVIRONMENTS", tmp_path)
    monkeypatch.setattr(rivals, "rivals", lambda: [rival(needs=("no-such-program",)), rival(name="there")])
    done, missing = rivals.measure_all(["r", "there"])
    assert [one.name for one in done] == ["there"]
    assert missing == ["p (r): no-such-program is not to be had on this machine"]


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


@pytest.mark.parametrize("path", sorted((PEERS / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_peers_are_locked_without_an_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert re.findall(r"^([\w.-]+)==", text, re.M)
    assert all("--hash=" in entry for entry in re.findall(r"^[\w.-]+==.*(?:\\\n.*)+", text, re.M))


def test_two_commits_take_turns(tmp_path: Path) -> None:
    order: list[Path] = []

    def take(root: Path) -> compare.Taken:
        order.append(root)
        return compare.Taken(2.0 if root == tmp_path else 1.0, 100, 50.0)

    line = compare.compare(compare.Measure("case", 1_000_000, take), tmp_path, turns=2)
    assert line.split() == ["case", "0.50", "1.00", "2.000", "0%", "1.000", "1.000"]
    assert order == [tmp_path, ROOT, ROOT, tmp_path]


def test_a_commit_that_is_none_is_named() -> None:
    with pytest.raises(SystemExit, match="no-such-commit"), compare.laid_out("no-such-commit"):
        pass


def test_a_module_runs_another_fleet_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def cell(series: int, days: int) -> list[Case]:
        return [Figure(f"{series} x {days}", "x", lambda: 1.0)]

    with pytest.raises(SystemExit) as ended:
        main(lambda quick: [], cell=cell, argv=["--series", "7", "--days", "3"])
    assert ended.value.code == 0
    assert "7 x 3" in capsys.readouterr().out


def test_one_comparison_measured_again_keeps_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    side = Side(1, 1, 1, 1, 1)
    again = Comparison("b", "p", 1, 1, 21, 9.0, 0, 1, side, side)
    monkeypatch.setattr(rivals, "measure_all", lambda names: ([again], []))
    known: dict[str, Any] = {
        "comparisons": [{"name": "a", "ratio": 1}, {"name": "b", "ratio": 2}],
        "missing": ["p (b) failed", "q (c)"],
    }
    full.merge_rivals(known, ["b"])
    assert [(one["name"], one["ratio"]) for one in known["comparisons"]] == [("a", 1), ("b", 9.0)]
    assert known["missing"] == ["q (c)"]
