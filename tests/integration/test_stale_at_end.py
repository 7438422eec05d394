"""``--stale-at-end``: series end where their samples do, and verify finds the markers."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from promfill.blocks.block import open_block
from promfill.model.batch import STALE_NAN_BITS
from tests.support.cli import Promfill, runner
from tests.support.servers import Server, start_prometheus, start_victoriametrics

START, END = 1_702_800_000, 1_702_886_400
WHAT = ("--metric-name", "vpn", "--labels", "i={1..3}", "--start", str(START), "--end", str(END), "--stale-at-end")


@pytest.fixture
def promfill(capsys: pytest.CaptureFixture[str]) -> Promfill:
    return runner(capsys)


def alive(server: Server, time: int) -> list[Any]:
    answer = httpx.get(f"{server.url}/api/v1/query", params={"query": "vpn", "time": str(time), "nocache": "1"})
    return list(answer.json()["data"]["result"])


def test_blocks_hold_a_marker_one_step_after_the_last_sample(promfill: Promfill, tmp_path: Path) -> None:
    plain, stale = tmp_path / "plain", tmp_path / "stale"
    made = promfill("push", *WHAT, "--output-dir", str(stale), "--json")
    assert made.json["written"] == 3 * 289
    promfill("push", *WHAT[:-1], "--output-dir", str(plain))
    *_, last = sorted(stale.iterdir())
    (run,) = open_block(last).samples()
    ends = run.bounds[1:] - 1
    assert run.times[ends].tolist() == [1000 * END] * 3
    assert run.bits[ends].tolist() == [STALE_NAN_BITS] * 3
    assert np.isfinite(np.delete(run.values, ends)).all()
    assert not {path.name for path in plain.iterdir()} & {path.name for path in stale.iterdir()}
    assert promfill("verify", *WHAT, "--blocks", str(stale)).code == 0
    missing = promfill("verify", *WHAT, "--blocks", str(plain), "--json")
    assert (missing.code, missing.json["missing"]) == (1, 3)


def test_the_printed_command_verifies_the_markers(promfill: Promfill, tmp_path: Path) -> None:
    result = promfill("push", *WHAT, "--output-dir", str(tmp_path / "data"))
    (line,) = [line for line in result.out.splitlines() if "promfill verify" in line]
    assert f"--end {END} --stale-at-end" in line
    assert promfill(*line.split("promfill ")[1].replace("'", "").split()).code == 0


@pytest.mark.parametrize("mode", ["openmetrics", "script"])
def test_text_cannot_hold_a_marker(promfill: Promfill, tmp_path: Path, mode: str) -> None:
    result = promfill("push", *WHAT, "--mode", mode, "--output-dir", str(tmp_path))
    assert result.code == 2
    assert "--stale-at-end only works with --mode blocks or --mode remote-write" in result.err


@pytest.mark.server
def test_series_of_blocks_end_in_prometheus(
    promfill: Promfill, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promfill("push", *WHAT, "--output-dir", str(tmp_path / "data"))
    with start_prometheus(tmp_path / "data") as server:
        assert (len(alive(server, END - 1)), len(alive(server, END))) == (3, 0)
        assert promfill("verify", *WHAT, "--query-url", server.url).code == 0
        monkeypatch.setattr("promfill.stores.find.answers_remote_read", lambda api: False)
        by_query = promfill("verify", *WHAT, "--query-url", server.url)
        assert (by_query.code, by_query.err) == (0, "")
        assert by_query.out.splitlines()[1:5] == [
            "expected    867 samples of 3 series",
            "found       864",
            "not checked 3 staleness markers: not visible through this API",
            "missing     0",
        ]


@pytest.mark.server
def test_a_marker_changes_no_comparison_whatever_the_length(promfill: Promfill, tmp_path: Path) -> None:
    """Where values are rounded, the largest of a series counts: a marker among them must not."""
    with start_victoriametrics(tmp_path / "data") as server:
        for steps in range(1, 10):
            what = [*WHAT, "--end", str(START + 300 * steps), "--metric-name", f"vpn_{steps}"]
            url = f"{server.url}/api/v1/write"
            pushed = promfill("push", *what, "--mode", "remote-write", "--remote-write-url", url, "--verify", "--json")
            assert pushed.code == 0, pushed.err
            assert pushed.json["verified"]["found"] == 3 * (steps + 1)


@pytest.mark.server
@pytest.mark.parametrize("start", [start_prometheus, start_victoriametrics])
def test_series_of_remote_write_end(promfill: Promfill, tmp_path: Path, start: Any) -> None:
    with start(tmp_path / "data") as server:
        url = f"{server.url}/api/v1/write"
        pushed = promfill("push", *WHAT, "--mode", "remote-write", "--remote-write-url", url, "--verify")
        assert pushed.code == 0, pushed.err
        assert (len(alive(server, END - 1)), len(alive(server, END + 1))) == (3, 0)
    shutil.rmtree(tmp_path / "data")
