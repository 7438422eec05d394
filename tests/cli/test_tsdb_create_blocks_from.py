"""What ``promfill tsdb create-blocks-from openmetrics`` says, and what its options do."""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
from pathlib import Path

import pytest

from promfill.cli.text.block_table import align, binary_size, block_row, go_duration
from promfill.codecs.block.meta import BlockMeta, BlockStats
from tests.support.cli import Promfill

TEXT = b'a{b="c"} 1 0\na{b="c"} 2 7199.999\na{b="d"} 3 7200\n# EOF\n'
COMMAND = ("tsdb", "create-blocks-from")


@pytest.fixture
def text(tmp_path: Path) -> str:
    path = tmp_path / "text"
    path.write_bytes(TEXT)
    return str(path)


def metas(directory: str = "data") -> list[dict[str, int]]:
    return sorted(
        (json.loads(path.read_bytes()) for path in Path(directory).glob("*/meta.json")),
        key=lambda meta: meta["minTime"],
    )


def test_the_table(text: str, promfill: Promfill) -> None:
    result = promfill(*COMMAND, "openmetrics", text)
    first, second = (meta["ulid"] for meta in metas())
    assert [line.split("  ")[0] for line in result.out.splitlines()] == ["BLOCK ULID", first, second]
    assert [" ".join(line[28:].split()[:6]) for line in result.out.splitlines()[1:]] == [
        "0 7200000 2h0m0s 2 1 1",
        "7200000 7200001 1ms 1 1 1",
    ]
    assert (result.code, result.err) == (0, "")


@pytest.mark.parametrize("before", [True, False])
def test_options_of_promtool_stand_on_either_side(before: bool, text: str, promfill: Promfill) -> None:
    for option in ("-r", "-q", "--max-block-duration=6h"):
        words = (option, "openmetrics", text) if before else ("openmetrics", option, text)
        result = promfill(*COMMAND, *words, "out" + option)
        assert result.code == 0
        assert ("1970-01-01 00:00:00 +0000 UTC  1970-01-01 02:00:00 +0000 UTC  2h0m0s" in result.out) == (
            option == "-r"
        )
        assert (result.out == "") == (option == "-q")
        assert len(metas("out" + option)) == (1 if "6h" in option else 2)


def test_days(promfill: Promfill, tmp_path: Path) -> None:
    path = tmp_path / "text"
    path.write_bytes(b"a 1 86399.999\na 1 86400\na 1 172799\n# EOF\n")
    assert promfill(*COMMAND, "openmetrics", "--utc-days", str(path)).code == 0
    assert [(meta["minTime"], meta["maxTime"]) for meta in metas()] == [(86399999, 86400000), (86400000, 172799001)]


def test_json(text: str, promfill: Promfill) -> None:
    result = promfill(*COMMAND, "openmetrics", text, "out", "--json")
    report = result.json
    assert report.pop("seconds") >= 0
    assert report.pop("samples_per_second") >= 0
    blocks = report.pop("blocks")
    assert report == {
        "schema": 1,
        "command": "tsdb create-blocks-from openmetrics",
        "destination": "out",
        "samples": 3,
        "series": 2,
        "lines": 4,
        "doubled": 0,
        "exemplars": 0,
        "overlapping": [],
        "findings": [],
    }
    assert [block["ulid"] for block in blocks] == [meta["ulid"] for meta in metas("out")]
    assert blocks[1].keys() == {"ulid", "path", "min_time", "max_time", "samples", "chunks", "series", "bytes"}
    assert sum(block["samples"] for block in blocks) == 3


