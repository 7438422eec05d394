"""``scripts/backfill.py``: the original's command line in promfill's words."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from promfill.scenario.label_patterns import parse_labels

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("backfill", ROOT / "scripts" / "backfill.py")
assert SPEC
assert SPEC.loader
backfill = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(backfill)


def test_flags_become_those_of_push() -> None:
    words = backfill.push_arguments(
        ["--metric-name", "vpn", "--labels", "instance=127.0.0.2:9273,a={1..3}", "--start-epoch", "1", "--env", "scale"]
    )
    assert words[:5] == ["push", "--mode", "script", "--output-dir", str(ROOT / "utils")]
    assert words[5:11] == ["--metric-name", "vpn", "--start-epoch", "1", "--env", "scale"]
    assert words[11:] == ["--labels", 'instance="127.0.0.2:9273"', "--labels", 'a="{1..3}"']


@given(st.text(st.characters(exclude_characters=",", exclude_categories=["Cs"]), min_size=1))
def test_every_value_is_plain(value: str) -> None:
    (pattern,) = parse_labels([backfill.plain_label(f"a={value}")]).patterns
    assert pattern.parts == (value,)


def test_labels_are_required() -> None:
    with pytest.raises(SystemExit) as leave:
        backfill.push_arguments(["--metric-name", "vpn"])
    assert leave.value.code == 2


def test_without_a_destination_it_ends_before_anything_is_written(tmp_path: Path) -> None:
    words = ["--metric-name", "vpn", "--labels", "a=b", "--start-epoch", "1702800000", "--end-epoch", "1704614400"]
    words += ["--output-dir", str(tmp_path / "out")]
    run = subprocess.run(
        [sys.executable, ROOT / "scripts" / "backfill.py", *words],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert run.returncode == 2
    assert "--remote-write-url is missing" in run.stderr
    assert list(tmp_path.iterdir()) == []
