"""Runs of samples, of any length and at any times, as chunks; and the chunks' metadata for the index.

Each chunk is a column of the encoder: 120 samples at most, whatever the runs.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.meta import BlockMeta, BlockStats
from promfill.codecs.xor.encode import encode_chunks
from promfill.model.grid import SAMPLES_PER_CHUNK
from promfill.model.ragged import ragged_range
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U64Array

_CELLS = 1 << 16  # samples encoded at once, ragged ends counted in


def cut_chunks(bounds: I64Array) -> tuple[I64Array, I64Array, I64Array]:
    """Cut runs (run i is ``bounds[i] … bounds[i + 1]``) into chunks: starts, counts, and the run of each."""
    sizes = np.diff(bounds)
    chunks = -(-sizes // SAMPLES_PER_CHUNK)
    within = ragged_range(np.zeros_like(chunks), chunks) * SAMPLES_PER_CHUNK
    starts = np.repeat(bounds[:-1], chunks) + within
    counts = np.minimum(np.repeat(sizes, chunks) - within, SAMPLES_PER_CHUNK)
    return starts, counts, np.repeat(np.arange(sizes.size), chunks)


def encode_ragged_chunks(
    times: I64Array, bits: U64Array, starts: I64Array, counts: I64Array, work: Scratch
) -> Iterator[tuple[slice, U8Array, I64Array]]:
    """Encode the chunks that begin at the places `starts` of times and bits, some at a time.

    Yields which of them, their records, valid until the next step, and their lengths, int64 (n,).
    """
    size = max(1, _CELLS // int(counts.max(initial=1)))
    for first in range(0, counts.size, size):
        batch = slice(first, first + size)
        begins, held = starts[batch], counts[batch]
        places = begins + np.minimum(np.arange(int(held.max()))[:, None], held - 1)
        plane = _go_on(times[places], times[begins + held - 1], held)
        encoded = encode_chunks(bits[places], plane, work, counts=held, samples_per_chunk=SAMPLES_PER_CHUNK)
        yield batch, encoded.records, encoded.lengths[:, 0]


def _go_on(times: I64Array, lasts: I64Array, counts: I64Array) -> I64Array:
    """After the end of a column, continue its times at the last pace, which costs the encoder no bits."""
    short = np.flatnonzero((counts < len(times)) & (counts > 1))
    if short.size:
        count, last = counts[short], lasts[short]
        pace = last - times[count - 2, short]
        beyond = np.maximum(np.arange(len(times))[:, None] - (count - 1), 0)
        times[:, short] += beyond * pace
    return times


class WrittenChunks:
    """The chunks of a block, as they are written."""

    def __init__(self) -> None:
        self._parts: list[tuple[I64Array, ...]] = []

    def add(self, rows: I64Array, counts: I64Array, min_times: I64Array, max_times: I64Array, refs: I64Array) -> None:
        """Of each chunk the row of its series, its samples, its first and last time, and its reference; int64 (n,)."""
        self._parts.append((rows, counts, min_times, max_times, refs))

    def joined(self) -> tuple[I64Array, ChunkMetas, I64Array]:
        """The rows that have chunks, ascending; their chunks; and the samples of each chunk, int64 (K,)."""
        rows, counts, min_times, max_times, refs = map(np.concatenate, zip(*self._parts, strict=True))
        order = np.argsort(refs, kind="stable")  # they were written series after series, by time
        rows = rows[order]
        begins = np.flatnonzero(np.diff(rows, prepend=-1))
        per_series = np.diff(begins, append=rows.size)
        return rows[begins], ChunkMetas(per_series, min_times[order], max_times[order], refs[order]), counts[order]


def meta_of(name: str, chunks: ChunkMetas, samples: int) -> BlockMeta:
    """The meta.json of a block of these chunks, flat, from its first sample to its last."""
    return BlockMeta(
        ulid=name,
        min_time=int(chunks.min_times.min()),
        max_time=int(chunks.max_times.max()) + 1,
        stats=BlockStats(samples, chunks.counts.size, chunks.refs.size, float_samples=samples),
        sources=(name,),
    )
