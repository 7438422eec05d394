"""Two commits side by side: each by its own benchmarks, and no row is left out in silence."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchmarks import compare
from benchmarks.compare import CannotRunError, Side, compare_all, laid_out
from benchmarks.processes import ROOT
from benchmarks.turn import Taken

STAGES = """
import json, sys
def old(): pass
def gone(): pass
def broken(): pass
PUSHED = (old, gone, broken)
if __name__ == "__main__":
    if sys.argv[1] == "broken":
        raise SystemExit("no such module")
    print(json.dumps({"seconds": SECONDS, "bytes": 10, "peak_mb": 1.0}))
"""
PROCESSES = """
import subprocess, sys
from dataclasses import dataclass
from pathlib import Path
PROMFILL = (sys.executable, "-c", "pass")
@dataclass
class Run:
    seconds: float
    output: str
    peak_mb: float = 1.0
def run_process(command, *, env=None, watch=False):
    done = subprocess.run(command, capture_output=True, text=True, cwd=Path(__file__).parents[1])
    if done.returncode:
        raise RuntimeError(f"exit code {done.returncode}\\n{done.stderr}")
    return Run(1.0, done.stdout)
def push_command(*_): return [sys.executable, "-c", "pass"]
def samples_of(series, days): return series * days
def size_of(folder): return 0
"""
WHOLE = """
from contextlib import contextmanager
from types import SimpleNamespace
@contextmanager
def job(series, days):
    yield SimpleNamespace(arguments=[], made=lambda run: 0)
NAMES = ("create_blocks", "verify_blocks", "remote_write_prometheus", "remote_write_victoriametrics",
         "verify_prometheus", "verify_victoriametrics")
WHOLE = {name: SimpleNamespace(job=job, missing="a-program" if "prometheus" in name else "") for name in NAMES}
"""


@dataclass(frozen=True)
class Fake(Side):
    """A side that knows its rows (and the programs that they need), and breaks at some of them."""

    needs: dict[str, str]
    broken: dict[str, str]
    order: list[tuple[str, str]]

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row: {"samples": 1_000_000, "needs": needs} for row, needs in self.needs.items()}

    def take(self, row: str) -> Taken:
        self.order.append((self.name, row))
        if row in self.broken:
            raise CannotRunError(f"cannot run on {self.name}: {self.broken[row]}")
        return Taken(2.0 if self.name == "base" else 1.0, 100, 50.0)


def two(
    base: dict[str, str], ours: dict[str, str], broken: dict[str, str] | None = None
) -> tuple[tuple[Fake, Fake], list[tuple[str, str]]]:
    order: list[tuple[str, str]] = []
    return (Fake("base", Path(), base, broken or {}, order), Fake("ours", Path(), ours, {}, order)), order


def test_a_line_is_this_checkout_beside_the_base() -> None:
    sides, order = two({"case": ""}, {"case": ""})
    line = compare.compare("case", 1_000_000, sides, turns=2)
    assert line.split() == ["case", "0.50", "1.00", "2.000", "0%", "1.000", "1.000"]
    assert [name for name, _ in order] == ["base", "ours", "ours", "base"]


@pytest.mark.parametrize(
    ("base", "ours", "broken", "failure"),
    [
        ({"a": ""}, {"a": "", "b": ""}, {}, "b: cannot run on base: its benchmarks have no such row"),
        ({"a": "", "b": ""}, {"a": ""}, {}, "b: cannot run on ours: its benchmarks have no such row"),
        ({"a": "", "b": "prometheus"}, {"a": "", "b": ""}, {}, "b: cannot run on base: it needs prometheus,"),
        ({"a": "", "b": ""}, {"a": "", "b": ""}, {"b": "ImportError: x"}, "b: cannot run on base: ImportError: x"),
    ],
)
def test_a_row_that_cannot_run_is_a_failure_and_the_others_are_measured(
    base: dict[str, str], ours: dict[str, str], broken: dict[str, str], failure: str
) -> None:
    sides, order = two(base, ours, broken)
    said: list[str] = []
    (told,) = compare_all(sides, 2, say=said.append)
    assert told.startswith(failure)
    assert [line.split()[0] for line in said] == ["a", "b"]
    assert said[1].split(maxsplit=1)[1] == told.removeprefix("b: ")
    assert len([row for _, row in order if row == "a"]) == 4


def test_rows_are_chosen_by_name_and_a_choice_of_none_is_a_failure() -> None:
    sides, order = two({"a": "", "b": ""}, {"a": "", "b": ""}, {"b": "x"})
    assert compare_all(sides, 2, lambda row: row != "b", lambda _: None) == []
    assert {row for _, row in order} == {"a"}
    assert len(compare_all(sides, 2, lambda row: False, lambda _: None)) == 1


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose commit and working tree have benchmarks of their own, which are quick."""
    root = tmp_path / "checkout"
    for name in ("promfill", "benchmarks", "tests/support"):
        (root / name).mkdir(parents=True)
        (root / name / "__init__.py").touch()
    write(root, STAGES.replace("SECONDS", "4.0"))
    git = ("git", "-C", str(root), "-c", "user.name=n", "-c", "user.email=e@example.org")
    for words in (("init", "-q"), ("add", "."), ("commit", "-q", "--no-gpg-sign", "-m", "base")):
        subprocess.run([*git, *words], check=True, capture_output=True)
    write(root, STAGES.replace("SECONDS", "1.0").replace("gone", "fresh"))
    (root / "benchmarks/turn.py").write_bytes((ROOT / "benchmarks/turn.py").read_bytes())
    monkeypatch.setattr(compare, "ROOT", root)
    return root


