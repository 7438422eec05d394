"""Show what fills a block: the figures of ``promtool tsdb analyze``. Equal figures are sorted by name.

Source: prometheus/prometheus 2.42, cmd/promtool/tsdb.go (analyzeBlock, analyzeCompaction).
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promfill.blocks.block import Block
from promfill.errors import FormatError
from promfill.model.grid import SAMPLES_PER_CHUNK
from promfill.model.types import I64Array, U32Array, U64Array

BUCKETS = 10
_CHUNKS_AT_ONCE = 1 << 15
_HALF = np.uint64(32)


@dataclass(frozen=True, slots=True)
class Ranking:
    """Names with one figure each: largest first, and by name among equal figures."""

    title: str
    rows: list[tuple[int, str]]


@dataclass(frozen=True, slots=True)
class Analysis:
    """The figures of one block.

    range: in ms. pairs: the number of distinct label pairs. entries: the number of label pairs of all series together.
    """

    ulid: str
    range: int
    series: int
    label_names: int
    pairs: int
    entries: int
    rankings: list[Ranking]


def analyze(block: Block, limit: int) -> Analysis:
    """Compute the figures of a block; each ranking has at most `limit` rows. FormatError: the block is damaged."""
    entries, span = block.series, block.meta.max_time - block.meta.min_time
    if (np.diff(entries.chunk_bounds) == 0).any():
        raise FormatError("a series without chunks", section="index series")
    keys = entries.names.astype(np.uint64) << _HALF | entries.values
    pairs, which, counts = np.unique(keys, return_inverse=True, return_counts=True)
    names, name_of = np.unique((pairs >> _HALF).astype(np.uint32), return_inverse=True)
    uncovered = _sums(np.repeat(_uncovered(block, span), np.diff(entries.label_bounds)), which, pairs.size)
    values = (pairs & np.uint64(0xFFFF_FFFF)).astype(np.uint32)
    lengths = block.index.symbols.lengths[values].astype(np.uint64)
    open_by_name, bytes_by_name = (_sums(figures, name_of, names.size) for figures in (uncovered, lengths))
    metrics = names[name_of] == _reference(block, names, b"__name__")

    def text(reference: int) -> str:
        return block.index.symbols[reference].decode()

    def pair_text(place: int) -> str:
        return f"{text(int(names[name_of[place]]))}={text(int(values[place]))}"

    def name_text(place: int) -> str:
        return text(int(names[place]))

    def metric_text(place: int) -> str:
        return text(int(values[metrics][place]))

    def rank(title: str, figures: NDArray[np.generic], text_of: Callable[[int], str]) -> Ranking:
        return Ranking(title, _largest(figures, text_of, limit))

    return Analysis(
        block.meta.ulid,
        span,
        block.meta.stats.series,
        names.size,
        pairs.size,
        keys.size,
        [
            rank("Label pairs most involved in churning", _shares(uncovered, span), pair_text),
            rank("Label names most involved in churning", _shares(open_by_name, span), name_text),
            rank("Most common label pairs", counts, pair_text),
            rank("Label names with highest cumulative label value length", bytes_by_name, name_text),
            rank("Highest cardinality labels", np.bincount(name_of, minlength=names.size), name_text),
            rank("Highest cardinality metric names", counts[metrics], metric_text),
        ],
    )


def chunk_fullness(block: Block) -> list[int]:
    """Count chunks by fullness: up to 10 %, 20 %, … 100 % of 120 samples."""
    buckets = np.zeros(BUCKETS, np.int64)
    for start in range(0, block.series.refs.size, _CHUNKS_AT_ONCE):
        numbers = np.arange(start, min(start + _CHUNKS_AT_ONCE, block.series.refs.size))
        for segment, _, records in block.read_chunks(numbers):
            samples = segment.buffer[records.starts].astype(np.int64) << 8 | segment.buffer[records.starts + 1]
            full = -(-BUCKETS * np.minimum(samples, SAMPLES_PER_CHUNK) // SAMPLES_PER_CHUNK) - 1
            buckets += np.bincount(np.maximum(full, 0), minlength=BUCKETS)
    return [int(count) for count in buckets]


def _uncovered(block: Block, span: int) -> U64Array:
    """How much of the block's range each series does not cover, in ms, uint64 (S,), modulo 2^64 as in Go."""
    entries = block.series
    first, last = entries.chunk_bounds[:-1], entries.chunk_bounds[1:] - 1
    covered = entries.max_times[last] - entries.min_times[first]
    return (np.int64(span) - covered).view(np.uint64)


def _sums(numbers: U64Array, group: I64Array, groups: int) -> U64Array:
    """The sum of the numbers of each group, uint64 (groups,)."""
    sums = np.zeros(groups, np.uint64)
    np.add.at(sums, group, numbers)
    return sums


def _shares(uncovered: U64Array, span: int) -> U64Array:
    """Uncovered time as a multiple of the block's range, rounded down, uint64."""
    return (uncovered / np.float64(max(1, span))).astype(np.uint64)


def _reference(block: Block, names: Sequence[int] | U32Array, name: bytes) -> int:
    return next((int(reference) for reference in names if block.index.symbols[int(reference)] == name), -1)


def _largest(figures: NDArray[np.generic], text_of: Callable[[int], str], limit: int) -> list[tuple[int, str]]:
    """The rows with the largest figures. Names are looked up only for rows that may be among them."""
    numbers = figures.astype(np.uint64)
    if limit < numbers.size:
        least = np.partition(numbers, numbers.size - max(1, limit))[numbers.size - max(1, limit)]
        places = np.flatnonzero(numbers >= least)
    else:
        places = np.arange(numbers.size)
    found = ((int(numbers[place]), text_of(place)) for place in places.tolist())
    return heapq.nsmallest(limit, found, key=lambda row: (-row[0], row[1]))


def lines(analysis: Analysis, duration: str) -> Iterator[str]:
    """The analysis as promtool prints it. duration: the block's range as Go prints it."""
    yield f"Block ID: {analysis.ulid}"
    yield f"Duration: {duration}"
    yield f"Series: {analysis.series}"
    yield f"Label names: {analysis.label_names}"
    yield f"Postings (unique label pairs): {analysis.pairs}"
    yield f"Postings entries (total label pairs): {analysis.entries}"
    for ranking in analysis.rankings:
        yield ""
        yield f"{ranking.title}:"
        yield from (f"{figure} {name}" for figure, name in ranking.rows)


def fullness_lines(counts: Sequence[int]) -> Iterator[str]:
    """The counts of `chunk_fullness` as promtool prints them."""
    yield ""
    yield "Compaction analysis:"
    yield f"Fullness: Amount of samples in chunks (100% is {SAMPLES_PER_CHUNK} samples)"
    for bucket, count in enumerate(counts, 1):
        yield f"{bucket * 100 // len(counts):7d}%: {'#' * (100 * count // max(1, sum(counts)))}"
