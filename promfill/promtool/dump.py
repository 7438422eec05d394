"""Print all samples of a directory of blocks as text, line for line as ``promtool tsdb dump`` does.

    {__name__="up", job="node"} 1 1700000000000

Series come in label order over all blocks, each with its samples in time order. Blocks that overlap are merged: if they
have samples of one series at the same time, the sample of the block that begins later is kept. A series is cut off at
its first histogram. Memory is bounded by the indexes and one group of series. The samples of a group are decoded,
sorted and formatted as arrays, because a Python loop over samples would be slow.

Source: prometheus/prometheus 2.42, cmd/promtool/tsdb.go (dumpSamples), tsdb/querier.go, storage/merge.go.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from promfill.blocks.block import NO_HISTOGRAM, Block, naming_block
from promfill.blocks.matchers import Matcher
from promfill.blocks.numbered_series import NumberedSeries, groups, series_at_once
from promfill.errors import FormatError
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.types import I64Array
from promfill.promtool.go_numbers import format_floats, format_integers
from promfill.promtool.series_numbers import label_texts, number_series

GROUP_SAMPLES = 1 << 19
_LINES = 1 << 16
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1


class Dump:
    """The text of some blocks, which must be sorted by start time. min_time and max_time are in ms, both included.

    histograms: the number of series that were cut off at a histogram; final once all pieces have been read.
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
        """The text, in pieces of whole lines. FormatError, with the name of the block: the block is damaged."""
        for group in groups(self._parts, series_at_once(self._parts, self._group_samples)):
            # among samples of equal time, that of the later block comes last
            samples = self._read(group).by_row().merged().in_order(last_wins=True)
            if samples.times.size:
                yield from _lines(samples, _texts(group, samples.rows))

    def _read(self, group: Sequence[NumberedSeries]) -> RaggedBatch:
        """The samples of a group, block by block, each series cut at its first histogram. `rows`: series numbers."""
        read = [found for part in group for found in part.samples_until_histograms(self._low, self._high)]
        samples = RaggedBatch.join([found for found, _ in read])
        stops = np.concatenate([stops for _, stops in read])
        if (stops == NO_HISTOGRAM).all():
            return samples
        numbers, series = np.unique(samples.rows, return_inverse=True)
        ends = np.full(numbers.size, NO_HISTOGRAM)
        np.minimum.at(ends, series, stops)
        self.histograms += int(np.count_nonzero(ends < NO_HISTOGRAM))
        return samples.keep(samples.times < np.repeat(ends[series], samples.counts))


def _select(block: Block, numbers: I64Array, matchers: Sequence[Matcher], low: int, high: int) -> NumberedSeries:
    """The series that match all matchers and have a chunk between `low` and `high` (ms, both included)."""
    with naming_block(block.path):
        rows = block.select(matchers)
        entries = block.series
        in_time = np.append(0, np.cumsum((entries.max_times >= low) & (entries.min_times <= high)))
        rows = rows[in_time[entries.chunk_bounds[rows + 1]] > in_time[entries.chunk_bounds[rows]]]
        if (np.diff(numbers[rows]) <= 0).any():
            raise FormatError("series are not in order", section="index series")
    return NumberedSeries(block, rows, numbers[rows])


def _texts(group: Sequence[NumberedSeries], numbers: I64Array) -> dict[int, bytes]:
    """The label sets of these series as text, by series number. Each comes from the first block that has the series."""
    left = np.unique(numbers)
    texts: dict[int, bytes] = {}
    for part in group:
        ours = np.isin(part.numbers, left)
        found = part.numbers[ours]
        texts.update(zip(found.tolist(), label_texts(part.block, part.rows[ours]), strict=True))
        left = np.setdiff1d(left, found, assume_unique=True)
    return texts


def _lines(samples: RaggedBatch, texts: dict[int, bytes]) -> Iterator[bytes]:
    bounds = samples.bounds
    for start in range(0, samples.times.size, _LINES):
        stop = min(start + _LINES, samples.times.size)
        first, last = np.searchsorted(bounds[1:], [start, stop - 1], "right").tolist()
        counts = np.diff(bounds[first : last + 2].clip(start, stop))
        names = [texts[number] + b" " for number in samples.rows[first : last + 1].tolist()]
        line: list[bytes] = [b" "] * (4 * (stop - start))
        line[0::4] = itertools.chain.from_iterable(map(itertools.repeat, names, counts.tolist()))
        line[1::4] = format_floats(samples.values[start:stop])
        line[3::4] = format_integers(samples.times[start:stop], b"\n")
        yield b"".join(line)
