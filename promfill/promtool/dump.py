"""All samples of a directory of blocks as text, line for line what ``promtool tsdb dump`` prints.

    {__name__="up", job="node"} 1 1700000000000

Series come in label order over all blocks, each with its samples in the order of time. Blocks that overlap are merged:
of several samples of one time, that of the block which begins later is kept. A series ends with its first histogram.
Memory is bounded by the indexes and a group of series; a group's samples are decoded, put in order and set as text by
arrays.

Source: prometheus/prometheus 2.42, cmd/promtool/tsdb.go (dumpSamples), tsdb/querier.go, storage/merge.go.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from promfill.blocks.block import Block, ragged_range
from promfill.blocks.matchers import Matcher
from promfill.errors import FormatError
from promfill.model.types import I64Array, U64Array
from promfill.promtool.go_numbers import format_floats, format_integers
from promfill.promtool.series_numbers import label_texts, number_series

GROUP_SAMPLES = 1 << 19
_LINES = 1 << 16
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """The selected series of a block: rows int64 (n,), and the number of each among those of all blocks, rising."""

    block: Block
    rows: I64Array
    numbers: I64Array

    def cut(self, first: int, stop: int) -> _Part:
        """The series of some numbers."""
        low, high = np.searchsorted(self.numbers, [first, stop])
        return _Part(self.block, self.rows[low:high], self.numbers[low:high])


@dataclass(frozen=True, slots=True, eq=False)
class _Samples:
    """Runs of samples, each of one series and one block: number and count of each run int64 (r,), then times int64 (N,)
    and bits uint64 (N,) of all runs, one after the other.
    """

    numbers: I64Array
    counts: I64Array
    times: I64Array
    bits: U64Array

    def ordered(self) -> _Samples:
        """The runs by number, those of one series as they were."""
        order = np.argsort(self.numbers, kind="stable")
        stops = np.cumsum(self.counts)
        places = ragged_range((stops - self.counts)[order], stops[order])
        return _Samples(self.numbers[order], self.counts[order], self.times[places], self.bits[places])

    def joined(self) -> _Samples:
        """The same as one run a series, where runs of one series are neighbours."""
        numbers, first = np.unique(self.numbers, return_index=True)
        counts = np.add.reduceat(self.counts, first)
        return _Samples(numbers, counts, self.times, self.bits)

    def rise(self) -> bool:
        """Whether the times of every series rise; one run a series."""
        falls = np.flatnonzero(self.times[1:] <= self.times[:-1]) + 1
        return bool(np.isin(falls, np.cumsum(self.counts)).all())

    def taken(self, places: I64Array, owners: I64Array) -> _Samples:
        """Some of the samples, series by series; owners: int64 (N,), the numbers of all."""
        numbers, counts = np.unique(owners[places], return_counts=True)
        return _Samples(numbers, counts, self.times[places], self.bits[places])


class Dump:
    """The text of the blocks, those with the earlier first time first. Times are closed, in ms.

    `histograms` counts, once the text has been taken, the series that were cut off at a histogram.
    """

    def __init__(
        self,
        blocks: Sequence[Block],
        matchers: Sequence[Matcher] = (),
        *,
        min_time: int = _FIRST,
        max_time: int = _LAST,
        group_samples: int = GROUP_SAMPLES,
    ) -> None:
        self.histograms = 0
        self._low, self._high, self._group_samples = min_time, max_time, group_samples
        wanted = [block for block in blocks if block.meta.min_time <= max_time and min_time < block.meta.max_time]
        numbers = number_series(wanted)
        parts = [
            _select(block, part, matchers, min_time, max_time) for block, part in zip(wanted, numbers, strict=True)
        ]
        self._parts = [part for part in parts if part.rows.size]

    def pieces(self) -> Iterator[bytes]:
        """The text, in pieces of whole lines. FormatError, which names the block: damage."""
        for group in self._groups():
            samples = self._read(group).ordered()
            if samples.times.size:
                yield from _lines(self._in_order(samples), _texts(group, samples.numbers))

    def _groups(self) -> Iterator[list[_Part]]:
        """The parts cut at the same numbers, so that a group holds about so many samples."""
        end = max((int(part.numbers[-1]) + 1 for part in self._parts), default=0)
        each = sum(part.block.meta.stats.samples / max(1, len(part.block)) for part in self._parts)
        step = max(1, int(self._group_samples / max(1.0, each)))
        for first in range(0, end, step):
            group = [part.cut(first, first + step) for part in self._parts]
            if any(part.rows.size for part in group):
                yield group

    def _read(self, group: Sequence[_Part]) -> _Samples:
        """The samples of a group, block by block, none behind the first histogram of its series."""
        runs = [run for part in group for run in self._runs(part)]
        samples = _Samples(*map(np.concatenate, list(zip(*runs, strict=True))[:-1]))
        stops = np.concatenate([run[-1] for run in runs])
        if (stops == _LAST).all():
            return samples
        numbers, series = np.unique(samples.numbers, return_inverse=True)
        ends = np.full(numbers.size, _LAST)
        np.minimum.at(ends, series, stops)
        self.histograms += int(np.count_nonzero(ends < _LAST))
        kept = samples.times < np.repeat(ends[series], samples.counts)
        counts = np.bincount(np.repeat(np.arange(series.size), samples.counts)[kept], minlength=series.size)
        return _Samples(samples.numbers, counts, samples.times[kept], samples.bits[kept])

    def _runs(self, part: _Part) -> Iterator[tuple[I64Array, I64Array, I64Array, U64Array, I64Array]]:
        """Of each run of the block's reader: number and count of each series, times, bits, and stops."""
        done = 0
        try:
            for run in part.block.samples(part.rows, min_time=self._low, max_time=self._high, until_histogram=True):
                numbers = part.numbers[done : done + len(run)]
                stops = np.full(len(run), _LAST) if run.stops is None else run.stops
                yield numbers, run.counts, run.times, run.bits, stops
                done += len(run)
        except FormatError as error:
            raise FormatError(f"block {part.block.path}: {error}") from error

    def _in_order(self, samples: _Samples) -> _Samples:
        """One run a series, times rising; those of overlapping blocks merged."""
        if (joined := samples.joined()).rise():
            return joined
        owners = np.repeat(samples.numbers, samples.counts)
        order = np.lexsort((samples.times, owners))  # stable: of equal times the later block's stand behind
        times, sorted_owners = samples.times[order], owners[order]
        same = np.flatnonzero((times[1:] == times[:-1]) & (sorted_owners[1:] == sorted_owners[:-1]))
        return samples.taken(np.delete(order, same), owners)


