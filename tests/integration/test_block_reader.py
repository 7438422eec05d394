"""Blocks that promtool made, read: the same series and samples as the text that it made them from."""

from __future__ import annotations

import random
from pathlib import Path

import httpx
import numpy as np
import pytest

from promfill.blocks.block import open_block
from promfill.blocks.check import check_block
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from tests.support.blocks import samples_by_labels, write_block
from tests.support.servers import run_promtool, start_prometheus
from tests.support.xor_streams import Sample

pytestmark = pytest.mark.server

START = 1_767_225_600_000
DAY = 86_400_000


def random_series(rng: random.Random) -> dict[LabelSet, list[Sample]]:
    found: dict[LabelSet, list[Sample]] = {}
    for number in range(12):
        labels = (("__name__", "m"), ("case", f'quote" back\\ line\n {number}'), ("n", str(number % 3)))
        times = [
            START + step * 60_000 + rng.randint(-5_000, 5_000) * (number % 2) for step in range(rng.choice([1, 700]))
        ]
        values = np.array([rng.gauss(20, 3) if number % 4 else rng.randint(0, 5) for _ in times], np.float64)
        found[labels] = list(zip(times, values.view(np.uint64).tolist(), strict=True))
    return found


def openmetrics(series: dict[LabelSet, list[Sample]]) -> str:
    lines = ["# TYPE m gauge"]
    for labels, samples in series.items():
        escaped = (value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") for _, value in labels[1:])
        text = ",".join(f'{name}="{value}"' for (name, _), value in zip(labels[1:], escaped, strict=True))
        for time, bits in samples:
            lines.append(f"m{{{text}}} {np.uint64(bits).view(np.float64)!s} {time / 1000:.3f}")
    return "\n".join([*lines, "# EOF", ""])


def test_promtools_blocks_hold_the_text(tmp_path: Path) -> None:
    series = random_series(random.Random(1))
    (tmp_path / "in.txt").write_text(openmetrics(series))
    made = run_promtool("tsdb", "create-blocks-from", "openmetrics", tmp_path / "in.txt", tmp_path / "data")
    assert made.returncode == 0, made.stderr
    found: dict[LabelSet, list[Sample]] = {}
    blocks = [open_block(path) for path in (tmp_path / "data").iterdir()]
    assert len(blocks) > 5
    for block in sorted(blocks, key=lambda block: block.meta.min_time):
        checked = check_block(block, decode=True)
        assert checked.samples == {1: block.meta.stats.samples}
        for labels, samples in samples_by_labels(block).items():
            found.setdefault(labels, []).extend(samples)
    assert found == series


def test_prometheus_shows_two_samples_of_a_millisecond_that_two_chunks_share(tmp_path: Path) -> None:
    """So the block is damaged: its series has two values at one time. We read the first one."""
    bits = [int(np.float64(value).view(np.uint64)) for value in (1.0, 2.0, 3.0, 9.0)]
    first = [(START, bits[0]), (START + 60_000, bits[1]), (START + 120_000, bits[2])]
    labels: LabelSet = (("__name__", "m"), ("n", "1"))
    path = write_block(tmp_path, {labels: [first, [(START + 120_000, bits[3])]]})
    with pytest.raises(FormatError, match="chunks overlap"):
        check_block(path)
    assert samples_by_labels(open_block(path)) == {labels: first}
    with start_prometheus(tmp_path) as server:
        query = {"query": "m[10m]", "time": str((START + 180_000) / 1000)}
        (series,) = httpx.get(f"{server.url}/api/v1/query", params=query).json()["data"]["result"]
    seconds = START // 1000
    assert series["values"] == [[seconds, "1"], [seconds + 60, "2"], [seconds + 120, "3"], [seconds + 120, "9"]]
