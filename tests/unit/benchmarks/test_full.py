from __future__ import annotations

import argparse
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from benchmarks import full, growth, matrix, report, rivals
from benchmarks.charts import Axis, Bar, Line, bar_chart, line_chart
from benchmarks.comparison import Comparison, Side
from benchmarks.harness import Case, Figure, main
from benchmarks.headlines import section
from benchmarks.matrix import Cell
from benchmarks.receivers import PEERS
from benchmarks.rivals import Unmade


def known() -> dict[str, Any]:
    side = {"seconds": 1.0, "cpu_seconds": 1.0, "samples_per_second": 6.048e6, "bytes_per_sample": 7.8, "peak_mb": 68.0}
    return {
        "date": "2026-01-02",
        "commit": "abc",
        "machine": {"cpu": "A CPU", "cores": 2, "python": "3.11.7"},
        "versions": {"promtool": "2.42"},
        "comparisons": [
            {"name": "original_1000", "peer": "the original", "series": 1000, "peer_series": 1000,
             "days": 21, "ratio": 300.0, "extent": 0.0, "turns": 1, "own": side, "other": {**side, "seconds": 300.0},
             "control": None, "control_extent": 0.0, "started_ratio": None},
            {"name": "remote_write_replay", "peer": "the replay", "series": 1000, "peer_series": 1000,
             "days": 21, "ratio": 0.9, "extent": 0.1, "turns": 5, "own": side, "other": side,
             "control": 1.02, "control_extent": 0.08, "started_ratio": 0.95},
        ],
        "unmade": [
            {"name": "mockseries", "peer": "Mockseries", "why": "original is not installed on this machine",
             "failed": False},
            {"name": "sender", "peer": "a sender", "why": "RuntimeError: it |\n broke", "failed": True},
        ],
        "failures": ["sender failed: RuntimeError: it |\n broke"],
        "cells": [
            {"stage": "blocks", "series": 10_000, "days": 21, "samples": 60_480_000, "seconds": 2.0, "cpu_seconds": 2.0,
             "samples_per_second": 3.024e7, "bytes_per_sample": 7.7, "peak_mb": 68.0, "runs": 1, "note": ""},
            {"stage": "blocks", "series": 100_000, "days": 365, "note": "not run"},
            {"stage": "openmetrics", "series": 1, "days": 21, "note": "failed: RuntimeError: no\nroom"},
        ],
        "profiles": {"blocks": {"kinds": {"disk": 0.7, "arithmetic": 0.3}, "spots": [["posix.fsync", 0.5]]}},
        "growth": [
            {"name": "time", "size": "series", "unit": "s", "sizes": [100, 1000], "rounds": [[0.1, 1.0], [0.2, 2.0]],
             "cpu_rounds": [[0.1, 1.0], [0.2, 2.0]], "fleet": []},
        ],
    }  # fmt: skip


def test_the_page_holds_what_was_measured_what_was_not_and_what_was_missing() -> None:
    page = report.page(known())
    assert "| the original | 1,000 | 300 | 1 | one turn |  |  |" in page
    assert "| the replay | 1,000 | 0.90 | 5 | 10% | 1.02 (8%) | 0.95 |" in page
    assert "| a sender |  | failed: RuntimeError: it / broke |" in page
    assert "| 10,000 x 21 days | 2 | 2 | 30 | 7.70 | 68 | 1 |" in page
    assert "| 100,000 x 1 year | not run |" in page
    assert "| 1 x 21 days | failed: RuntimeError: no room |" in page
    assert "- Mockseries (mockseries): original is not installed on this machine" in page
    assert "**Failed in this run:**\n\n- sender failed: RuntimeError: it | broke" in page
    assert "Run up to 300 million samples. Limited by the disk: 70% of the time" in page
    assert "| time against series | 100: 0.15, 1,000: 1.5 s | 1.00 (1.00–1.00) | 1.00 |" in page
    assert "{" not in page


def test_the_readme_keeps_all_but_its_section() -> None:
    text = report.with_section("a\n<!-- benchmarks -->\nold\n<!-- /benchmarks -->\nb\n", section(known()))
    assert text.startswith("a\n<!-- benchmarks -->\n![")
    assert text.endswith("<!-- /benchmarks -->\nb\n")
    assert "old" not in text
    assert "30 M samples/s (10,000 series x 21 days" in text
    assert "reaches 0.90, 0.95 with start-up taken off (control: 1.02)" in text
    assert "at commit abc, 2026-01-02" in text
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


def test_the_peers_chart_has_short_names_and_no_yardstick() -> None:
    side = {"ratio": 2.0, "series": 100}
    title = "prometheus-remote-writer, a window of all series a request, into Prometheus"
    chart = report.peers_chart(
        {
            "comparisons": [
                {"name": "remote_writer_prometheus_100", "peer": title, **side},
                {"name": "remote_write_replay_prometheus", "peer": "replay of ready-made requests", **side},
            ]
        }
    )
    assert "prometheus-remote-writer, windows (Prometheus), 100 series" in chart
    assert "replay" not in chart
    ends = re.findall(r"<text x='([\d.]+)'[^>]*>prometheus-remote-writer", chart)
    assert float(ends[0]) > 58 * 7, "58 letters have room before it"


def test_an_axis_is_logarithmic_over_whole_decades() -> None:
    axis = Axis.over([2, 900], 0, 300)
    assert axis.ticks == [1, 10, 100, 1000]
    assert axis.at(10) == pytest.approx(100)


