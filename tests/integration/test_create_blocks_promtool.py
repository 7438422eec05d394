"""create-blocks-from openmetrics against promtool 2.42: what is taken and refused, the blocks, and every sample."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.cli import Promfill
from tests.support.openmetrics_lines import ODD_LINES, ODD_NUMBERS, ODD_TIMES
from tests.support.readback import of_promtool
from tests.support.servers import require, run_promtool

pytestmark = pytest.mark.server

AROUND = b"before 1 1\n", b"after 1 1\n"
EOF = b"# EOF\n"

WHOLE = {
    "nothing": b"",
    "only EOF": EOF,
    "EOF without newline": b"# EOF",
    "no EOF": b"a 1 1\n",
    "no newline, no EOF": b"a 1 1",
    "two EOF": EOF + EOF,
    "text after EOF": EOF + b"a 1 1\n",
    "newline after EOF": EOF + b"\n",
    "blank after EOF": b"# EOF ",
    "EOF in small letters": b"# eof\n",
    "EOF without blank": b"#EOF\n",
    "blank before EOF": b" # EOF\n",
    "two blanks in EOF": b"#  EOF\n",
    "carriage return after EOF": b"# EOF\r\n",
    "byte order mark": b"\xef\xbb\xbfa 1 1\n" + EOF,
    "every type": b"".join(
        b"# TYPE m%d %b\n" % (n, kind)
        for n, kind in enumerate(b"counter gauge histogram gaugehistogram summary info stateset unknown".split())
    )
    + EOF,
    "type twice": b"# TYPE a gauge\n# TYPE a counter\na 1 1\n" + EOF,
    "type after samples": b"a 1 1\n# TYPE a gauge\n" + EOF,
    "untyped": b"# TYPE a untyped\n" + EOF,
    "interleaved families": b"a 1 1\nb 1 1\na 2 2\n" + EOF,
    "histogram": b'# TYPE h histogram\nh_bucket{le="0.1"} 1 1 # {id="x"} 0.05 1\nh_bucket{le="+Inf"} 3 1\n'
    b"h_sum 5.5 1\nh_count 3 1\nh_created 0.5 1\n" + EOF,
    "gauge histogram": b'# TYPE h gaugehistogram\nh_bucket{le="+Inf"} 3 1\nh_gsum 5.5 1\nh_gcount 3 1\n' + EOF,
    "summary": b'# TYPE s summary\ns{quantile="0.5"} NaN 1\ns_sum 1 1\ns_count 3 1\n' + EOF,
    "counter and created": b"# TYPE c counter\nc_total 3 1\nc_created 1 1\n" + EOF,
    "info": b'# TYPE i info\ni_info{version="1"} 1 1\n' + EOF,
    "state set": b'# TYPE s stateset\ns{s="on"} 1 1\ns{s="off"} 0 1\n' + EOF,
    "unknown": b"# TYPE u unknown\nu 1 1\n" + EOF,
    "unit": b"# TYPE u_seconds gauge\n# UNIT u_seconds seconds\nu_seconds 1 1\n" + EOF,
    "empty unit": b"# UNIT u \nu 1 1\n" + EOF,
    "unit without underscore": b"# UNIT useconds seconds\n" + EOF,
    "empty help": b"# HELP u \nu 1 1\n" + EOF,
    "negative values": b"a -1.5 1\na -1e-7 2\n" + EOF,
    "NaN and infinities": b"a NaN 1\na +Inf 2\na -Inf 3\n" + EOF,
    "labels in any order": b'a{z="1",b="2",__x="3"} 1 1\na{b="2",__x="3",z="1"} 2 2\n' + EOF,
    "series in any order": b'b{x="2"} 1 1\nb{x="10"} 1 1\na{x="1"} 1 1\nb 1 1\nA 1 1\n' + EOF,
    "a name before the longer one": b'ab 1 1\na{c="d"} 1 1\na 1 1\na{b="d",c="d"} 1 1\n' + EOF,
    "every escape": b'a{b="\\\\x\\"y\\nz\\t",c="\\\\\\\\n"} 1 1\n' + EOF,
    "wide letters": 'a{b="ä€😀"} 1 1\n'.encode() + EOF,
    "other blocks": b"a 1 0\na 2 7199.999\na 3 7200\na 4 1e9\nb 1 7200\nb 2 1e9\n" + EOF,
    "a far gap": b"a 1 0\na 1 1e9\n" + EOF,
    "300 samples": b"".join(b"a %d %d\n" % (k * k % 97, 10 * k) for k in range(300)) + EOF,
    "irregular times": b"".join(b"a %d.%d %d.%03d\n" % (k, k, 7 * k, k * k % 999) for k in range(400)) + EOF,
    "series of all lengths": b"".join(
        b'a{s="%d"} %d %d\n' % (s, k, 15 * k) for s in range(1, 40) for k in range(s * s // 4 + 1)
    )
    + EOF,
}
"""Whole texts by what they are about."""

INPUTS = {
    **WHOLE,
    **{f"line {line[:60]!r}": AROUND[0] + line + AROUND[1] + EOF for line in ODD_LINES},
    **{f"value {token!r}": AROUND[0] + b"vpn %b 1.5\n" % token + EOF for token in ODD_NUMBERS},
    **{f"time {token!r}": AROUND[0] + b"vpn 1 %b\n" % token + EOF for token in ODD_TIMES},
}

STRICTER = {"time b'-1'", "time b'253402300800'", "time b'1e300'"}
"""What promtool takes (and loses, or hangs on) and promfill refuses: docs/create-blocks-from.md."""

HANGS = {"time b'1e300'"}

Blocks = list[tuple[int, int, int, int]]


@pytest.fixture(autouse=True, scope="module")
def _promtool_is_2_42() -> None:
    """Later ones take more: a comma after the last label, exemplars on any name."""
    version = run_promtool("--version").stdout.split("\n")[0]
    if "version 2.42." not in version:
        pytest.skip(f"promfill follows promtool 2.42, and this is {version}")


def blocks_of(directory: Path) -> Blocks:
    """Times, samples and series of each block."""
    metas = [json.loads(path.read_bytes()) for path in directory.glob("*/meta.json")]
    return sorted(
        (meta["minTime"], meta["maxTime"], meta["stats"]["numSamples"], meta["stats"]["numSeries"]) for meta in metas
    )


def promtool_makes(text: Path, directory: Path, *options: str) -> bool:
    return run_promtool("tsdb", "create-blocks-from", *options, "openmetrics", text, directory).returncode == 0


def assert_same_blocks(ours: Path, theirs: Path) -> None:
    assert blocks_of(ours) == blocks_of(theirs)
    if blocks_of(ours):
        assert of_promtool(ours) == of_promtool(theirs)


def test_there_are_enough_inputs() -> None:
    assert len(INPUTS) >= 130
    assert set(INPUTS) >= STRICTER


@pytest.mark.parametrize("name", INPUTS)
def test_taken_and_refused_as_by_promtool(name: str, tmp_path: Path, promfill: Promfill) -> None:
    text, ours, theirs = tmp_path / "text", tmp_path / "ours", tmp_path / "theirs"
    text.write_bytes(INPUTS[name])
    result = promfill("tsdb", "create-blocks-from", "openmetrics", "--allow-future", str(text), str(ours))
    if name in STRICTER:
        assert result.code == 2
        assert "line 2: the time" in result.err
        assert name in HANGS or promtool_makes(text, theirs)
        return
    if promtool_makes(text, theirs):
        assert result.code == 0
        assert ("1 exemplar dropped" in result.err) == (b"# {" in INPUTS[name])
        assert_same_blocks(ours, theirs)
    else:
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("promfill: error: line ")
        assert not ours.exists()


EXCEPTIONS = {
    "out of order": (b"a 3 3\na 1 1\na 2 2\n", [(3000, 3.0)], [(1000, 1.0), (2000, 2.0), (3000, 3.0)]),
    "twice, one value": (b"a 1 1\na 1 1\n", [(1000, 1.0)], [(1000, 1.0)]),
    "twice, two values": (b"a 1 1\na 2 1\n", [(1000, 1.0)], None),
    "before 1970": (b"a 1 -1\na 1 1\n", [(1000, 1.0)], None),
    "after 9999": (b"a 1 253402300800\n", [(253402300800000, 1.0)], None),
    "NUL in a keyword": (b"# HE\0LP a b\na 1 1\n", [(1000, 1.0)], None),
}
"""What promtool makes of it in silence, and what promfill does; None: refuses it. docs/create-blocks-from.md"""


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions(name: str, tmp_path: Path, promfill: Promfill) -> None:
    text, ours, theirs = tmp_path / "text", tmp_path / "ours", tmp_path / "theirs"
    lines, promtools, expected = EXCEPTIONS[name]
    text.write_bytes(lines + EOF)
    assert promtool_makes(text, theirs)
    assert dump(theirs) == promtools
    code = promfill("tsdb", "create-blocks-from", "openmetrics", str(text), str(ours)).code
    assert (code == 2, ours.exists()) == (expected is None, expected is not None)
    if expected:
        assert dump(ours) == expected


def dump(directory: Path) -> list[tuple[int, float]]:
    """Times and values of the one series."""
    (directory / "wal").mkdir()
    lines = run_promtool("tsdb", "dump", directory).stdout.splitlines()
    return [(int(time), float(value)) for _, value, time in (line.rsplit(" ", 2) for line in lines)]


@pytest.mark.parametrize("longest", ["1h", "2h", "5h59m", "6h", "17h", "24h", "100h", "500h", "2048h"])
def test_the_ranges_of_blocks(longest: str, tmp_path: Path, promfill: Promfill) -> None:
    text, ours, theirs = tmp_path / "text", tmp_path / "ours", tmp_path / "theirs"
    lines = [b'a{s="%d"} %d %d\n' % (s, k * s, 1_600_000_000 + k * 4_321) for k in range(300) for s in range(2)]
    text.write_bytes(b"".join(lines) + EOF)
    assert promfill(
        "tsdb", "create-blocks-from", f"--max-block-duration={longest}", "openmetrics", str(text), str(ours)
    ).code == 0  # fmt: skip
    assert promtool_makes(text, theirs, f"--max-block-duration={longest}")
    assert_same_blocks(ours, theirs)


@pytest.mark.parametrize("options", [(), ("-r",), ("-q",)])
def test_the_table_is_promtools(options: tuple[str, ...], tmp_path: Path, promfill: Promfill) -> None:
    text = tmp_path / "text"
    text.write_bytes(b"a 1 1600000000\na 2 1600000000.5\na 1 1600010000\na 1 1600020000\na 2 1600027199\n" + EOF)
    ours = promfill("tsdb", "create-blocks-from", *options, "openmetrics", str(text), str(tmp_path / "ours"))
    command = [require("promtool"), "tsdb", "create-blocks-from", *options, "openmetrics", str(text)]
    theirs = subprocess.run([*command, str(tmp_path / "theirs")], capture_output=True, text=True, check=True).stdout
    assert [masked(line) for line in ours.out.splitlines()] == [masked(line) for line in theirs.splitlines()]
    assert bool(theirs) == ("-q" not in options)


def masked(line: str) -> str:
    """Without the name and the size of a block, which are not promtool's."""
    return line if line.startswith("BLOCK") else line[26 : len(line) - len(line.split()[-1])]
