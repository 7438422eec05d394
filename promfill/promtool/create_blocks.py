"""Turn OpenMetrics text into TSDB blocks. The text is read once, in bounded memory, before any block is written.

    text -(pieces)-> OpenMetricsReader -(samples)-> SampleSpill -(sorted)-> SortedBlocks -> block directories

Blocks get their final names, where a Prometheus would see them, only after the whole text proved to be valid.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from promfill.blocks.directory import read_metas
from promfill.blocks.sample_keys import KeyArray, KeyLayout
from promfill.blocks.sample_spill import CAPACITY, SampleSpill
from promfill.blocks.sorted_blocks import SortedBlocks, WrittenBlock
from promfill.codecs.openmetrics.reader import LateSample, OpenMetricsReader
from promfill.errors import InputError, setting
from promfill.files.claims import claim_directory
from promfill.files.directory import disk_errors
from promfill.model.batch import Fleet
from promfill.model.types import BoolArray, F64Array
from promfill.promtool.text_pieces import TextPieces
from promfill.rules.prometheus import BLINDS
from promfill.scenario.times import UNITS_MS, format_seconds, format_time, name_time
from promfill.sources.expand_labels import fleet_from_label_sets

SHORTEST_BLOCK = 2 * UNITS_MS["h"]
_GROWTH, _RANGES = 3, 10

Progress = Callable[[str, int, int | None, int], None]
"""Called with the phase (``reading`` or ``writing``), the amount done, the total (or None), and the samples so far.

