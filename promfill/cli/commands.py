"""Commands that a push prints for its user: exact, and ready for a shell."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from promfill.plan import Grid
from promfill.times import DAY_MS, format_seconds

_YEAR_MS = 365 * DAY_MS


def serve_command(directory: Path, grid: Grid) -> str:
    """What serves a directory of blocks. A default Prometheus would delete all that is older than 15 days at its start,
    so retention is some whole years longer than the oldest sample is old.
    """
    age = max(time.time() * 1000, grid.last) - grid.start
    words = [
        "prometheus",
        "--config.file=/dev/null",
        f"--storage.tsdb.path={directory}",
        f"--storage.tsdb.retention.time={int(age // _YEAR_MS) + 2}y",
        "--web.listen-address=127.0.0.1:9090",
    ]
    return shlex.join(words)


def what_words(values: Mapping[str, Any], parameters: Iterable[click.Parameter], grid: Grid) -> list[str]:
    """The options that say what was generated, with resolved times, leaving out those at their defaults."""
    resolved = {"start": format_seconds(grid.start), "end": format_seconds(grid.time(grid.steps))}
    words: list[str] = []
    for parameter in parameters:
        name = parameter.name or ""
        value = resolved.get(name, values.get(name))
        if value is None or value is False or (value == parameter.default and name not in resolved):
            continue
        for one in value if isinstance(value, tuple) else (value,):
            words += [parameter.opts[0]] if one is True else [parameter.opts[0], str(one)]
    return words
