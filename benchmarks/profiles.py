"""Where a run's time goes: the functions with the most time of their own, by cProfile."""

from __future__ import annotations

import cProfile
import pstats
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.processes import PROMFILL, run_process

HotSpots = list[tuple[str, float]]
"""(function, share of the time that is its own), the largest first. numpy's ufuncs count for who calls them."""


def hot_spots(profile: cProfile.Profile | Path, most: int = 4) -> HotSpots:
    """The largest of a profile, or of a file that holds one."""
    loaded: Any = pstats.Stats(str(profile) if isinstance(profile, Path) else profile)
    stats: dict[tuple[str, int, str], tuple[Any, ...]] = loaded.stats
    total = sum(entry[2] for entry in stats.values())
    largest = sorted(stats.items(), key=lambda item: -item[1][2])[:most]
    return [(spot_name(*place), entry[2] / total) for place, entry in largest]


def spot_name(file: str, line: int, function: str) -> str:
    """``xor_pack._put_values`` for a function of Python, ``numpy.ndarray.take`` or ``orjson.dumps`` for one in C."""
    if file != "~":
        return f"{Path(file).stem}.{function}"
    if method := re.fullmatch(r"<method '(.+)' of '(.+)' objects>", function):
        return f"{method[2]}.{method[1]}"
    return function.strip("<>").removeprefix("built-in method ")


def profile_push(arguments: Sequence[str]) -> HotSpots:
    """Of a whole run of promfill, start-up included."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        run_process([sys.executable, "-m", "cProfile", "-o", str(path), *PROMFILL[1:], *arguments])
        return hot_spots(path)
