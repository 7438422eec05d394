"""Entries of the index's series section, many at a time.

    uvarint length │ label count, (name, value) … │ chunk count, (min, max, reference) … │ crc32c │ padding to 16

All is uvarints but the first chunk's min time and the later chunks' references, which are varints. Times are deltas
to the time before, references to the reference before. The shape is the same for all series, so each field is a
column; a chunk that a series does not have is a field of length 0. Where series have many chunks, a column a field
would be many array calls of few rows: there each chunk is a row, and a series' chunks are joined to one string.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.checksum import crc32c_many
from promfill.codecs.ragged import Column, append, columns_to_ragged, prepend
from promfill.codecs.varint import encode_uvarints, zigzag
from promfill.model import Fleet, RaggedBytes
from promfill.tsdb.chunk_metas import ChunkMetas
from promfill.tsdb.index_format import SERIES_ALIGN

Int64 = NDArray[np.int64]

FEW_CHUNKS = 24
"""Chunks up to which each field is a column: beyond, the array calls cost more than the rows they work on."""

_CRC_SIZE = 4
_TAIL = np.zeros((1, _CRC_SIZE + SERIES_ALIGN - 1), np.uint8)


def label_columns(fleet: Fleet, rows: slice) -> list[Column]:
    """The first part of the entries: label counts, and pairs of references into the symbol table."""
    values = fleet.values[rows]
    carried = values != 0
    columns = [_uvarints(np.count_nonzero(carried, axis=1).astype(np.uint64))]
    for name, has, value in zip(fleet.names, carried.T, values.T, strict=True):
        columns += [_uvarints(refs.astype(np.uint64), has) for refs in (name[None], value)]
    return columns


def chunk_strings(chunks: ChunkMetas, counts: Int64) -> RaggedBytes:
    """The second part of the entries but for the chunk counts, as one string a series; chunks left-aligned."""
    shape = chunks.refs.shape
    has = np.arange(shape[1]) < counts[:, None]
    start, end = (np.broadcast_to(times, shape) for times in (chunks.min_times, chunks.max_times))
    since, ref = start.copy().view(np.uint64), zigzag(np.diff(chunks.refs, axis=1, prepend=0))
    since[:, 1:] -= end[:, :-1].view(np.uint64)
    since[:, 0], ref[:, 0] = zigzag(start[:, 0]), chunks.refs[:, 0]
    fields = (since, (end - start).view(np.uint64), ref)
    rows = columns_to_ragged([encode_uvarints(field[has]) for field in fields])
    return RaggedBytes(rows.buffer, rows.offsets[np.append(0, np.cumsum(counts))])


def chunk_columns(chunks: ChunkMetas, counts: Int64) -> list[Column]:
    """The second part of the entries: chunk counts, and times and references of each chunk; chunks left-aligned."""
    width = chunks.refs.shape[1]
    fields = _chunk_fields(chunks)
    if int(counts.min()) == width:
        return [_uvarints(counts[:1].view(np.uint64)), *map(encode_uvarints, fields)]
    has = [counts > chunk for chunk in range(width) for _ in range(3)]
    return [_uvarints(counts.view(np.uint64)), *map(_uvarints, fields, has)]


def encode_series(
    labels: list[Column], chunks: ChunkMetas, counts: Int64, *, ends_section: bool
) -> tuple[NDArray[np.uint8], Int64]:
    """The entries of n series, and where each ends, int64 (n,), padding included.

    chunks: left-aligned, their counts int64 (n,), at least 1 each. ``ends_section``: the last entry is not padded.
    """
    many = chunks.refs.shape[1] > FEW_CHUNKS
    strings = chunk_strings(chunks, counts) if many else None
    body = [*labels, *([_uvarints(counts.view(np.uint64))] if many else chunk_columns(chunks, counts))]
    body_sizes = strings.lengths if strings else np.zeros(chunks.refs.shape[0], np.int64)
    for _, lengths in body:
        body_sizes += lengths
    head = encode_uvarints(body_sizes.view(np.uint64))
    unpadded = head[1] + body_sizes + _CRC_SIZE
    tail_sizes = -unpadded % SERIES_ALIGN + _CRC_SIZE
    if ends_section:
        tail_sizes[-1] = _CRC_SIZE
    if strings:
        (front,) = merge_columns([head, *body])
        tail = np.broadcast_to(_TAIL, (tail_sizes.size, _TAIL.size))
        entries = append(prepend(front, strings), (tail, tail_sizes))
    else:
        entries = columns_to_ragged([head, *body, (_TAIL, tail_sizes)])
    body_starts = entries.offsets[:-1] + head[1]
    buffer = entries.buffer if entries.buffer.flags.writeable else entries.buffer.copy()
    return _with_checksums(buffer, body_starts, body_starts + body_sizes), entries.offsets[1:]


def merge_columns(columns: list[Column]) -> list[Column]:
    """Many columns as one, for use again and again."""
    merged = columns_to_ragged(columns)
    mask = np.arange(int(merged.lengths.max())) < merged.lengths[:, None]
    padded = np.zeros(mask.shape, np.uint8)
    padded[mask] = merged.buffer
    return [(padded, merged.lengths)]


def _chunk_fields(chunks: ChunkMetas) -> Iterator[NDArray[np.uint64]]:
    """The numbers of each chunk in turn, each uint64 (n,), or (1,) where all series share it."""
    min_times, max_times = np.atleast_2d(chunks.min_times, chunks.max_times)
    for chunk, (start, end, ref) in enumerate(zip(min_times.T, max_times.T, chunks.refs.T, strict=True)):
        yield zigzag(start) if chunk == 0 else (start - max_times[:, chunk - 1]).view(np.uint64)
        yield (end - start).view(np.uint64)
        yield ref.astype(np.uint64) if chunk == 0 else zigzag(ref - chunks.refs[:, chunk - 1])


def _uvarints(numbers: NDArray[np.uint64], has: NDArray[np.bool_] | None = None) -> Column:
    """A column of numbers, one row where they are all the same; no bytes in the rows that have none."""
    if numbers.size and (numbers == numbers[0]).all():
        numbers = numbers[:1]
    encoded, lengths = encode_uvarints(numbers)
    if has is None or has.all():
        return encoded, lengths
    return np.broadcast_to(encoded, (has.size, encoded.shape[1])), lengths * has


def _with_checksums(buffer: NDArray[np.uint8], starts: Int64, ends: Int64) -> NDArray[np.uint8]:
    sums = crc32c_many(buffer, starts, ends).astype(">u4").view(np.uint8).reshape(-1, _CRC_SIZE)
    buffer[ends[:, None] + np.arange(_CRC_SIZE)] = sums
    return buffer
