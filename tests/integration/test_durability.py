"""A kill at any moment leaves whole blocks or none, and a rerun finishes the rest with the same bytes."""

from __future__ import annotations

import fcntl
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from promfill.cli import run

Files = dict[str, bytes]
ROOT = Path(__file__).parents[2]

WHAT = ("push", "--metric-name", "vpn", "--labels", "i={1..7}", "--start", "1702800000", "--end", "1703000000", "-q")
SLOW = ("push", "--metric-name", "vpn", "--labels", "i={1..3000}", "--start", "1702800000", "--end", "1704000000", "-q")


def blocks_in(directory: Path) -> dict[str, Files]:
    """Every block by its name, with the bytes of its files."""
    blocks = [path for path in directory.iterdir() if len(path.name) == 26] if directory.exists() else []
    return {
        block.name: {str(path.relative_to(block)): path.read_bytes() for path in block.rglob("*") if path.is_file()}
        for block in blocks
    }


def reference(what: Sequence[str], directory: Path) -> dict[str, Files]:
    assert run([*what, "--output-dir", str(directory)]) == 0
    return blocks_in(directory)


def start(arguments: Sequence[str], deadly: int | None = None) -> subprocess.Popen[str]:
    program = ["-m", "promfill"] if deadly is None else ["-m", "tests.support.killed_push", str(deadly)]
    return subprocess.Popen(
        [sys.executable, *program, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def check_and_finish(what: Sequence[str], directory: Path, expected: dict[str, Files]) -> None:
    left = blocks_in(directory)
    assert left.items() <= expected.items(), "a block that is there is whole"
    assert run([*what, "--output-dir", str(directory)]) == 0
    assert blocks_in(directory) == expected
    assert {path.name for path in directory.iterdir()} == expected.keys(), "leftovers are removed"


def test_killed_at_every_step_towards_the_disk(tmp_path: Path) -> None:
    expected = reference(WHAT, tmp_path / "whole")
    counted = start([*WHAT, "--output-dir", str(tmp_path / "counted")], 0)
    steps = int(counted.communicate()[0].splitlines()[-1])
    assert steps > 8 * len(expected)
    for deadly in range(1, steps + 1):
        directory = tmp_path / f"killed-{deadly}"
        child = start([*WHAT, "--output-dir", str(directory)], deadly)
        child.communicate()
        assert child.returncode == -signal.SIGKILL
        check_and_finish(WHAT, directory, expected)


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random(tmp_path: Path, workers: int) -> None:
    arguments = [*SLOW, "--workers", str(workers)]
    expected = reference(SLOW, tmp_path / "whole")
    dice = random.Random(workers)
    for turn in range(5):
        directory = tmp_path / f"killed-{turn}"
        child = start([*arguments, "--output-dir", str(directory)])
        time.sleep(dice.uniform(0.2, 1.0))
        child.kill()
        child.communicate()
        deadline = time.monotonic() + 5  # orphaned workers notice, and end by themselves
        while list(directory.glob("*.promfill")) and workers > 1 and time.monotonic() < deadline:
            time.sleep(0.05)
        check_and_finish(SLOW, directory, expected)


@pytest.fixture
def hears_signals() -> Iterator[None]:
    """What runs behind nohup or a shell's & ignores some signals, and so do its children, promfill included."""
    ignored = [it for it in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(it) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.usefixtures("hears_signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted(tmp_path: Path, number: signal.Signals, code: int, workers: int) -> None:
    directory = tmp_path / "data"
    arguments = [word for word in SLOW if word != "-q"]
    child = start([*arguments, "--workers", str(workers), "--output-dir", str(directory), "--step-size", "1m"])
    while not directory.exists() or not any(len(path.name) == 26 for path in directory.iterdir()):
        time.sleep(0.01)
    child.send_signal(number)
    _, err = child.communicate(timeout=60)
    assert child.returncode == code
    assert "to continue, run the same command with --start 1702800000 --end 1704000000" in err
    assert "Traceback" not in err
    assert all(len(path.name) == 26 for path in directory.iterdir())
    whole = sum(1 for _ in directory.iterdir())
    assert f"of {3000 * 20000:,} samples are complete" in err
    assert not err.startswith("0 of")
    assert whole > 0


def test_pushes_at_once_do_not_remove_each_others_work(tmp_path: Path) -> None:
    """While one looks for leftovers, alone, another waits for it, and is then safe from the next."""
    expected = reference(SLOW, tmp_path / "whole")
    directory = tmp_path / "data"
    directory.mkdir()
    alone = os.open(directory, os.O_RDONLY)
    fcntl.flock(alone, fcntl.LOCK_EX)
    first = start([*SLOW, "--output-dir", str(directory)])
    time.sleep(0.7)
    assert list(directory.iterdir()) == []
    os.close(alone)
    while not list(directory.iterdir()):
        time.sleep(0.001)
    other = ("push", "--metric-name", "other", "--start", "1702800000", "--end", "1703000000", "-q")
    assert run([*other, "--output-dir", str(directory)]) == 0
    assert (first.wait(), first.communicate()[1]) == (0, "")
    assert blocks_in(directory).items() >= expected.items()
