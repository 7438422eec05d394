"""The Makefile's own promises: values arrive as typed, and `clean` removes what is listed and nothing else.

Each test works in a folder of its own with a copy of the Makefile and a stand-in for the installed command.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DEFAULTS = [
    "push",
    "--mode=blocks",
    "--metric-name=vpn",
    "--labels=instance=127.0.0.2:9273,job=metrics_generator:8123",
    "--trend-coefficient=0.1",
    "--flat-base=5.0",
    "--step-size=5m",
]
TARGETS = ["install", "help", "clean", "test", "lint", "coverage", "mutants", "proto", "bench", "bench-quick"]
TARGETS += ["backfill", *(f"backfill-{days}" for days in ("21d", "7d", "1d"))]
AWKWARD = "a='one',b=\"x, y\",c=$HOME $$ $(id) `id` \\ #z"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "a folder"
    shutil.copytree(ROOT / "scripts" / "make", work / "scripts" / "make")
    shutil.copy(ROOT / "Makefile", work)
    (work / "pyproject.toml").touch()
    command = work / ".venv" / "bin" / "promfill"
    command.parent.mkdir(parents=True)
    command.write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\n")
    command.chmod(0o755)
    (work / ".venv" / ".installed").touch()
    return work


def make(folder: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("MAKE", "MFLAGS"))}
    command = ["make", *args]
    return subprocess.run(command, cwd=folder, env=clean | environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("days", ["21d", "7d", "1d"])
def test_day_targets_push_with_the_originals_defaults(folder: Path, days: str) -> None:
    assert make(folder, f"backfill-{days}").stdout.splitlines() == [*DEFAULTS, f"--start=now-{days}", "--end=now"]


def test_backfill_takes_both_times(folder: Path) -> None:
    done = make(folder, "backfill", "START_EPOCH=1702800000", "END_EPOCH=1704614400")
    assert done.stdout.splitlines() == [*DEFAULTS, "--start=1702800000", "--end=1704614400"]


def test_backfill_without_a_time_says_what_it_wants(folder: Path) -> None:
    done = make(folder, "backfill", "START_EPOCH=1702800000")
    assert done.returncode != 0
    assert done.stdout == ""
    assert "END_EPOCH=1704614400" in done.stderr


def test_values_arrive_as_typed(folder: Path) -> None:
    told = make(folder, "backfill-1d", f"LABELS={AWKWARD}", f"DESCRIPTION=it's {AWKWARD}", "FLAT_BASE=-3")
    assert f"--labels={AWKWARD}" in told.stdout.splitlines()
    assert f"--description=it's {AWKWARD}" in told.stdout.splitlines()
    assert "--flat-base=-3" in told.stdout.splitlines()


def test_values_arrive_from_the_environment_too(folder: Path) -> None:
    assert f"--labels={AWKWARD}" in make(folder, "backfill-1d", LABELS=AWKWARD).stdout.splitlines()


def test_more_options_are_passed_on(folder: Path) -> None:
    assert make(folder, "backfill-1d", "ARGS=--header 'K: V' --dry-run").stdout.splitlines()[-3:] == [
        "--header",
        "K: V",
        "--dry-run",
    ]


def test_help_names_every_target(folder: Path) -> None:
    told = make(folder, "help").stdout
    for target in TARGETS:
        assert f"  {target} " in told


def test_clean_removes_what_is_listed_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    inside, outside, kept = folder / "data" / "01 BLOCK", tmp_path / "outside.txt", folder / "data" / "mine"
    inside.mkdir(parents=True)
    (inside / "index").touch()
    outside.touch()
    kept.touch()
    made = folder / ".promfill" / "made"
    made.parent.mkdir()
    made.write_text(f"data/01 BLOCK\ngone\n{outside}")
    assert make(folder, "clean").returncode == 0
    assert not inside.exists()
    assert not outside.exists()
    assert not made.parent.exists()
    assert kept.exists()


@pytest.mark.parametrize("path", ["", "/", "//", ".", "./", "..", "../", "data/..", "data/../..", "{here}", "{above}"])
def test_clean_refuses_what_promfill_cannot_have_made(folder: Path, path: str) -> None:
    (folder / "data").mkdir()
    made = folder / ".promfill" / "made"
    made.parent.mkdir()
    made.write_text(path.format(here=folder, above=folder.parent) + "\n")
    assert "Not removed" in make(folder, "clean").stderr
    assert (folder / "Makefile").exists()
    assert (folder / "data").exists()
    assert not made.exists()


def test_clean_without_a_list_removes_nothing(folder: Path) -> None:
    assert "Nothing to remove" in make(folder, "clean").stdout
