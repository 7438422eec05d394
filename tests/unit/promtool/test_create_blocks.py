"""Text to blocks: Prometheus's own cases, and what promfill keeps or refuses where promtool loses or hangs."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from promfill.blocks.block import open_block
from promfill.blocks.check import check_block
from promfill.blocks.files import BlockFiles
from promfill.codecs.block.meta import BlockMeta
from promfill.errors import InputError, OutputError
from promfill.promtool.create_blocks import SHORTEST_BLOCK, BlocksReport, block_duration, create_blocks
from promfill.promtool.text_pieces import TextPieces
from promfill.scenario.times import DAY_MS
from tests.support.blocks import samples_by_labels
from tests.support.readback import bits_of

HOUR = 3_600_000
Samples = dict[str, dict[int, float]]


def make(
    text: bytes, directory: Path, *, capacity: int = 1 << 16, piece: int = 1 << 16, **options: Any
) -> BlocksReport:
    return create_blocks(TextPieces(io.BytesIO(text), "text", piece), directory, capacity=capacity, **options)


def read(directory: Path) -> Samples:
    """Every sample of every block, once each; every block is checked as Prometheus would."""
    found: Samples = {}
    for path in sorted(directory.iterdir()):
        block = open_block(path)
        check_block(block, decode=True)
        for labels, samples in samples_by_labels(block).items():
            name = dict(labels)["__name__"] + "".join(f" {k}={v}" for k, v in labels if k != "__name__")
            series = found.setdefault(name, {})
            for time, bits in samples:
                assert time not in series
                series[time] = float(np.uint64(bits).view(np.float64))
    return found


@dataclass(frozen=True)
class Case:
    """One of cmd/promtool/backfill_test.go (prometheus/prometheus): text, and the blocks that it makes."""

    about: str
    text: str
    samples: Mapping[str, Mapping[int, float]]
    blocks: int
    longest: int = 0
    duration: int = SHORTEST_BLOCK
    labels: Mapping[str, str] = field(default_factory=dict)


REQUESTS = "# HELP http_requests_total The total number of HTTP requests.\n# TYPE http_requests_total counter\n"
OK, BAD = "http_requests_total code=200", "http_requests_total code=400"


def requests(*rows: tuple[int, float, str]) -> str:
    lines = [f'http_requests_total{{code="{code}"}} {value:g} {time}\n' for code, value, time in rows]
    return REQUESTS + "".join(lines) + "# EOF\n"


CASES = [
    Case("empty", "# EOF", {}, 0),
    Case(
        "two series, two times",
        requests((200, 1021, "1565133713.989"), (400, 1, "1565133713.990")),
        {OK: {1565133713989: 1021}, BAD: {1565133713990: 1}},
        1,
    ),
    Case(
        "three days apart",
        requests((200, 1021, "1565133713.989"), (200, 1022, "1565392913.989"), (200, 1023, "1565652113.989")),
        {OK: {1565133713989: 1021, 1565392913989: 1022, 1565652113989: 1023}},
        3,
    ),
    Case(
        "the later series first",
        '# TYPE go info\ngo_info{version="go1.15.3"} 1 1565392913.989\n' + requests((200, 1021, "1565133713.989")),
        {"go_info version=go1.15.3": {1565392913989: 1}, OK: {1565133713989: 1021}},
        2,
    ),
    Case(
        "two times in a series",
        requests((200, 1021, "1565133713.989"), (200, 1, "1565133714.989"), (400, 2, "1565133715.989")),
        {OK: {1565133713989: 1021, 1565133714989: 1}, BAD: {1565133715989: 2}},
        1,
    ),
    Case(
        "a long block",
        requests((200, 1021, "1624463088.000"), (200, 1, "1627055153.000"), (400, 2, "1627056153.000")),
        {OK: {1624463088000: 1021, 1627055153000: 1}, BAD: {1627056153000: 2}},
        1,
        longest=2048 * HOUR,
        duration=1458 * HOUR,
    ),
    Case(
        "two long blocks",
        requests((200, 1, "1624463088.000"), (200, 2, "1629503088.000"), (200, 3, "1629863088.000")),
        {OK: {1624463088000: 1, 1629503088000: 2, 1629863088000: 3}},
        2,
        longest=2048 * HOUR,
        duration=1458 * HOUR,
    ),
    Case(
        "longer than the longest",
        requests((200, 1, "1624463088.000"), (200, 2, "1765943088.000"), (200, 3, "1768463088.000")),
        {OK: {1624463088000: 1, 1765943088000: 2, 1768463088000: 3}},
        2,
        longest=200000 * HOUR,
        duration=39366 * HOUR,
    ),
    Case(
        "four blocks",
        requests(
            (200, 1021, "1565133713.989"),
            (200, 1022, "1565144513.989"),
            (400, 2, "1565155313.989"),
            (400, 1, "1565166113.989"),
        ),
        {OK: {1565133713989: 1021, 1565144513989: 1022}, BAD: {1565155313989: 2, 1565166113989: 1}},
        4,
    ),
    Case(
        "more samples than are held at once",
        requests(
            (200, 1021, "1565133713.989"),
            (200, 1022, "1565133714"),
            (200, 1023, "1565133716"),
            (200, 1022, "1565144513.989"),
            (400, 2, "1565155313.989"),
            (400, 3, "1565155314"),
            (400, 1, "1565166113.989"),
        ),
        {
            OK: {1565133713989: 1021, 1565133714000: 1022, 1565133716000: 1023, 1565144513989: 1022},
            BAD: {1565155313989: 2, 1565155314000: 3, 1565166113989: 1},
        },
        4,
    ),
    Case(
        "a series over all of a block (prometheus#8476)",
        requests((200, 1021, "0"), (200, 1022, "7199"), (400, 1023, "0"), (400, 1024, "7199")),
        {OK: {0: 1021, 7199000: 1022}, BAD: {0: 1023, 7199000: 1024}},
        1,
    ),
    Case("no metadata", 'no_help_no_type{foo="bar"} 42 6900\n# EOF\n', {"no_help_no_type foo=bar": {6900000: 42}}, 1),
    Case("no newline after EOF", "no_newline_after_eof 42 6900\n# EOF", {"no_newline_after_eof": {6900000: 42}}, 1),
    Case("a bare name", "bare_metric 42.24 1001\n# EOF\n", {"bare_metric": {1001000: 42.24}}, 1),
    Case(
        "external labels",
        requests((200, 1021, "1565133713.989"), (400, 1, "1565133713.990")),
        {
            "http_requests_total cluster_id=123 code=200 org_id=999": {1565133713989: 1021},
            "http_requests_total cluster_id=123 code=400 org_id=999": {1565133713990: 1},
        },
        1,
        labels={"cluster_id": "123", "org_id": "999"},
    ),
]

REFUSED = {
    "no timestamp": (
        "# HELP rpc_duration_seconds A summary.\n# TYPE rpc_duration_seconds summary\n"
        'rpc_duration_seconds{quantile="0.01"} 3102\nrpc_duration_seconds{quantile="0.05"} 3272\n# EOF\n',
        "line 3: a sample without a timestamp",
    ),
    "bad type": (
        '# HELP bad_metric bad\n# TYPE bad_metric bad_type\nbad_metric{type="x"} 0.0 111\n# EOF\n',
        "line 2: 'bad_type' is not a valid metric type",
    ),
    "no value": (
        '# HELP no_nl x\n# TYPE no_nl gauge\nno_nl{type="no newline"}\n# EOF\n',
        r"line 3: expected one blank and the value at '\n'",
    ),
    "no EOF": (
        '# HELP no_eof x\n# TYPE no_eof gauge\nno_eof{type="x"} 45 6900\n',
        "line 4: the text does not end with # EOF",
    ),
    "after EOF": ('after_eof{type="x"} 45 6900\n# EOF\nafter_eof 2 2\n', "line 3: text after # EOF"),
}


@pytest.mark.parametrize("capacity", [1, 2, 1 << 16])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.about)
def test_prometheus_cases(case: Case, capacity: int, tmp_path: Path) -> None:
    duration = block_duration(case.longest)
    assert duration == case.duration
    report = make(case.text.encode(), tmp_path / "data", duration=duration, capacity=capacity, labels=case.labels)
    assert read(tmp_path / "data") == case.samples
    assert len(report.blocks) == case.blocks
    assert report.samples == sum(map(len, case.samples.values()))
    for block in report.blocks:
        assert block.meta.min_time // duration == (block.meta.max_time - 1) // duration
        assert block.bytes == sum(path.stat().st_size for path in block.path.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", REFUSED)
def test_prometheus_cases_that_are_refused(name: str, tmp_path: Path) -> None:
    text, message = REFUSED[name]
    with pytest.raises(InputError) as caught:
        make(text.encode(), tmp_path / "new" / "data")
    assert str(caught.value) == message
    assert not (tmp_path / "new" / "data").exists()


@pytest.mark.parametrize(
    ("longest", "hours"),
    [(0, 2), (1, 2), (2, 2), (5.9, 2), (6, 6), (17, 6), (18, 18), (24, 18), (54, 54), (2048, 1458), (10**6, 39366)],
)
def test_the_longest_of_promtools_ranges(longest: float, hours: int) -> None:
    assert block_duration(int(longest * HOUR)) == hours * HOUR


def lines_of(samples: Mapping[str, Mapping[int, float]], order: random.Random | None) -> list[bytes]:
    lines = [
        f"{name} {value!r} {time / 1000!r}\n" for name, series in samples.items() for time, value in series.items()
    ]
    if order:
        order.shuffle(lines)
    return [line.encode() for line in lines]


def ragged(seed: int) -> Samples:
    """Series that begin, end and step each in its own way over some days."""
    draw = random.Random(seed)
    found: Samples = {}
    for name in (f"m{n}" for n in range(draw.randint(1, 12))):
        step, count = draw.choice((1_000, 15_000, 60_000, 299_999)), draw.randint(1, 700)
        start = 1_700_000_000_000 + draw.randrange(3 * DAY_MS)
        jitter = draw.choice((0, 0, step // 3))
        found[name] = {start + k * step + draw.randint(0, jitter): draw.gauss(20, 3) for k in range(count)}
    return found


@pytest.mark.parametrize("seed", range(12))
def test_any_order_and_any_memory_make_the_same_blocks(seed: int, tmp_path: Path) -> None:
    draw = random.Random(seed)
    samples = ragged(seed)
    duration = draw.choice((SHORTEST_BLOCK, 6 * HOUR, DAY_MS))
    in_runs = make(b"".join([*lines_of(samples, None), b"# EOF"]), tmp_path / "runs", duration=duration)
    assert read(tmp_path / "runs") == samples
    shuffled = b"".join([*lines_of(samples, draw), b"# EOF"])
    for capacity in (1 << 16, draw.randint(300, 900)):
        directory = tmp_path / str(capacity)
        report = make(shuffled, directory, duration=duration, capacity=capacity, piece=draw.choice((50, 4_096)))
        assert read(directory) == samples
        assert [path for path in directory.iterdir() if len(path.name) != 26] == []
        metas = [(block.meta.min_time, block.meta.max_time, block.meta.stats.samples) for block in report.blocks]
        assert metas == [(one.meta.min_time, one.meta.max_time, one.meta.stats.samples) for one in in_runs.blocks]
    same = make(shuffled, tmp_path / "again", duration=duration)
    assert [block.path.name for block in same.blocks] == [block.path.name for block in in_runs.blocks]
    for ours, theirs in zip(same.blocks, in_runs.blocks, strict=True):
        assert (ours.path / "index").read_bytes() == (theirs.path / "index").read_bytes()


def test_samples_out_of_order_are_kept(tmp_path: Path) -> None:
    make(b"a 3 3\na 1 1\na 2 2\n# EOF\n", tmp_path)
    assert read(tmp_path) == {"a": {1000: 1, 2000: 2, 3000: 3}}


@pytest.mark.parametrize("capacity", [1, 2, 3, 100])
def test_a_sample_that_is_there_twice_counts_once(capacity: int, tmp_path: Path) -> None:
    report = make(b'a 1 1\na{b=""} 1 1\na NaN 2\na 3 3\na NaN 2\na 1 1\n# EOF\n', tmp_path, capacity=capacity)
    assert {time: bits_of(value) for time, value in read(tmp_path)["a"].items()} == {
        1000: bits_of(1.0),
        2000: 0x7FF8000000000001,
        3000: bits_of(3.0),
    }
    assert (report.doubled, report.samples) == (3, 3)


@pytest.mark.parametrize("capacity", [1, 2, 100])
def test_two_values_at_one_time_are_refused(capacity: int, tmp_path: Path) -> None:
    text = b'a{b="c"} 5 0\na{b="c"} 1 1700000000.5\na 7 1e9\na{b="c"} 2 1700000000.5\n# EOF\n'
    with pytest.raises(InputError) as caught:
        make(text, tmp_path / "data", capacity=capacity)
    assert str(caught.value) == (
        '{__name__="a", b="c"} has two values at 2023-11-14T22:13:20.500Z (1700000000.500): 1.0 and 2.0; leave one out'
    )
    assert not (tmp_path / "data").exists()


NOW = 1_700_000_000_000

LATE = {
    "the usual line": (b"a 1 1\na 2 1700000000.001\nb 1 1700000001\n", 2, "2023-11-14T22:13:20.001Z (1700000000.001)"),
    "an odd line": (b"a 1 1\na +2 1700000000.001\nb 1 1\n", 2, "2023-11-14T22:13:20.001Z (1700000000.001)"),
    "an odd line before a usual one": (b"a +2 1700000001\na 2 1700000002\n", 1, "2023-11-14T22:13:21Z (1700000001)"),
    "a usual line before an odd one": (
        b"# TYPE a gauge\na 2 1.8e9\na +2 1.9e9\n",
        2,
        "2027-01-15T08:00:00Z (1800000000)",
    ),
    "after many": (b"a 1 1700000000\n" * 300 + b"a 1 4083264000\n", 301, "2099-05-24T00:00:00Z (4083264000)"),
    "at the end of time": (b"a 1 253402300799.999\n", 1, "253,402,300,799,999 ms (253402300799.999)"),
}


@pytest.mark.parametrize("piece", [40, 1 << 16])
@pytest.mark.parametrize("name", LATE)
def test_a_sample_after_now_is_refused_by_its_line(name: str, piece: int, tmp_path: Path) -> None:
    text, line, when = LATE[name]
    with pytest.raises(InputError) as caught:
        make(text + b"# EOF\n", tmp_path / "data", piece=piece, now=NOW)
    assert caught.value.problem.startswith(f"line {line} of text is at {when}, after now: ")
    assert "allow_future" in caught.value.fix
    assert not (tmp_path / "data").exists()
    report = make(text + b"# EOF\n", tmp_path / "data", piece=piece, now=NOW, allow_future=True)
    assert report.late is not None
    assert report.late.line == line
    assert report.samples == len({row for row in text.splitlines() if not row.startswith(b"#")})


def test_a_sample_at_now_is_taken(tmp_path: Path) -> None:
    report = make(b"a 1 1700000000\na +2 1699999999\n# EOF\n", tmp_path, now=NOW)
    assert (report.late, report.samples, report.blocks[0].meta.max_time) == (None, 2, NOW + 1)


def test_now_is_the_clocks_where_none_is_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_700_000_000, 1_700_000_100))
    monkeypatch.setattr("promfill.promtool.create_blocks.time.time", lambda: next(clock))
    lines = b"".join(b"a 1 %d\n" % (1_700_000_000 + k) for k in range(4))
    assert make(lines + b"# EOF\n", tmp_path, piece=len(lines) // 4).samples == 4  # a pipe that goes on as time does
    with pytest.raises(InputError, match="after now"):
        make(b"a 1 1800000000\n# EOF\n", tmp_path)


def test_metadata_is_remembered(tmp_path: Path) -> None:
    text = b"# HELP a x\n# UNIT a_s s\na 1 1\n# EOF\n"
    assert make(text, tmp_path, piece=40).metadata == ["HELP", "UNIT"]
    assert make(b"a 1 1\n# EOF\n", tmp_path).metadata == []


def test_zero_has_two_signs(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"two values at 1970-01-01T00:00:01Z \(1\): 0\.0 and -0\.0"):
        make(b"a 0 1\na -0 1\n# EOF\n", tmp_path)


def test_a_refused_text_leaves_what_is_there_alone(tmp_path: Path) -> None:
    make(b"a 1 1\n# EOF\n", tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(InputError):
        make(b"a 1 9000\na 1 1e9\na 2 1\nb 1\n# EOF\n", tmp_path, capacity=1)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_fails_leaves_no_block(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def finish(block: BlockFiles, _meta: BlockMeta) -> None:
        calls.append(block)
        if len(calls) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(BlockFiles, "finish", finish)
    text = b"".join(b"a %d %d\n" % (k, 7200 * k) for k in range(40)) + b"# EOF\n"
    with pytest.raises(OutputError, match="No space left on device"):
        make(text, tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_blocks_that_overlap_older_ones_are_made_and_named(tmp_path: Path) -> None:
    first = make(b"a 1 1\na 1 8000\n# EOF\n", tmp_path)
    second = make(b"b 1 1\n# EOF\n", tmp_path)
    assert second.overlapping == [first.blocks[0].path.name]
    again = make(b"b 1 1\n# EOF\n", tmp_path)
    assert [block.path for block in again.blocks] == [block.path for block in second.blocks]
    assert len(list(tmp_path.iterdir())) == 3


def test_a_block_names_no_symbol_of_series_that_it_does_not_hold(tmp_path: Path) -> None:
    report = make(b'a{x="early"} 1 1\nb{y="late"} 1 8000\na{x="early"} 1 8000\n# EOF\n', tmp_path)
    early, late = (open_block(block.path) for block in report.blocks)
    assert list(early.fleet.symbols) == [b"", b"__name__", b"a", b"early", b"x"]
    assert list(late.fleet.symbols) == [b"", b"__name__", b"a", b"b", b"early", b"late", b"x", b"y"]


def test_labels_replace_add_and_take_off(tmp_path: Path) -> None:
    text = b'a{b="1",c="2"} 1 1\na{b="3",c="2"} 1 2\n# EOF\n'
    make(text, tmp_path, labels={"b": "same", "c": "", "d": "new"})
    assert read(tmp_path) == {"a b=same d=new": {1000: 1, 2000: 1}}


def test_one_long_series_among_short_ones_is_cut_into_chunks(tmp_path: Path) -> None:
    samples: Samples = {"long": {k * 1000: float(k) for k in range(5_000)}} | {
        f"s{n}": {n * 1000: 1.0} for n in range(300)
    }
    report = make(b"".join([*lines_of(samples, None), b"# EOF"]), tmp_path, capacity=1_000)
    assert read(tmp_path) == samples
    assert json.loads((report.blocks[0].path / "meta.json").read_bytes())["stats"]["numSeries"] == 301


def test_too_many_series_over_too_long_a_time(tmp_path: Path) -> None:
    from promfill.blocks.sample_keys import KeyLayout

    with pytest.raises(InputError, match="split the input"):
        KeyLayout.covering(2 * HOUR, 0, 253_402_300_799_999, 1 << 20)
