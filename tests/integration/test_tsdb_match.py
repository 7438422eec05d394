"""``promfill tsdb dump --match`` against promtool 2.42: the same series, and the same selectors refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.blocks import write_block
from tests.support.cli import Promfill, runner
from tests.support.re2 import REFUSED, TAKEN, VALUES
from tests.support.servers import run_promtool
from tests.support.ulids import place_block

pytestmark = pytest.mark.server

SELECTORS = [
    "{}", '{a=~".*"}', '{a!~".+"}', '{a=""}', '{z=""}', '{z!=""}', '{__name__=""}', r'{a="\xc3\xa9"}',
    r'{a="\303\251"}', r'{a="\ud800"}', r'{a="\400"}', r"""{a="\'"}""", r"""{a='\"'}""",
]  # fmt: skip


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str]) -> Promfill:
    return runner(capsys)


def test_selectors_select_what_they_select_in_promtool(promfill: Promfill, tmp_path: Path) -> None:
    version = run_promtool("--version").stdout.split("\n")[0]
    if "version 2.42." not in version:
        pytest.skip(f"promfill follows promtool 2.42, and this is {version}")
    label_sets = [(("__name__", "m"), *([("a", value)] if value else [])) for value in sorted(VALUES)]
    place_block(
        write_block(tmp_path / "new", {labels: [[(1_700_000_000_000, 0)]] for labels in label_sets}), tmp_path, 0
    )
    (tmp_path / "wal").mkdir()
    for selector in [*SELECTORS, *(f"{{a=~{json.dumps(pattern)}}}" for pattern in [*TAKEN, *REFUSED])]:
        expected = run_promtool("tsdb", "dump", f"--match={selector}", tmp_path)
        result = promfill("tsdb", "dump", "--match", selector, str(tmp_path))
        assert (result.code == 0, result.out) == (expected.returncode == 0, expected.stdout), selector