@pytest.mark.parametrize("path", sorted((PEERS / "requirements").glob("*.txt")), ids=lambda path: path.stem)
def test_peers_are_locked_without_an_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert re.findall(r"^([\w.-]+)==", text, re.M)
    assert all("--hash=" in entry for entry in re.findall(r"^[\w.-]+==.*(?:\\\n.*)+", text, re.M))


def test_a_module_runs_another_fleet_alone(capsys: pytest.CaptureFixture[str]) -> None:
    def cell(series: int, days: int) -> list[Case]:
        return [Figure(f"{series} x {days}", "x", lambda: 1.0)]

    with pytest.raises(SystemExit) as ended:
        main(lambda quick: [], cell=cell, argv=["--series", "7", "--days", "3"])
    assert ended.value.code == 0
    assert "7 x 3" in capsys.readouterr().out


def record(path: Path, **known: Any) -> full.Record:
    return full.Record(path / "figures.json", known)


def test_one_comparison_measured_again_keeps_the_others(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    side = Side(1, 1, 1, 1, 1)
    again = [Comparison("b", "p", 1, 1, 21, 1, side, side, 9.0, 0.0), Unmade("c", "q", "it broke", failed=True)]
    monkeypatch.setattr(rivals, "measure_all", lambda names: iter(again))
    comparisons = [{"name": "a", "ratio": 1}, {"name": "b", "ratio": 2}, {"name": "c", "ratio": 3}]
    kept = record(tmp_path, comparisons=comparisons, unmade=[{"name": "b"}, {"name": "d"}])
    full.measure_rivals(kept, ["b", "c"])
    written = json.loads(kept.path.read_text())
    assert [(one["name"], one["ratio"]) for one in written["comparisons"]] == [("a", 1), ("b", 9.0)]
    assert [one["name"] for one in written["unmade"]] == ["d", "c"]


def test_a_cell_that_fails_is_told_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def inside(stage: str, series: int, days: int) -> Cell:
        if series == 10:
            raise pytest.fail.Exception("no server")
        return matrix.cell_of(stage, series, days, seconds=1.0, cpu_seconds=1.0, peak_mb=1.0, made=1, runs=1)

    def no_profile(stage: str) -> None:
        raise RuntimeError("lost")

    monkeypatch.setattr(matrix, "measure_inside", inside)
    monkeypatch.setattr(matrix, "profile", no_profile)
    monkeypatch.setattr(matrix, "RANGES", {"21 days": 21})
    monkeypatch.setattr(matrix, "SERIES", (1, 10, 100))
    kept = record(tmp_path)
    full.measure_matrix(kept, ["generate"])
    assert [bool(cell["note"]) for cell in json.loads(kept.path.read_text())["cells"]] == [False, True, False]
    assert full.failures_of(kept.known) == [
        "generate, 10 series x 21 days failed: Failed: no server",
        "the profile of generate failed: RuntimeError: lost",
    ]


def test_growth_that_fails_keeps_what_was_measured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def measured() -> Iterator[growth.Growth]:
        yield growth.Growth("time", "days", "s", (1, 2), ((1.0, 2.0),))
        raise RuntimeError("no room")

    monkeypatch.setattr(growth, "measure_all", measured)
    kept = record(tmp_path)
    full.measure(kept, "growth", full.measure_growth)
    written = json.loads(kept.path.read_text())
    assert [one["size"] for one in written["growth"]] == ["days"]
    assert written["failures"] == ["growth broke off: RuntimeError: no room"]
    full.measure(kept, "growth", lambda record: None)
    assert kept.known["failures"] == []


def test_a_part_that_is_broken_off_leaves_what_it_had(tmp_path: Path) -> None:
    def run(kept: full.Record) -> None:
        kept.put("cells", {"stage": "a", "note": ""}, "stage")
        raise KeyboardInterrupt

    kept = record(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        full.measure(kept, "matrix", run)
    written = json.loads(kept.path.read_text())
    assert written["cells"] == [{"stage": "a", "note": ""}]
    assert "took" not in written


def test_parts_are_measured_again_at_the_same_commit_only(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text(json.dumps({"commit": "abc", "date": "old", "cells": [1]}))
    assert full.opened(path, {"commit": "abc", "date": "new"}, whole=False).known == {
        "commit": "abc", "date": "new", "cells": [1],
    }  # fmt: skip
    with pytest.raises(ValueError, match="is of commit abc, this is def"):
        full.opened(path, {"commit": "def"}, whole=False)
    assert full.opened(path, {"commit": "def"}, whole=True).known == {"commit": "def"}


def test_a_checkout_is_not_changed_by_what_a_run_writes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(full, "ROOT", tmp_path)
    assert full.commit() == "unknown"
    for path in ("docs/benchmarks.md", "docs/benchmarks/a.svg", "README.md", "code.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("old")
    full.git("init", "--quiet")
    full.git("add", ".")
    full.git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message", "first")
    for path in ("docs/benchmarks.md", "docs/benchmarks/a.svg", "README.md", "docs/benchmarks.json"):
        (tmp_path / path).write_text("new")
    assert re.fullmatch("[0-9a-f]{7,}", full.commit())
    (tmp_path / "code.py").write_text("new")
    assert full.commit().endswith("+")


def test_a_name_that_there_is_not_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    with pytest.raises(SystemExit) as ended:
        full.wanted(parser, argparse.Namespace(rivals="", stages="bloks", only=""))
    assert ended.value.code == 2
    assert "not valid: bloks" in capsys.readouterr().err
    assert [*full.wanted(parser, argparse.Namespace(rivals="original_1", stages="blocks", only="growth"))] == [
        "rivals", "matrix",
    ]  # fmt: skip
