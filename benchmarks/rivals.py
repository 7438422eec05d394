"""promfill beside what its users would run instead, whole processes turn by turn: the medians of the pairs.

    python -m benchmarks.rivals [original_1 …]

A peer that is not on this machine is named as missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.harness import spread
from benchmarks.matrix import from_text, make_text, run_stage
from benchmarks.processes import (
    PROMFILL,
    Run,
    push_command,
    run_process,
    samples_of,
    size_of,
)
from benchmarks.receivers import (
    BY_SERIES,
    BY_WINDOWS,
    DAYS,
    OPENTELEMETRY,
    PEERS,
    VM,
    Library,
    Turn,
    has_environment,
    python_of,
    receiver,
)


@dataclass(frozen=True, slots=True)
class Side:
    """One side of a comparison: the medians of its turns."""

    seconds: float
    cpu_seconds: float
    samples_per_second: float
    bytes_per_sample: float
    peak_mb: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ratio`: how many times as fast as the peer. `control`: the peer against itself, where a server is in it."""

    name: str
    peer: str
    series: int
    peer_series: int
    days: int
    ratio: float
    spread: float
    turns: int
    own: Side
    other: Side
    control: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Rival:
    """A comparison to make: `needs` are environments of `.peers` and programs; `own` and `other` take a turn."""

    name: str
    peer: str
    needs: tuple[str, ...]
    own: Callable[[], Turn]
    other: Callable[[], Turn]
    series: int
    turns: int
    peer_series: int = 0
    note: str = ""

    @property
    def missing(self) -> list[str]:
        """What this machine lacks."""
        return [need for need in self.needs if not (has_environment(need) or shutil.which(need))]

    def measure(self) -> Comparison:
        """Turn by turn; who begins alternates."""
        pairs = [self._pair(turn) for turn in range(self.turns)]
        return compared(self, [own for own, _ in pairs], [other for _, other in pairs])

    def _pair(self, turn: int) -> tuple[Turn, Turn]:
        if turn % 2:
            other = self.other()
            return self.own(), other
        own = self.own()
        return own, self.other()


def compared(rival: Rival, own: list[Turn], other: list[Turn], control: float | None = None) -> Comparison:
    """The figures of the turns, which are pairs."""
    peer_series = rival.peer_series or rival.series
    work = rival.series / peer_series
    ratios = [b.run.seconds / a.run.seconds * work for a, b in zip(own, other, strict=True)]
    return Comparison(
        rival.name,
        rival.peer,
        rival.series,
        peer_series,
        DAYS,
        statistics.median(ratios),
        spread(ratios) if len(ratios) > 1 else 0.0,
        len(ratios),
        side_of(own, samples_of(rival.series, DAYS)),
        side_of(other, samples_of(peer_series, DAYS)),
        control,
        rival.note,
    )


def side_of(turns: list[Turn], samples: int) -> Side:
    """Medians; of memory the most."""
    seconds = statistics.median(turn.run.seconds for turn in turns)
    cpu = statistics.median(turn.run.cpu_seconds for turn in turns)
    return Side(seconds, cpu, samples / seconds, turns[-1].made / samples, max(turn.run.peak_mb for turn in turns))


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
    """promtool alone, on text that is ready."""

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
    """promfill's generation alone, imports left out."""

    def turn() -> Turn:
        taken = json.loads(run_stage("generate", series, DAYS).output)
        return Turn(Run(taken["seconds"], taken["cpu_seconds"], taken["peak_mb"]))

    return turn


def generate_by(environment: str, script: str, series: int) -> Callable[[], Turn]:
    """A peer's generation alone, imports left out: it prints its seconds."""

    def turn() -> Turn:
        command = [python_of(environment), str(PEERS / script), str(series), str(DAYS)]
        run = run_process(command, env={"TZ": "UTC"}, watch=True)
        return Turn(Run(float(run.output.split()[-1]), run.cpu_seconds, run.peak_mb))

    return turn


