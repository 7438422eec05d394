"""`promfill push --mode blocks` as a whole process: generation, chunks, index, checksums and sync to disk."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.harness import Case, Figure, main
from benchmarks.memory import peak_memory
from benchmarks.processes import NOTHING, Whole, push_command, repeated, run_process, samples_of, size_of
from benchmarks.xor_encode import gaussian
from benchmarks.yardstick import make_yardstick


def cases(quick: bool) -> Iterator[Case]:
    """Speed by the encoder's yardstick, bytes per sample and memory; and one series, which is little but start-up."""
    bits = gaussian(2_000)
    passes, turns = 10, 5 if quick else 11
    yardstick = repeated(make_yardstick(bits), passes)
    for series, days in ((1_000, 21), (10_000, 7 if quick else 21)):
        command = partial(push_blocks, series=series, days=days)
        samples = samples_of(series, days)
        yield Whole(f"blocks_{series}", command, yardstick, samples, passes * bits.size, turns=turns)
    yield Figure("blocks_size", "bytes/sample", partial(bytes_per_sample, 1_000, 21))
    yield Figure("blocks_memory", "MB", partial(memory, 10_000, 7 if quick else 90))
    start = repeated(partial(run_process, NOTHING), passes)
    one, samples = partial(push_blocks, series=1, days=21), samples_of(1, 21)
    yield Whole("blocks_one_series", one, start, samples, passes * samples, of="time", turns=turns)


def push_blocks(folder: Path, series: int, days: float) -> list[str]:
    """The command."""
    return push_command("blocks", folder, series, days)


def bytes_per_sample(series: int, days: float) -> float:
    """All files of the blocks."""
    with tempfile.TemporaryDirectory() as folder:
        run_process(push_blocks(Path(folder), series, days))
        return size_of(Path(folder)) / samples_of(series, days)


def memory(series: int, days: float) -> float:
    """The most that the process and its children hold at once."""
    with tempfile.TemporaryDirectory() as folder:
        return peak_memory(push_blocks(Path(folder), series, days)).tree_mb


if __name__ == "__main__":
    main(cases)
