"""Where a run's time goes, by cProfile: into what kind of work, and into which functions."""

from __future__ import annotations

import cProfile
import pstats
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.processes import PROMFILL, run_process

KINDS = {
    "waiting": r"_thread\.(lock|RLock)\.acquire|_socket\.socket\.\w+|select\.\w+(\.poll)?|_queue\.SimpleQueue\.get",
    "disk": r"posix\.(fsync|fdatasync|open|close|rename|replace|mkdir|rmdir|unlink|scandir|link|pwrite|write|lseek)"
    r"|_?io\.(open|FileIO\.\w+|BufferedWriter\.\w+|BufferedReader\.\w+|BufferedRandom\.\w+)|posix\.read|mmap\.mmap.*",
    "text": r"bytes\.\w+|bytearray\.\w+|str\.\w+|orjson\.\w+|_struct\.\w+|json\.\w+",
    "compression": r"snappy\.\w+|zlib\.\w+|cramjam\.\w+",
}
"""The names of the functions of each kind (`spot_name`); all other work is arithmetic, on arrays and in Python."""
IMPORT = "_find_and_load"

HotSpots = list[tuple[str, float]]
"""(function, its own share of the time), the largest first. The time of numpy's ufuncs counts for their callers."""


@dataclass(frozen=True, slots=True)
class Profile:
    """`kinds`: the share of each kind of work, of `KINDS`, "start-up" (imports) and "arithmetic"; they add up to 1."""

    kinds: dict[str, float]
    spots: HotSpots


def read_profile(profile: cProfile.Profile | Path, most: int = 4) -> Profile:
    """From a profile, or a file that holds one."""
    loaded: Any = pstats.Stats(str(profile) if isinstance(profile, Path) else profile)
    stats: dict[tuple[str, int, str], tuple[Any, ...]] = loaded.stats
    total = sum(entry[2] for entry in stats.values())
    own = [(spot_name(*place), entry[2] / total) for place, entry in stats.items()]
    imports = sum(entry[3] for place, entry in stats.items() if place[2] == IMPORT) / total
    return Profile(shares(own, imports), sorted(own, key=lambda spot: -spot[1])[:most])


def shares(own: HotSpots, imports: float) -> dict[str, float]:
    """The share of each kind, by the names of all functions; what files and text cost in imports counts as start-up."""
    found = {kind: sum(share for name, share in own if re.fullmatch(pattern, name)) for kind, pattern in KINDS.items()}
    rest = 1 - imports - sum(found.values())
    return {**found, "start-up": imports, "arithmetic": max(0.0, rest)}


def spot_name(file: str, line: int, function: str) -> str:
    """``xor_pack._put_values`` for a function of Python, ``numpy.ndarray.take`` or ``orjson.dumps`` for one in C."""
    if file != "~":
        return f"{Path(file).stem}.{function}"
    if method := re.fullmatch(r"<method '(.+)' of '(.+)' objects>", function):
        return f"{method[2]}.{method[1]}"
    return function.strip("<>").removeprefix("built-in method ")


def profile_command(arguments: Sequence[str]) -> Profile:
    """Profile a whole run of promfill with its start-up: the first thread, which waits for the others."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "profile"
        run_process([sys.executable, "-m", "cProfile", "-o", str(path), *PROMFILL[1:], *arguments])
        return read_profile(path)


LIMITS = {
    "waiting": "waiting: {share} of the time passes until {other} {have}",
    "disk": "the disk: {share} of the time goes into opening, writing and syncing files",
    "text": "text: {share} of the time goes into joining, splitting and formatting it",
    "compression": "python-snappy: {share} of the time is its search for repeats",
    "start-up": "start-up: {share} of the time goes into Python's imports",
    "arithmetic": "arithmetic: {share} of the time is work on arrays, and the Python around it",
}


def limit_of(kinds: Mapping[str, float], server: bool = False) -> str:
    """A sentence on what limits a stage: the kind with the largest share, and the others above a twentieth.

    server: whether the first thread waits for a server; otherwise it waits for its own threads, which write.
    """
    ordered = sorted(kinds.items(), key=lambda kind: -kind[1])
    (first, share), others = ordered[0], [f"{kind} {part:.0%}" for kind, part in ordered[1:] if part >= 0.05]
    other, have = ("the receiver", "has answered") if server else ("its own threads", "have written and synced")
    rest = f" ({', '.join(others)})" if others else ""
    return f"Limited by {LIMITS[first].format(share=f'{share:.0%}', other=other, have=have)}{rest}."
