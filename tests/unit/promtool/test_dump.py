from __future__ import annotations

import random
from pathlib import Path

import numpy as np

from promfill.blocks.directory import open_blocks
from promfill.model.batch import LabelSet
from promfill.promtool.dump import Dump
from tests.support.blocks import write_block
from tests.support.ulids import place_block
from tests.support.xor_streams import Sample

START = 1_700_000_000_000


def dumped(directory: Path) -> list[str]:
    blocks, _ = open_blocks(directory)
    return b"".join(Dump(blocks).pieces()).decode().splitlines()


def test_of_equal_times_the_later_blocks_sample_is_kept(tmp_path: Path) -> None:
    rng = random.Random(11)
    kept: dict[tuple[str, int], int] = {}
    for number in range(5):  # the first of its times tells which block is later
        series: dict[LabelSet, list[list[Sample]]] = {}
        for label in "abc":
            times = [number, *sorted(rng.sample(range(5, 40), 20))]
            samples: list[Sample] = [(START + time, int(np.float64(number).view(np.uint64))) for time in times]
            series[(("__name__", "m"), ("l", label))] = [samples]
            kept |= {(label, time): number for time in times}
        place_block(write_block(tmp_path / "new", series), tmp_path, 9 - number)
    expected = [f'{{__name__="m", l="{label}"}} {kept[label, time]} {START + time}' for label, time in sorted(kept)]
    assert dumped(tmp_path) == expected
