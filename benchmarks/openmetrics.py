"""OpenMetrics text out: against a writer with one f-string a line, like the original script's."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.harness import Case, Figure, Ratio, main
from benchmarks.processes import Whole, push_command, repeated, run_process, samples_of
from benchmarks.xor_encode import gaussian
from benchmarks.yardstick import make_yardstick
from promfill.codecs.openmetrics.encode import encode_batch
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.sinks.openmetrics import TILE_SAMPLES
from tests.support.sources import source_of

STEPS = 6_048  # 21 days at 5m
SERIES = TILE_SAMPLES // STEPS


def cases(quick: bool) -> Iterator[Case]:
    """A tile of text, the bytes of a line, the whole push and its memory."""
    source = source_of(f"instance=host-{{1..{SERIES}}},job=node,tenant_uuid=abc123,uuid=device-uuid-123", STEPS)
    batch = source.batch(Tile(0, STEPS, 0, SERIES))
    seconds = 1.0 if quick else 3.0
    yield Ratio("openmetrics_encode", partial(encode_batch, batch), by_f_strings(batch), batch.samples, seconds=seconds)
    yield Figure("openmetrics_size", "bytes/sample", lambda: len(encode_batch(batch)) / batch.samples)
    series = 200 if quick else 1_000
    yield speed("openmetrics_push", series, 21)
    yield Figure("openmetrics_memory", "MB", partial(memory, series, 21))


def cell(series: int, days: int) -> Iterator[Case]:
    """Speed and memory of another fleet and range."""
    yield speed("openmetrics", series, days)
    yield Figure("memory", "MB", partial(memory, series, days))


def speed(name: str, series: int, days: int) -> Whole:
    """A push against some passes of the encoders' yardstick."""
    passes, bits = 10, gaussian(2_000)
    yardstick = repeated(make_yardstick(bits), passes)
    push = partial(push_text, series=series, days=days)
    return Whole(name, push, yardstick, samples_of(series, days), passes * bits.size)


def by_f_strings(batch: SeriesBatch) -> Callable[[], bytes]:
    """The same lines, one by one; the text of the series is made beforehand."""
    names = []
    for row in batch.series:
        labels = dict(batch.fleet.label_set(row))
        metric = labels.pop("__name__")
        names.append(metric + "{" + ",".join(f'{name}="{value}"' for name, value in labels.items()) + "}")

    def run() -> bytes:
        times = [f"{at // 1000}" for at in batch.timestamps.tolist()]
        lines = [
            f"{name} {value} {at}\n"
            for name, column in zip(names, batch.values.T.tolist(), strict=True)
            for value, at in zip(column, times, strict=True)
        ]
        return "".join(lines).encode()

    if run() != encode_batch(batch):
        raise RuntimeError("the peer writes another text")
    return run


def push_text(folder: Path, series: int, days: float) -> list[str]:
    """The command."""
    return push_command("openmetrics", folder, series, days)


def memory(series: int, days: float) -> float:
    """The peak memory of the process."""
    with tempfile.TemporaryDirectory() as folder:
        return run_process(push_text(Path(folder), series, days), watch=True).peak_mb


if __name__ == "__main__":
    main(cases, cell=cell)
