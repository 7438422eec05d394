"""Check whether a block is intact: every checksum, order, reference, range and count."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from promfill.blocks.block import Block, Segment, open_block
from promfill.codecs.block.float_chunks import FloatChunks
from promfill.codecs.block.index_check import check_index
from promfill.codecs.block.meta import BlockMeta
from promfill.codecs.block.segment import SEGMENT_HEADER
from promfill.codecs.block.segment_reader import FLOATS, XOR2, ChunkRecords
from promfill.errors import FormatError, InputError
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array

_CHUNKS_AT_ONCE = 1 << 15
_SUM = 4


@dataclass(frozen=True, slots=True)
class BlockCheck:
    """What an intact block holds: chunks and samples by encoding (`segment_reader.ENCODINGS`); times in ms."""

    series: int
    chunks: dict[int, int]
    samples: dict[int, int]
    min_time: int
    max_time: int
    bytes: int


def check_block(block: Block | Path | str, *, decode: bool = False) -> BlockCheck:
    """Check a whole block; a path is opened first.

    Checksums of index, chunks and tombstones; the order of symbols, labels, series and chunks; every reference; the
    postings against the series; the counts and times of meta.json; and that each byte of a segment belongs to a chunk.
    With `decode`, also the samples of each float chunk: ascending times, from the index's first to its last.
    FormatError: the first problem. InputError: a path that cannot be read.
    """
    block = block if isinstance(block, Block) else open_block(block)
    check_index(block.index)
    len(block.tombstones)
    chunks, samples = _check_chunks(block, decode=decode)
    _check_meta(block, chunks, samples)
    return BlockCheck(
        series=len(block),
        chunks=dict(chunks),
        samples=dict(samples),
        min_time=int(block.series.min_times.min(initial=block.meta.max_time)),
        max_time=int(block.series.max_times.max(initial=block.meta.min_time)),
        bytes=block.index.buffer.size + sum(segment.buffer.size for segment in block.segments),
    )


def block_is_whole(path: Path, meta: BlockMeta, *, gaps: bool = False) -> bool:
    """Whether the existing block is intact, and its meta.json says what `meta` does.

    gaps: the block may hold less than `meta` says: its counts and times are not compared.
    """
    try:
        block = open_block(path)
        check_block(block)
    except (FormatError, InputError):
        return False
    if gaps:
        own = block.meta
        meta = replace(meta, stats=own.stats, min_time=own.min_time, max_time=own.max_time)
    return block.meta == meta


def _check_chunks(block: Block, *, decode: bool) -> tuple[Counter[int], Counter[int]]:
    """Check every record, and that they fill their segments. Returns the chunks and samples of each encoding."""
    chunks: Counter[int] = Counter()
    samples: Counter[int] = Counter()
    reached = {segment.name: len(SEGMENT_HEADER) for segment in block.segments}
    work = Scratch()
    for start in range(0, block.series.refs.size, _CHUNKS_AT_ONCE):
        numbers = np.arange(start, min(start + _CHUNKS_AT_ONCE, block.series.refs.size))
        for segment, which, records in block.read_chunks(numbers):
            reached[segment.name] = _check_neighbours(segment, block.series.refs[numbers[which]], records, reached)
            counts = _sample_counts(segment, records)
            for encoding in np.unique(records.encodings).tolist():
                chunks[encoding] += int(np.count_nonzero(records.encodings == encoding))
                samples[encoding] += int(counts[records.encodings == encoding].sum())
            if decode:
                _check_samples(block, segment, numbers[which], records, work)
        block.release()
    for segment in block.segments:
        if reached[segment.name] != segment.buffer.size:
            raise FormatError("bytes that belong to no chunk", section=segment.name, offset=reached[segment.name])
    return chunks, samples


def _check_neighbours(segment: Segment, refs: I64Array, records: ChunkRecords, reached: dict[str, int]) -> int:
    """Check that each record begins where the one before it ends; return where the last one ends."""
    at, ends = refs & 0xFFFF_FFFF, records.ends + _SUM
    gaps = at != np.append(reached[segment.name], ends[:-1])
    if gaps.any():
        where = int(np.append(reached[segment.name], ends)[np.argmax(gaps)])
        raise FormatError("bytes that belong to no chunk", section=segment.name, offset=where)
    return int(ends[-1])


def _sample_counts(segment: Segment, records: ChunkRecords) -> I64Array:
    """The sample counts in the chunks, int64 (n,): every encoding begins with two bytes for it.

    In histogram chunks with start timestamps, the highest two bits tell of counter resets.
    """
    short = records.ends - records.starts < 2
    if short.any():
        where = int(records.starts[np.argmax(short)])
        raise FormatError("a chunk too short for a count of samples", section=segment.name, offset=where)
    counts = segment.buffer[records.starts].astype(np.int64) << 8 | segment.buffer[records.starts + 1]
    counts[records.encodings > XOR2] &= 0x3FFF
    if (counts == 0).any():
        where = int(records.starts[np.argmin(counts)])
        raise FormatError("a chunk without samples", section=segment.name, offset=where)
    return counts


def _check_samples(block: Block, segment: Segment, numbers: I64Array, records: ChunkRecords, work: Scratch) -> None:
    for encoding in FLOATS:
        ours = records.encodings == encoding
        chunks = FloatChunks(
            segment.buffer, records.starts[ours], records.ends[ours], numbers[ours], segment.name, encoding
        )
        _check_floats(block, segment, chunks, work)


def _check_floats(block: Block, segment: Segment, chunks: FloatChunks, work: Scratch) -> None:
    for part, decoded in chunks.rectangles(work):
        number = chunks.chunk[part]
        last = decoded.times[decoded.counts - 1, np.arange(number.size)]
        bad = (decoded.times[0] != block.series.min_times[number]) | (last != block.series.max_times[number])
        if bad.any():
            where = int(chunks.starts[part[np.argmax(bad)]])
            raise FormatError("its first or last time differs from the index", section=segment.name, offset=where)
        falls = ((decoded.times[1:] <= decoded.times[:-1]) & decoded.present[1:]).any(axis=0)
        if falls.any():
            where = int(chunks.starts[part[np.argmax(falls)]])
            raise FormatError("times do not ascend", section=segment.name, offset=where)


def _check_meta(block: Block, chunks: Counter[int], samples: Counter[int]) -> None:
    meta, entries = block.meta, block.series
    floats = sum(samples[encoding] for encoding in FLOATS)
    found = {
        "numSeries": (meta.stats.series, len(entries)),
        "numChunks": (meta.stats.chunks, chunks.total()),
        "numSamples": (meta.stats.samples, samples.total()),
        "numFloatSamples": (meta.stats.float_samples or floats, floats),
        "numHistogramSamples": (meta.stats.histogram_samples or samples.total() - floats, samples.total() - floats),
    }
    for name, (told, counted) in found.items():
        if told != counted:
            raise FormatError(f"{name} is {told}, but the block holds {counted}", section="meta.json")
    if entries.refs.size and not (meta.min_time <= entries.min_times.min() and entries.max_times.max() < meta.max_time):
        raise FormatError("chunks lie outside minTime … maxTime", section="meta.json")