@dataclass(frozen=True, slots=True)
class Replay(Rival):
    """Push, replay, replay: turn by turn in one server; the second replay is the control."""

    def measure(self) -> Comparison:
        """Who begins goes round."""
        own: list[Turn] = []
        other: list[Turn] = []
        control: list[Turn] = []
        with receiver() as server:
            for turn in range(self.turns):
                ways = [(own, server.push), (other, server.replay), (control, server.replay)]
                for kept, take in ways[turn % 3 :] + ways[: turn % 3]:
                    kept.append(take(self.series))
        against_itself = [b.run.seconds / a.run.seconds for a, b in zip(other, control, strict=True)]
        return compared(self, own, other, statistics.median(against_itself))


def in_turn() -> Turn:
    """Stands where a comparison takes its turns itself."""
    raise NotImplementedError


def against_library(name: str, library: Library, series: int, turns: int) -> Rival:
    """promfill and a library of others, each turn in a fresh server."""

    def own() -> Turn:
        with receiver() as server:
            return server.push(series)

    def other() -> Turn:
        with receiver() as server:
            return server.send(library.environment, library.script, series, *library.options)

    return Rival(name, library.title, (library.environment, VM), own, other, series, turns)


def rivals() -> list[Rival]:
    """All but the replay; slow peers once where they have 6,048,000 samples."""
    kind = "mockseries, jinja2, promtool --max-block-duration=12h"
    found = [
        Rival(
            f"original_{series}", kind, ("original", "promtool"), push_blocks(series), original(series), series, turns
        )
        for series, turns in ((1, 5), (100, 2), (1_000, 1))
    ]
    longest = "--max-block-duration=10000h"
    ready = "promtool, text ready, blocks of"
    found += [
        Rival("promtool_2h_100", f"{ready} 2h", ("promtool",), push_blocks(100), promtool(100), 100, 1),
        Rival(
            "promtool_longest_100",
            f"{ready} its largest range",
            ("promtool",),
            push_blocks(100),
            promtool(100, longest),
            100,
            5,
        ),
        Rival(
            "promtool_longest_1000",
            f"{ready} its largest range",
            ("promtool",),
            push_blocks(1_000),
            promtool(1_000, longest),
            1_000,
            3,
        ),
        Rival(
            "create_blocks_2h_100",
            f"{ready} 2h, against create-blocks-from",
            ("promtool",),
            create_blocks(100),
            promtool(100),
            100,
            1,
        ),
    ]
    mockseries = generate_by("original", "generate_mockseries.py", 100)
    synforecast = generate_by("synforecast", "generate_synforecast.py", 1_000)
    found += [
        Rival("mockseries", "mockseries, generation alone", ("original",), generate(1_000), mockseries, 1_000, 3, 100),
        Rival(
            "synforecast",
            "Nixtla's synforecast, generation alone",
            ("synforecast",),
            generate(1_000),
            synforecast,
            1_000,
            3,
        ),
        against_library("remote_writer_100", BY_SERIES, 100, 3),
        against_library("remote_writer_1000", BY_SERIES, 1_000, 1),
        against_library("remote_writer_windows_1000", BY_WINDOWS, 1_000, 1),
        against_library("opentelemetry_100", OPENTELEMETRY, 100, 3),
        Replay("remote_write_replay", "replay of ready-made requests", (VM,), in_turn, in_turn, 1_000, 5),
    ]
    return found


def measure_all(names: list[str] | None = None) -> tuple[list[Comparison], list[str]]:
    """The comparisons, and a line for each that could not be made."""
    done, missing = [], []
    for rival in rivals():
        if names and rival.name not in names:
            continue
        if rival.missing:
            missing.append(f"{rival.peer} ({rival.name}): {', '.join(rival.missing)} is not to be had on this machine")
            continue
        try:
            done.append(rival.measure())
        except Exception as error:  # one broken comparison must not hide the others
            missing.append(f"{rival.peer} ({rival.name}) failed: {error}"[:300])
            print(missing[-1], flush=True)
            continue
        print(f"{rival.name:<24} {done[-1].ratio:8.2f} x {rival.peer}", flush=True)
    return done, missing


def main() -> None:
    """The named comparisons, or all; prints JSON."""
    parser = argparse.ArgumentParser(description="Compare promfill with what its users would run instead.")
    parser.add_argument("names", nargs="*")
    done, missing = measure_all(parser.parse_args().names)
    print(json.dumps({"comparisons": [asdict(one) for one in done], "missing": missing}, indent=1))


if __name__ == "__main__":
    main()
