"""How much memory a command takes."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class PeakMemory:
    """The most memory of a command, resident, in MB of 10^6 bytes: its whole tree at once, and its largest process."""

    tree_mb: float
    process_mb: float


def peak_memory(command: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None) -> PeakMemory:
    """Run a command, look at its tree every 20 ms. RuntimeError, with what it printed, if it fails.

    Pages that forked processes share count once for each of them in `tree_mb`.
    """
    tree, largest = 0, 0
    with tempfile.TemporaryFile() as out:
        process = subprocess.Popen(command, cwd=cwd, env=env, stdout=out, stderr=subprocess.STDOUT)
        while process.poll() is None:
            sizes = resident_sizes(process.pid)
            tree, largest = max(tree, sum(sizes)), max(largest, *sizes, 0)
            time.sleep(0.02)
        if process.returncode:
            out.seek(0)
            raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}\n{out.read().decode()}")
    return PeakMemory(tree / 1e6, largest / 1e6)


def resident_sizes(pid: int) -> list[int]:
    """Bytes resident of a process and of each of its descendants; those that end meanwhile are left out."""
    sizes = []
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
                sizes.append(one.memory_info().rss)
    return sizes