def write(root: Path, stages: str) -> None:
    for name, text in (("stages", stages), ("processes", PROCESSES), ("whole", WHOLE)):
        (root / f"benchmarks/{name}.py").write_text(text)


def test_each_side_runs_its_own_benchmarks(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    skipped = [word for name in ("push", "remote_write_victoria", "verify") for word in ("--skip", name)]
    monkeypatch.setattr(sys, "argv", ["compare", "HEAD", "--turns", "2", *skipped])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    out, err = capsys.readouterr()
    assert ended.value.code == 1
    made = {line.split()[0]: line.split() for line in out.splitlines()[1:]}
    assert list(made) == ["old", "fresh", "broken", "create_blocks", "remote_write_prometheus", "gone"]
    assert made["old"][3] == "4.000"  # 4 s at the base, 1 s here: each by its own stages
    assert err.splitlines() == [
        "not compared: fresh: cannot run on HEAD: its benchmarks have no such row",
        "not compared: broken: cannot run on HEAD: no such module",
        "not compared: remote_write_prometheus 1,000 x 7d: cannot run on HEAD: it needs a-program, which is missing",
        "not compared: gone: cannot run on this checkout: its benchmarks have no such row",
    ]


def test_all_rows_compared_is_success(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["compare", "HEAD", "--turns", "2", "--only", "old"])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    assert ended.value.code == 0


def test_benchmarks_that_do_not_start_are_named(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (checkout / "benchmarks/whole.py").unlink()
    monkeypatch.setattr(sys, "argv", ["compare", "HEAD"])
    with pytest.raises(SystemExit) as ended:
        compare.main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == (
        "not compared: cannot run on this checkout: ModuleNotFoundError: No module named 'benchmarks.whole'\n"
    )


@pytest.mark.parametrize("base", ["no-such-commit", "HEAD"])
def test_a_base_that_is_no_commit_or_has_no_benchmarks(checkout: Path, base: str) -> None:
    git = ("git", "-C", str(checkout), "-c", "user.name=n", "-c", "user.email=e@example.org")
    for words in (("rm", "-rq", "--cached", "benchmarks"), ("commit", "-q", "--no-gpg-sign", "-m", "none")):
        subprocess.run([*git, *words], check=True, capture_output=True)
    with pytest.raises(SystemExit, match=base if base != "HEAD" else "benchmarks"), laid_out(base):
        pass


def test_the_rows_of_this_checkout_are_listed() -> None:
    rows = Side("this checkout", ROOT).rows()
    assert {"generate", "xor_encode", "openmetrics_text", "push blocks 1 x 21d", "verify_blocks 1,000 x 7d"} <= set(
        rows
    )
    assert rows["generate"] == {"samples": 6_048_000, "needs": ""}