def test_standard_input_and_gzip_make_the_same_blocks(
    text: str, promfill: Promfill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Input:
        buffer = io.BytesIO(TEXT)

    monkeypatch.setattr(sys, "stdin", Input)
    packed = tmp_path / "text.gz"
    packed.write_bytes(gzip.compress(TEXT))
    tables = [promfill(*COMMAND, "openmetrics", one, "out").out for one in (text, "-", str(packed))]
    assert tables[0] == tables[1] == tables[2] != ""


def test_labels(text: str, promfill: Promfill) -> None:
    result = promfill(*COMMAND, "openmetrics", "--label", "job=x=y", "--label", "b=", "--json", text)
    assert (result.code, result.json["series"]) == (0, 1)


def test_what_is_dropped_and_what_overlaps_is_said(text: str, promfill: Promfill, tmp_path: Path) -> None:
    path = tmp_path / "more"
    path.write_bytes(b'a_total 1 1 # {t="u"} 1\na_total 1 1\n# EOF\n')
    promfill(*COMMAND, "openmetrics", text)
    first, _ = (meta["ulid"] for meta in metas())
    assert promfill(*COMMAND, "openmetrics", str(path)).err == (
        "1 exemplar dropped: blocks cannot hold exemplars\n"
        "1 duplicate sample appears in the text: each is kept once\n"
        f"promfill: warning: block data/{first} (2 samples) already holds samples of this time; Prometheus merges "
        "overlapping blocks, Thanos halts\n"
    )
    assert promfill(*COMMAND, "-q", "openmetrics", str(path)).err == ""


def test_a_block_of_the_last_hours_is_a_danger_to_a_live_directory(promfill: Promfill, tmp_path: Path) -> None:
    path = tmp_path / "now"
    path.write_bytes(b"a 1 %d\n# EOF\n" % (time.time() - 3600))
    assert "the newest block ends within the last 3 hours" in promfill(*COMMAND, "openmetrics", str(path)).err


def test_no_table_is_printed_where_there_is_no_sample(promfill: Promfill, tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.write_bytes(b"# EOF\n")
    result = promfill(*COMMAND, "openmetrics", str(path))
    assert (result.code, result.out) == (0, "")
    assert result.err == "the text contains no samples, so no block was made\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("missing",), "cannot read missing: No such file or directory"),
        (
            ("--utc-days", "--max-block-duration=6h", "text"),
            "--utc-days and --max-block-duration cannot be used together: leave one of them out",
        ),
        (("--max-block-duration=soon", "text"), "--max-block-duration 'soon' is not a valid duration"),
        (("--label", "x", "text"), "--label 'x' is not a valid label: write it as name=value"),
        (("--label", "0=x", "text"), "--label '0=x' is not a valid label: write it as name=value"),
        (("--label", "a=x", "--label", "a=y", "text"), "--label a is given twice"),
        (("--label", "__name__=x", "text"), "--label __name__ would rename every metric"),
        (("bad",), "line 2: a sample without a timestamp"),
        (("twice",), '{__name__="a"} has two values at 1970-01-01T00:00:01Z (1): 1.0 and 2.0; leave one out'),
        (("text", "file/data"), "the output directory file/data cannot be"),
    ],
)
def test_what_is_refused_leaves_nothing(words: tuple[str, ...], message: str, promfill: Promfill) -> None:
    Path("text").write_bytes(TEXT)
    Path("bad").write_bytes(b"a 1 1\na 1\n# EOF\n")
    Path("twice").write_bytes(b"a 1 1\na 2 1\n# EOF\n")
    Path("file").touch()
    before = sorted(Path().rglob("*"))
    result = promfill(*COMMAND, "openmetrics", *words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"promfill: error: {message}")
    assert result.err.count("\n") == 1
    assert sorted(Path().rglob("*")) == before


def test_options_come_from_the_environment(text: str, promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMFILL_TSDB_CREATE_BLOCKS_FROM_OPENMETRICS_MAX_BLOCK_DURATION", "6h")
    assert promfill(*COMMAND, "openmetrics", text).code == 0
    assert len(metas()) == 1


def test_a_bar_where_stderr_is_a_terminal(text: str, promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    result = promfill(*COMMAND, "openmetrics", text)
    assert "reading" in result.err
    assert "0 MB, 3 samples" in result.err
    assert "writing" in result.err

    class Input:
        buffer = io.BytesIO(TEXT)

    monkeypatch.setattr(sys, "stdin", Input)  # of unknown size
    assert "0 MB, 3 samples" in promfill(*COMMAND, "openmetrics", "-").err


def test_help_lists_the_commands(promfill: Promfill) -> None:
    assert "create-blocks-from" in promfill("tsdb", "--help").out
    assert "--utc-days" in promfill(*COMMAND, "openmetrics", "--help").out


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0s"),
        (1, "1ms"),
        (999, "999ms"),
        (1000, "1s"),
        (3001, "3.001s"),
        (59_990, "59.99s"),
        (60_000, "1m0s"),
        (7_199_999, "1h59m59.999s"),
        (7_200_000, "2h0m0s"),
        (360_000_000, "100h0m0s"),
    ],
)
def test_durations_as_go_writes_them(ms: int, text: str) -> None:
    assert go_duration(ms) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0B"), (597, "597B"), (1024, "1KiB"), (2100, "2KiB52B"), (1 << 20 | 1, "1MiB1B"), (1 << 30, "1GiB")],
)
def test_sizes_as_promtool_writes_them(size: int, text: str) -> None:
    assert binary_size(size) == text


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "1970-01-01 00:00:00"),
        (1_565_133_713_989, "2019-08-06 23:21:53"),
        (13_569_465_600_000, "2400-01-01 00:00:00"),
        (253_402_300_799_999, "9999-12-31 23:59:59"),
        (253_402_300_800_000, "10000-01-01 00:00:00"),
    ],
)
def test_times_for_people(ms: int, text: str) -> None:
    meta = BlockMeta("01M86VBYCAGN0NVX0WYDKCAS21", ms, ms, BlockStats(1, 1, 1))
    assert block_row(meta, 1, human=True)[1] == f"{text} +0000 UTC"


def test_columns_are_at_least_13_wide() -> None:
    assert align([["a", "b" * 12, "c"]]) == ["a            " + "b" * 12 + "  c"]