Amounts are in bytes while reading, and in samples while writing."""


@dataclass(frozen=True, slots=True)
class BlocksReport:
    """The result of converting a text.

    doubled: samples that the text repeats with the same value. overlapping: existing blocks that overlap the new ones.
    late: the first sample after now. metadata: which of HELP, TYPE and UNIT the text has; blocks cannot hold them.
    """

    blocks: Sequence[WrittenBlock]
    series: int
    lines: int
    doubled: int
    exemplars: int
    overlapping: Sequence[str]
    late: LateSample | None = None
    metadata: Sequence[str] = ()

    @property
    def samples(self) -> int:
        """The number of samples in all blocks."""
        return sum(block.meta.stats.samples for block in self.blocks)


def block_duration(longest: int) -> int:
    """The duration that promtool chooses, in ms: the longest 2h x 3^n, n up to 9, up to `longest`; at least 2h."""
    ranges = (SHORTEST_BLOCK * pow(_GROWTH, n) for n in range(_RANGES))
    return max((one for one in ranges if one <= longest), default=SHORTEST_BLOCK)


def create_blocks(
    text: TextPieces,
    directory: Path,
    *,
    duration: int = SHORTEST_BLOCK,
    labels: Mapping[str, str] | None = None,
    progress: Progress = lambda _phase, _done, _total, _samples: None,
    capacity: int = CAPACITY,
    now: int | None = None,
    allow_future: bool = False,
    about_to_make: Callable[[list[Path]], None] = lambda paths: None,
) -> BlocksReport:
    """Write the samples of a text as blocks into the directory. Either all blocks appear, or none.

    duration: the longest range of a block, in ms; blocks are aligned to it, counted from 1970. labels: set on every
    series, replacing its own labels of the same names. capacity: samples held in memory. now: Unix ms; None for the
    clock. allow_future: accept samples after now. about_to_make: called with the paths of the blocks just before they
    get their final names.

    InputError, with the line: text that promtool refuses, or a sample after now. InputError: one series has two values
    at the same time. OutputError: a disk error.
    """
    was_there = directory.exists()
    claim = claim_directory(directory)
    spill = SampleSpill(directory, capacity)
    try:
        reader = OpenMetricsReader(labels)
        _read(text, reader, spill, progress, now, allow_future)
        return _write(reader, spill, directory, duration, progress, about_to_make)
    except BaseException:
        if not was_there:
            _remove_empty(spill, directory)
        raise
    finally:
        spill.close()
        if claim is not None:
            os.close(claim)


def _remove_empty(spill: SampleSpill, directory: Path) -> None:
    spill.close()
    with contextlib.suppress(OSError):
        directory.rmdir()


def _read(
    text: TextPieces,
    reader: OpenMetricsReader,
    spill: SampleSpill,
    progress: Progress,
    now: int | None,
    allow_future: bool,
) -> None:
    with disk_errors(spill.path):
        for buffer, size in text:
            # read the clock for each piece: a pipe may stay open for long
            reader.now = int(time.time() * 1000) if now is None else now
            samples = reader.read(buffer, size)
            if reader.late and not allow_future:
                raise InputError(_after_now(reader.late, text.name), _FUTURE_FIX, field="allow_future")
            spill.add(samples)
            progress("reading", text.position, text.size, spill.samples)
    reader.finish()


_FUTURE_FIX = f"correct the time, or add {setting('allow_future')}"


def _after_now(late: LateSample, name: str) -> str:
    return f"line {late.line} of {name} is at {name_time(late.time)} ({format_seconds(late.time)}), after now: {BLINDS}"


def _write(
    reader: OpenMetricsReader,
    spill: SampleSpill,
    directory: Path,
    duration: int,
    progress: Progress,
    about_to_make: Callable[[list[Path]], None],
) -> BlocksReport:
    if not spill.samples:
        return BlocksReport((), 0, reader.lines, 0, reader.exemplars, (), metadata=_metadata(reader))
    fleet, order = fleet_from_label_sets(reader.label_sets)
    ranks = np.empty(order.size, np.int64)
    ranks[order] = np.arange(order.size)
    layout = KeyLayout.covering(duration, spill.first_time, spill.last_time, len(fleet))
    before = read_metas(directory)
    blocks = SortedBlocks(fleet, layout, directory)
    done = doubled = 0
    try:
        with disk_errors(directory):
            for keys, values in spill.sort(layout, ranks):
                fresh = _first_of_equals(keys, values, layout, fleet)
                doubled += keys.size - int(np.count_nonzero(fresh))
                blocks.add(keys[fresh], values[fresh])
                done += keys.size
                progress("writing", done, spill.samples, done)
        written = blocks.publish(about_to_make)
    except BaseException:
        blocks.discard()
        raise
    names = {block.path.name for block in written}
    overlapping = [
        name
        for name, meta in before.items()
        if name not in names and any(_overlap(meta.min_time, meta.max_time, block) for block in written)
    ]
    late, metadata = reader.late, _metadata(reader)
    return BlocksReport(written, len(fleet), reader.lines, doubled, reader.exemplars, overlapping, late, metadata)


def _metadata(reader: OpenMetricsReader) -> list[str]:
    return [kind for kind in ("HELP", "TYPE", "UNIT") if kind in reader.metadata]


def _overlap(min_time: int, max_time: int, block: WrittenBlock) -> bool:
    return min_time < block.meta.max_time and block.meta.min_time < max_time


def _first_of_equals(keys: KeyArray, values: F64Array, layout: KeyLayout, fleet: Fleet) -> BoolArray:
    """Which samples differ from the one before, bool (n,). InputError: one series has two values at the same time."""
    again = np.flatnonzero(keys[1:] == keys[:-1]) + 1
    fresh = np.ones(keys.size, np.bool_)
    fresh[again] = False
    bits = values.view(np.uint64)
    other = again[bits[again] != bits[again - 1]]
    if other.size:
        raise InputError(_contradiction(int(other[0]), keys, values, layout, fleet))
    return fresh


def _contradiction(place: int, keys: KeyArray, values: F64Array, layout: KeyLayout, fleet: Fleet) -> str:
    cell = layout.cells(keys[place : place + 1])
    labels = ", ".join(f'{name}="{value}"' for name, value in fleet.label_set(int(layout.ranks(cell)[0])))
    at = int(layout.times(keys[place : place + 1], cell)[0])
    one, other = values[place - 1 : place + 1].tolist()
    when = f"{format_time(at)} ({format_seconds(at)})"
    return f"{{{labels}}} has two values at {when}: {one!r} and {other!r}; leave one out"
