"""`promfill push --mode blocks` as a whole process: generation, chunks, index, checksums and sync to disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.harness import Case, Figure, main
from benchmarks.processes import NOTHING, Whole, push_command, repeated, run_process, samples_of, size_of
from benchmarks.xor_encode import gaussian
from benchmarks.yardstick import make_yardstick

PASSES = 10  # of a short peer, in a turn


def cases(quick: bool) -> Iterator[Case]:
    """Speed by the encoder's yardstick, bytes per sample and memory; and one series, which is little but start-up."""
    turns = 5 if quick else 11
    yield speed("blocks_1000", 1_000, 21, turns)
    yield speed("blocks_10000", 10_000, 7 if quick else 21, turns)
    yield Figure("blocks_size", "bytes/sample", partial(bytes_per_sample, 1_000, 21))
    yield Figure("blocks_memory", "MB", partial(memory, 10_000, 7 if quick else 90))
    start = repeated(partial(run_process, NOTHING), PASSES)
    one, samples = partial(push_blocks, series=1, days=21), samples_of(1, 21)
    yield Whole("blocks_one_series", one, start, samples, PASSES * samples, of="time", turns=turns)


def cell(series: int, days: int) -> Iterator[Case]:
    """Speed, size and memory of another fleet and range."""
    yield speed("blocks", series, days, turns=5)
    yield Figure("size", "bytes/sample", partial(bytes_per_sample, series, days))
    yield Figure("memory", "MB", partial(memory, series, days))


def speed(name: str, series: int, days: int, turns: int) -> Whole:
    """A push against some passes of the yardstick."""
    bits = gaussian(2_000)
    yardstick = repeated(make_yardstick(bits), PASSES)
    push = partial(push_blocks, series=series, days=days)
    return Whole(name, push, yardstick, samples_of(series, days), PASSES * bits.size, turns=turns)


def push_blocks(folder: Path, series: int, days: float) -> list[str]:
    """The command."""
    return push_command("blocks", folder, series, days)


def bytes_per_sample(series: int, days: float) -> float:
    """All files of the blocks."""
    with tempfile.TemporaryDirectory() as folder:
        run_process(push_blocks(Path(folder), series, days))
        return size_of(Path(folder)) / samples_of(series, days)


def memory(series: int, days: float) -> float:
    """The peak memory of the process and its children."""
    with tempfile.TemporaryDirectory() as folder:
        return run_process(push_blocks(Path(folder), series, days), watch=True).peak_mb


if __name__ == "__main__":
    main(cases, cell=cell)
