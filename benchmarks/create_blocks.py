"""Blocks from OpenMetrics text: the reader against one in plain Python, the whole command against promtool."""

from __future__ import annotations

import contextlib
import io
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks.harness import Case, Figure, Ratio, Result, compare, main
from benchmarks.processes import PROMFILL, run_process
from promfill.codecs.openmetrics.encode import EOF, encode_series, encode_values
from promfill.codecs.openmetrics.reader import OpenMetricsReader
from promfill.model.grid import Tile
from promfill.promtool.create_blocks import block_duration, create_blocks
from promfill.promtool.text_pieces import TextPieces, open_text
from promfill.scenario.times import UNITS_MS
from tests.support.sources import source_of

DAY_STEPS = 288
LABELS = "instance=host-{{100..{}}},job=metrics_generator:8123,uuid=d1"  # lines of about 110 bytes
COMMAND = ("tsdb", "create-blocks-from", "-q", "openmetrics")
READ_ALONE = """
import sys
from promfill.codecs.openmetrics.reader import OpenMetricsReader
from promfill.promtool.text_pieces import open_text
reader = OpenMetricsReader()
with open_text(sys.argv[1]) as text:
    for buffer, size in text:
        reader.read(buffer, size)
"""


def cases(quick: bool) -> Iterator[Case]:
    """Reading in both orders, the whole command with long and with short blocks, its memory, and how its time grows."""
    series, days = (20, 7) if quick else (100, 21)
    seconds = 1.0 if quick else 5.0
    samples = series * days * DAY_STEPS
    for order in ("runs", "interleaved"):
        text = text_of(series, days, interleaved=order == "interleaved")
        yield Ratio(
            f"read_openmetrics_{order}", partial(read, text), partial(read_plainly, text), samples, seconds=seconds
        )
    yield Figure("read_openmetrics_memory", "MB", partial(memory, series, days, [sys.executable, "-c", READ_ALONE]))
    yield Figure("create_blocks_memory", "MB", partial(memory, series, days, [*PROMFILL, *COMMAND]))
    for hours in (18, 2):
        yield AgainstPromtool(f"create_blocks_{hours}h_week", 20, 7, hours, turns=3)
        if not quick:  # promtool reads the text once for each of 252 blocks: a minute or two
            yield AgainstPromtool(f"create_blocks_{hours}h", series, days, hours, turns=2)
    yield Figure("create_blocks_growth", "exponent", partial(growth, 100, 21, 84))


@dataclass(frozen=True, slots=True)
class AgainstPromtool:
    """The same text, from the page cache to blocks; start-up is excluded on both sides."""

    name: str
    series: int
    days: int
    hours: int
    turns: int

    def measure(self) -> Result:
        """Take turns. RuntimeError without promtool."""
        promtool = shutil.which("promtool")
        if not promtool:
            raise RuntimeError("promtool is not in PATH: install it (Debian: apt-get install prometheus)")
        start = min(timed(partial(subprocess.run, [promtool, "--version"], capture_output=True)) for _ in range(3))
        with tempfile.TemporaryDirectory() as here:
            text, folder = Path(here) / "text", Path(here)
            text.write_bytes(text_of(self.series, self.days, interleaved=False))
            turns = []
            for turn in range(self.turns):
                own = timed(partial(make_blocks, text, folder / f"ours{turn}", self.hours))
                command = [promtool, "tsdb", "create-blocks-from", f"--max-block-duration={self.hours}h", "-q"]
                command += ["openmetrics", str(text), str(folder / f"theirs{turn}")]
                turns.append((own, timed(partial(subprocess.run, command, check=True)) - start))
        return compare(self.name, turns, self.series * self.days * DAY_STEPS)


def timed(run: Callable[[], object]) -> float:
    """Seconds of one run."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def text_of(series: int, days: int, *, interleaved: bool) -> bytes:
    """Samples at 5m with full mantissas: series by series, or step by step."""
    steps = days * DAY_STEPS
    source = source_of(LABELS.format(99 + series), steps, metric="vpn_tunnels_active")
    batch = source.batch(Tile(0, steps, 0, series))
    names, times = encode_series(batch.fleet, batch.series), batch.timestamps // 1000
    plane = batch.values if interleaved else batch.values.T
    values = iter(encode_values(plane.reshape(-1)))
    places = [(s, t) for t in range(steps) for s in range(series)]
    if not interleaved:
        places.sort()
    ends = [b" %d\n" % at for at in times.tolist()]
    return b"".join(names[s] + value + ends[t] for (s, t), value in zip(places, values, strict=True)) + EOF


def read(text: bytes) -> OpenMetricsReader:
    """The reader alone."""
    reader = OpenMetricsReader()
    for buffer, size in TextPieces(io.BytesIO(text), "text"):
        reader.read(buffer, size)
    reader.finish()
    return reader


def read_plainly(text: bytes) -> list[tuple[int, int, float]]:
    """Read line by line, without checking the grammar."""
    ids: dict[bytes, int] = {}
    rows = []
    for line in io.BytesIO(text):
        if not line.startswith(b"#"):
            series, value, at = line.rsplit(b" ", 2)
            rows.append((ids.setdefault(series, len(ids)), int(float(at) * 1000), float(value)))
    return rows


def make_blocks(text: Path, folder: Path, hours: int) -> None:
    """The command in this process."""
    with contextlib.chdir(folder.parent), open_text(str(text)) as pieces:  # the list of what was made goes there
        create_blocks(pieces, folder, duration=block_duration(hours * UNITS_MS["h"]))


def memory(series: int, days: int, command: Sequence[str]) -> float:
    """The peak memory of a command that takes a text and a directory."""
    with tempfile.TemporaryDirectory() as here:
        text = Path(here) / "text"
        text.write_bytes(text_of(series, days, interleaved=True))
        return run_process([*command, str(text), str(Path(here) / "data")], watch=True).peak_mb


def growth(series: int, *days: int) -> float:
    """The slope between the logarithms of range and time: for each range the best of five turns, interleaved."""
    with tempfile.TemporaryDirectory() as here:
        texts = {length: Path(here) / f"text{length}" for length in days}
        for length, text in texts.items():
            text.write_bytes(text_of(series, length, interleaved=False))
        turns = [
            [timed(partial(make_blocks, text, Path(here) / f"{length}_{turn}", 18)) for length, text in texts.items()]
            for turn in range(5)
        ]
    best = [min(column) for column in zip(*turns, strict=True)]
    return math.log(best[-1] / best[0]) / math.log(days[-1] / days[0])


if __name__ == "__main__":
    main(cases)
