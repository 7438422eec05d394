"""The same series in several blocks: numbered alike in all of them, and read some at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from promfill.blocks.block import Block, naming_block
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.types import I64Array


@dataclass(frozen=True, slots=True, eq=False)
class NumberedSeries:
    """Some series of a block: their rows in it, and the number, ascending, of each across all blocks; int64 (n,)."""

    block: Block
    rows: I64Array
    numbers: I64Array

    @classmethod
    def sorted(cls, block: Block, rows: I64Array, numbers: I64Array) -> NumberedSeries:
        """Series in any order."""
        order = np.argsort(numbers, kind="stable")
        return cls(block, rows[order], numbers[order])

    def cut(self, first: int, stop: int) -> NumberedSeries:
        """The series with the numbers first … stop - 1."""
        low, high = np.searchsorted(self.numbers, [first, stop])
        return NumberedSeries(self.block, self.rows[low:high], self.numbers[low:high])

    def samples(self, low: int, high: int) -> Iterator[RaggedBatch]:
        """As `Block.samples`, but rows are the numbers. FormatError names the block."""
        with naming_block(self.block.path):
            done = 0
            for samples in self.block.samples(self.rows, min_time=low, max_time=high):
                yield self._numbered(samples, done)
                done += len(samples)

    def samples_until_histograms(self, low: int, high: int) -> Iterator[tuple[RaggedBatch, I64Array]]:
        """As `Block.samples_until_histograms`, but rows are the numbers. FormatError names the block."""
        with naming_block(self.block.path):
            done = 0
            for samples, stops in self.block.samples_until_histograms(self.rows, low, high):
                yield self._numbered(samples, done), stops
                done += len(samples)

    def _numbered(self, samples: RaggedBatch, done: int) -> RaggedBatch:
        return replace(samples, rows=self.numbers[done : done + len(samples)])


def groups(parts: Sequence[NumberedSeries], most: int) -> Iterator[list[NumberedSeries]]:
    """The parts cut at the same numbers, at most `most` numbers at a time; neither a part nor a group is empty."""
    end = max((int(part.numbers[-1]) + 1 for part in parts if part.numbers.size), default=0)
    for first in range(0, end, most):
        group = [cut for part in parts if (cut := part.cut(first, first + most)).rows.size]
        if group:
            yield group


def series_at_once(parts: Sequence[NumberedSeries], samples: int) -> int:
    """How many series hold about this many samples, if the series of each block are alike; at least 1."""
    each = sum(part.block.meta.stats.samples / max(1, len(part.block)) for part in parts)
    return max(1, int(samples / max(1.0, each)))
