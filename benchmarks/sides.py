"""The sides of `rivals` that need no server: each function returns one that takes a turn."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.matrix import run_stage
from benchmarks.processes import PROMFILL, Run, push_command, run_process, size_of
from benchmarks.receivers import DAYS, PEERS, Turn, python_of
from benchmarks.whole import from_text, make_text


def push_blocks(series: int) -> Callable[[], Turn]:
    """promfill's own side of blocks."""

    def turn() -> Turn:
        with tempfile.TemporaryDirectory() as folder:
            run = run_process(push_command("blocks", Path(folder), series, DAYS), watch=True)
            return Turn(run, size_of(Path(folder)))

    return turn


def original(series: int) -> Callable[[], Turn]:
    """The original's pipeline."""

    def turn() -> Turn:
        with tempfile.TemporaryDirectory() as folder:
            script = str(PEERS / "original.py")
            command = [python_of("original"), script, folder, str(series), str(DAYS)]
            run = run_process(command, env={"TZ": "UTC"}, watch=True)
            return Turn(run, size_of(Path(folder) / "blocks"))

    return turn


def promtool(series: int, *options: str) -> Callable[[], Turn]:
    """promtool alone, on ready-made text."""

    def turn() -> Turn:
        with tempfile.TemporaryDirectory() as folder:
            text, out = make_text(Path(folder), series, DAYS), Path(folder) / "blocks"
            command = ["promtool", "tsdb", "create-blocks-from", *options, "openmetrics", str(text), str(out)]
            return Turn(run_process(command, watch=True), size_of(out))

    return turn


def create_blocks(series: int) -> Callable[[], Turn]:
    """promfill's own reading of text, into promtool's blocks."""

    def turn() -> Turn:
        with tempfile.TemporaryDirectory() as folder:
            text, out = make_text(Path(folder), series, DAYS), Path(folder) / "blocks"
            return Turn(run_process([*PROMFILL, *from_text(text, out)], watch=True), size_of(out))

    return turn


def generate(series: int) -> Callable[[], Turn]:
    """promfill's generation alone, without imports: one pass, as the peers make one."""

    def turn() -> Turn:
        taken = json.loads(run_stage("generate", series, DAYS, "--once").output)
        return Turn(Run(taken["seconds"], taken["cpu_seconds"], taken["peak_mb"]))

    return turn


def generate_by(environment: str, script: str, series: int) -> Callable[[], Turn]:
    """A peer's generation alone, without imports: it prints its wall and its CPU seconds."""

    def turn() -> Turn:
        command = [python_of(environment), str(PEERS / script), str(series), str(DAYS)]
        run = run_process(command, env={"TZ": "UTC"}, watch=True)
        seconds, cpu_seconds = map(float, run.output.split()[-2:])
        return Turn(Run(seconds, cpu_seconds, run.peak_mb))

    return turn
