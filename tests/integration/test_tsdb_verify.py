"""``promfill tsdb analyze`` and ``verify``: promtool's figures, every kind of damage, and what stores would say."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from promfill.cli import run
from promfill.rules.mimir import BlockFacts
from promfill.rules.verdicts import HOUR, WholeBlock, verdicts
from tests.support.cli import Promfill, runner
from tests.support.golden import FOLDER
from tests.support.servers import run_promtool

WHAT = ("--metric-name", "vpn", "--labels", "i={1..7},zone={a,b}", "--start", "1702800000", "--end", "1703000000")
NOW = 1_790_000_000_000
DAY = 24 * HOUR


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str]) -> Promfill:
    return runner(capsys)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert run(["push", "-q", *WHAT, "--output-dir", str(tmp_path / "data")]) == 0
    return tmp_path / "data"


def sections(text: str) -> list[list[str]]:
    """The parts of the report, the rows of each in one order: promtool's own changes from run to run."""
    return [[part.split("\n")[0], *sorted(part.split("\n")[1:])] for part in text.strip("\n").split("\n\n")]


@pytest.mark.server
@pytest.mark.parametrize("flags", [[], ["--extended"]])
def test_analyze_counts_as_promtool(promfill: Promfill, data: Path, flags: list[str]) -> None:
    for directory in (data, FOLDER / "block_floats", FOLDER / "block_histograms"):
        expected = run_promtool("tsdb", "analyze", *flags, "--limit=1000", directory)
        result = promfill("tsdb", "analyze", *flags, "--limit", "1000", str(directory))
        assert (result.code, sections(result.out)) == (expected.returncode, sections(expected.stdout))
    names = sorted(path.name for path in data.iterdir())
    expected = run_promtool("tsdb", "analyze", "--limit=0", data, names[0])
    assert promfill("tsdb", "analyze", "--limit", "0", str(data), names[0]).out == expected.stdout


def test_analyze_puts_equal_figures_in_the_order_of_their_names(promfill: Promfill, data: Path) -> None:
    text = promfill("tsdb", "analyze", "--limit", "3", str(data)).out
    assert "Most common label pairs:\n14 __name__=vpn\n7 zone=a\n7 zone=b\n" in text
    assert "Highest cardinality labels:\n7 i\n2 zone\n1 __name__\n" in text
    missing = promfill("tsdb", "analyze", str(data), "01M86VBYCAGN0NVX0WYDKCAS21")
    assert (missing.code, "does not contain" in missing.err) == (2, True)


def test_verify_says_what_blocks_hold_and_who_takes_them(promfill: Promfill, data: Path) -> None:
    result = promfill("tsdb", "verify", str(data))
    assert result.code == 0
    assert "intact  14 series, 42 chunks, 4,032 samples" in result.out
    assert "3 of 3 blocks are intact" in result.out
    assert "Mimir:      yes" in result.out
    assert "  not all: no external labels" in result.out
    facts = promfill("tsdb", "verify", str(data), "--json").json
    assert facts["right"]
    assert [block["samples"] for block in facts["blocks"]] == [2688, 4032, 2604]
    assert facts["blocks"][0]["stores"]["mimir"] == {"takes": True, "reasons": [], "notes": []}


@pytest.mark.parametrize("name", ["index", "chunks/000001", "meta.json", "tombstones"])
def test_damage_is_named_and_the_other_blocks_are_still_checked(promfill: Promfill, data: Path, name: str) -> None:
    first, *_ = sorted(data.iterdir())
    content = bytearray((first / name).read_bytes())
    content[len(content) // 2] ^= 1
    (first / name).write_bytes(content)
    result = promfill("tsdb", "verify", str(data), "--json")
    assert result.code == 1
    assert f"1 of 3 blocks are damaged: {first}" in result.err
    wrong, *others = result.json["blocks"]
    assert name.split("/")[0] in wrong["wrong"]
    assert not any(store["takes"] for store in wrong["stores"].values())
    assert all(block["right"] for block in others)


def test_a_block_under_another_name_is_wrong(promfill: Promfill, data: Path) -> None:
    first, *_ = sorted(data.iterdir())
    first.rename(data / "01M86VBYCAGN0NVX0WYDKCAS21")
    assert "not the directory's name" in promfill("tsdb", "verify", str(data)).out


def test_one_block_and_none(promfill: Promfill, data: Path, tmp_path: Path) -> None:
    first, *_ = sorted(data.iterdir())
    assert "1 of 1 block is intact" in promfill("tsdb", "verify", str(first)).out
    shutil.rmtree(data)
    data.mkdir()
    assert promfill("tsdb", "verify", str(data)).code == promfill("tsdb", "verify", str(data / "no")).code == 2


def test_overlapping_blocks_halt_thanos_under_the_same_labels_alone(promfill: Promfill, data: Path) -> None:
    run(["push", "-q", "--metric-name", "x", *WHAT[4:], "--output-dir", str(data)])
    blocks = promfill("tsdb", "verify", str(data), "--json").json["blocks"]
    assert all(any("overlap" in text for text in block["stores"]["thanos"]["reasons"]) for block in blocks)
    for number, path in enumerate(sorted(data.iterdir())):
        meta = json.loads((path / "meta.json").read_text())
        meta["thanos"] = {"labels": {"replica": str(number)}, "downsample": {"resolution": 0}}
        (path / "meta.json").write_text(json.dumps(meta))
    blocks = promfill("tsdb", "verify", str(data), "--json").json["blocks"]
    assert all(block["stores"]["thanos"]["takes"] for block in blocks)
    assert all("external label" in block["stores"]["mimir"]["reasons"][0] for block in blocks)


def whole(start: int, end: int, chunks: dict[int, int] | None = None, **thanos: object) -> WholeBlock:
    document = {"version": 1, "minTime": start, "maxTime": end, "thanos": {"labels": {"a": "b"}, **thanos}}
    return WholeBlock(BlockFacts(document, {"index": 100, "chunks/000001": 9}, 2), chunks or {1: 1})


def test_what_stores_say_to_times_encodings_and_downsampling() -> None:
    start = NOW // DAY * DAY
    assert "3 hours" in verdicts(whole(start - DAY, NOW - HOUR), NOW)["Prometheus"].notes[0]
    assert "15 days" in verdicts(whole(start - 20 * DAY, start - 19 * DAY), NOW)["Prometheus"].notes[0]
    assert "14 days" in verdicts(whole(0, 14 * DAY + 1), NOW)["Thanos"].notes[0]
    assert verdicts(whole(0, 14 * DAY), NOW)["Thanos"].notes == []
    xor2 = verdicts(whole(start - DAY, start, {1: 3, 4: 1}), NOW)
    assert (xor2["Prometheus"].takes, xor2["Thanos"].takes) == (True, False)
    assert "XOR2" in xor2["Thanos"].reasons[0]
    downsampled = verdicts(whole(start - DAY, start, downsample={"resolution": 300_000}), NOW)
    assert (downsampled["Thanos"].takes, downsampled["Mimir"].takes) == (True, False)
    assert not verdicts(whole(start - DAY, start, downsample={"resolution": 7}), NOW)["Thanos"].takes
