"""Whole processes, interpreter start included, timed against something else, turn by turn."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.harness import Result, compare

ROOT = Path(__file__).resolve().parents[1]
PROMFILL = (sys.executable, "-m", "promfill")
NOTHING = (sys.executable, "-c", "pass")
START = 1_700_006_400  # a UTC midnight of November 2023
DAY = 86_400
STEP = 300
SIX_LABELS = "instance=host-{{1..{}}},job=node,tenant_uuid=abc123,uuid=device-uuid-123,cpu=total"


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command: wall and CPU seconds of its whole tree, and the tree's peak memory (0: not watched)."""

    seconds: float
    cpu_seconds: float
    peak_mb: float = 0.0
    output: str = ""


def run_process(command: Sequence[str | Path], *, env: Mapping[str, str] | None = None, watch: bool = False) -> Run:
    """Run a command to its end in an empty working directory. RuntimeError, with what it printed, if it fails.

    `env` is added to the environment; Python finds this checkout's promfill, and keeps its bytecode, as it does for
    users. With `watch`, a thread reads the memory of its tree every 20 ms, at some cost to the command's time; pages
    that forked processes share count once for each.
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **(env or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryDirectory() as here:
        begin = time.perf_counter()
        process = subprocess.Popen(command, cwd=here, env=environment, stdout=out, stderr=subprocess.STDOUT)
        watcher = _Watcher(process.pid) if watch else None
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        peak = watcher.stop() if watcher else 0
        out.seek(0)
        output = out.read().decode(errors="replace")
        if process.returncode:
            raise RuntimeError(f"{command[0]}: exit code {process.returncode}\n{output[-2000:]}")
    return Run(seconds, usage.ru_utime + usage.ru_stime, peak / 1e6, output)


class _Watcher:
    """Keeps the largest sum of a tree's resident bytes."""

    def __init__(self, pid: int) -> None:
        self._pid, self._peak, self._ended = pid, 0, threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def stop(self) -> int:
        self._ended.set()
        self._thread.join()
        return self._peak

    def _watch(self) -> None:
        while not self._ended.wait(0.02):
            self._peak = max(self._peak, sum(resident_sizes(self._pid)))


def resident_sizes(pid: int) -> list[int]:
    """Bytes resident of a process and of each of its descendants; those that end meanwhile are left out."""
    sizes = []
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                sizes.append(one.memory_info().rss)
    return sizes


def scenario(series: int, days: float, start: int = START) -> list[str]:
    """The options of a fleet with six labels, `days` at 5m; one series has the original's noise."""
    end = start + round(days * DAY)
    return ["--metric-name", "vpn", "--labels", SIX_LABELS.format(series), "--start", str(start), "--end", str(end)]


def push_command(mode: str, folder: Path, series: int, days: float, *more: str) -> list[str]:
    """`promfill push` of that fleet into a folder."""
    return [*PROMFILL, "push", "--quiet", "--mode", mode, *scenario(series, days), "--output-dir", str(folder), *more]


def samples_of(series: int, days: float) -> int:
    """How many samples a push holds."""
    return series * round(days * DAY / STEP)


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@dataclass(frozen=True, slots=True)
class Whole:
    """A command, with an empty folder each time, against a peer in this process; otherwise like `harness.Ratio`."""

    name: str
    command: Callable[[Path], Sequence[str]]
    peer: Callable[[], object]
    samples: int = 0
    peer_samples: int = 0
    of: str = "speed"
    turns: int = 5

    def measure(self) -> Result:
        """Take turns; making and removing the folders is not timed."""
        self.peer()
        turns = [self._turn() for _ in range(self.turns)]
        return compare(self.name, turns, self.samples, self.peer_samples, self.of)

    def _turn(self) -> tuple[float, float]:
        with tempfile.TemporaryDirectory() as folder:
            own = run_process(self.command(Path(folder))).seconds
        begin = time.perf_counter()
        self.peer()
        return own, time.perf_counter() - begin


def repeated(run: Callable[[], object], times: int) -> Callable[[], None]:
    """`run` several times: a short run needs a longer turn."""

    def run_all() -> None:
        for _ in range(times):
            run()

    return run_all
