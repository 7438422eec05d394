"""promfill against what its users would run instead, whole processes turn by turn: the medians of the pairs.

    python -m benchmarks.rivals [original_1 …]

A peer that is not installed is named as missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from benchmarks.comparison import Comparison, Rival
from benchmarks.harness import failure_told
from benchmarks.receivers import (
    BY_SERIES,
    BY_WINDOWS,
    OPENTELEMETRY,
    PROMETHEUS,
    VM,
    Library,
    Turn,
    receiver,
)
from benchmarks.sides import create_blocks, generate, generate_by, original, promtool, push_blocks

TITLES = {VM: "VictoriaMetrics", PROMETHEUS: "Prometheus"}


@dataclass(frozen=True, slots=True)
class Unmade:
    """A comparison that was not made: its peer is not on this machine, or (`failed`) it broke."""

    name: str
    peer: str
    why: str
    failed: bool


def rivals() -> list[Rival]:
    """All of them: five turns, fewer for slow peers, one for a peer that takes minutes."""
    return [*against_files(), *against_generators(), *against_senders()]


def against_files() -> Iterator[Rival]:
    """Blocks, against the original's pipeline and against promtool alone."""
    pipeline = "mockseries, jinja2, promtool --max-block-duration=12h"
    both, needs = ("original", "promtool"), ("promtool",)
    for series, turns in ((1, 5), (100, 3), (1_000, 1)):
        yield Rival(f"original_{series}", pipeline, both, push_blocks(series), original(series), series, turns)
    ready = "promtool, text ready, blocks of"
    yield Rival("promtool_2h_100", f"{ready} 2h", needs, push_blocks(100), promtool(100), 100, 1)
    longest = "--max-block-duration=10000h"
    for series in (100, 1_000):
        other = promtool(series, longest)
        name = f"promtool_longest_{series}"
        yield Rival(name, f"{ready} its largest range", needs, push_blocks(series), other, series, 5)
    title = f"{ready} 2h, against create-blocks-from"
    yield Rival("create_blocks_2h_100", title, needs, create_blocks(100), promtool(100), 100, 1)


def against_generators() -> Iterator[Rival]:
    """Generation alone, in processes that have started."""
    own = generate(1_000)
    other = generate_by("original", "generate_mockseries.py", 100)
    yield Rival("mockseries", "mockseries, generation alone", ("original",), own, other, 1_000, 5, peer_series=100)
    other, title = (
        generate_by("synforecast", "generate_synforecast.py", 1_000),
        "Nixtla's synforecast, generation alone",
    )
    yield Rival("synforecast", title, ("synforecast",), own, other, 1_000, 5)


def against_senders() -> Iterator[Rival]:
    """Remote write, against other libraries and against the receiver's own pace."""
    yield against_library("remote_writer_100", BY_SERIES, VM, 100, 5)
    yield against_library("remote_writer_1000", BY_SERIES, VM, 1_000, 3)
    yield against_library("remote_writer_windows_1000", BY_WINDOWS, VM, 1_000, 3)
    yield against_library("opentelemetry_100", OPENTELEMETRY, VM, 100, 5)
    yield against_library("remote_writer_prometheus_100", BY_WINDOWS, PROMETHEUS, 100, 5)
    yield against_replay("remote_write_replay", VM, 5)
    yield against_replay("remote_write_replay_prometheus", PROMETHEUS, 3)


def against_library(name: str, library: Library, kind: str, series: int, turns: int) -> Rival:
    """promfill and another library, each turn with a fresh server."""

    def own() -> Turn:
        with receiver(kind) as server:
            return server.push(series)

    def other() -> Turn:
        with receiver(kind) as server:
            return server.send(library, series)

    title = f"{library.title}, into {TITLES[kind]}"
    return Rival(name, title, (library.environment, kind), own, other, series, turns, controlled=True)


def against_replay(name: str, kind: str, turns: int) -> Rival:
    """promfill and its own ready-made requests, each turn with a fresh server."""
    series = 1_000

    def own() -> Turn:
        with receiver(kind) as server:
            return server.push(series)

    def other() -> Turn:
        with receiver(kind) as server:
            return server.replay(series)

    title = f"replay of ready-made requests, into {TITLES[kind]}"
    return Rival(name, title, (kind,), own, other, series, turns, controlled=True)


def measure_all(names: Sequence[str] = ()) -> Iterator[Comparison | Unmade]:
    """The named comparisons, or all, one after the other."""
    return (measure(rival) for rival in rivals() if not names or rival.name in names)


def measure(rival: Rival) -> Comparison | Unmade:
    """One comparison."""
    if rival.missing:
        why = f"{', '.join(rival.missing)} is not installed on this machine"
        return Unmade(rival.name, rival.peer, why, failed=False)
    failures: list[str] = []
    with failure_told(failures, ""):
        found = rival.measure()
        print(f"{rival.name:<32} {found.ratio:8.2f} x {rival.peer}", file=sys.stderr, flush=True)
        return found
    return Unmade(rival.name, rival.peer, failures[0], failed=True)


def main() -> None:
    """The named comparisons, or all; prints JSON."""
    parser = argparse.ArgumentParser(description="Compare promfill with what its users would run instead.")
    parser.add_argument("names", nargs="*", help=", ".join(rival.name for rival in rivals()))
    found = list(measure_all(parser.parse_args().names))
    print(json.dumps([asdict(one) for one in found], indent=1))
    sys.exit(any(isinstance(one, Unmade) and one.failed for one in found))


if __name__ == "__main__":
    main()