def _select(block: Block, numbers: I64Array, matchers: Sequence[Matcher], low: int, high: int) -> _Part:
    """The series that satisfy the matchers and have a chunk in the range."""
    try:
        rows = block.select(matchers)
        entries = block.series
    except FormatError as error:
        raise FormatError(f"block {block.path}: {error}") from error
    in_time = np.append(0, np.cumsum((entries.max_times >= low) & (entries.min_times <= high)))
    rows = rows[in_time[entries.chunk_bounds[rows + 1]] > in_time[entries.chunk_bounds[rows]]]
    if (np.diff(numbers[rows]) <= 0).any():
        raise FormatError(f"block {block.path}: series are not in order", section="index series")
    return _Part(block, rows, numbers[rows])


def _texts(group: Sequence[_Part], numbers: I64Array) -> dict[int, bytes]:
    """The label sets of these series as text, by number, each from the first block that has it."""
    left = np.unique(numbers)
    texts: dict[int, bytes] = {}
    for part in group:
        ours = np.isin(part.numbers, left)
        found = part.numbers[ours]
        texts.update(zip(found.tolist(), label_texts(part.block, part.rows[ours]), strict=True))
        left = np.setdiff1d(left, found, assume_unique=True)
    return texts


def _lines(samples: _Samples, texts: dict[int, bytes]) -> Iterator[bytes]:
    stops = np.cumsum(samples.counts)
    for start in range(0, samples.times.size, _LINES):
        stop = min(start + _LINES, samples.times.size)
        first, last = np.searchsorted(stops, [start, stop - 1], "right").tolist()
        counts = np.minimum(stops[first : last + 1], stop) - np.maximum(
            (stops - samples.counts)[first : last + 1], start
        )
        names = [texts[number] + b" " for number in samples.numbers[first : last + 1].tolist()]
        line: list[bytes] = [b" "] * (4 * (stop - start))
        line[0::4] = itertools.chain.from_iterable(map(itertools.repeat, names, counts.tolist()))
        line[1::4] = format_floats(samples.bits[start:stop].view(np.float64))
        line[3::4] = format_integers(samples.times[start:stop], b"\n")
        yield b"".join(line)
