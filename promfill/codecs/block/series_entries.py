"""Entries of the index's series section, many at a time.

    uvarint length │ label count, (name, value) … │ chunk count, (min, max, reference) … │ crc32c │ padding to 16

All numbers are uvarints except the first chunk's min time and the later chunks' references, which are varints. Times
are deltas to the time before, references to the reference before. If all series have the same few chunks, each field is
a column. Else each chunk is a row, and a series' chunks are joined to one string: memory follows the number of chunks,
and series with many chunks take no more array calls than those with few.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from promfill.codecs.bits.checksum import crc32c_many
from promfill.codecs.bits.varint import encode_uvarints, zigzag
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_format import SERIES_ALIGN
from promfill.model.batch import Fleet, RaggedBytes
from promfill.model.ragged import Column, append, columns_to_ragged, prepend
from promfill.model.types import BoolArray, I64Array, U8Array, U64Array

FEW_CHUNKS = 24
"""The most chunks for which each field is a column: beyond, array calls cost more than the rows they work on."""

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


def chunk_strings(chunks: ChunkMetas) -> RaggedBytes:
    """The second part of the entries without the chunk counts, as one string a series; chunks flat."""
    begins = chunks.begins
    since = (chunks.min_times - np.append(0, chunks.max_times[:-1])).view(np.uint64)
    ref = zigzag(np.diff(chunks.refs, prepend=0))
    since[begins], ref[begins] = zigzag(chunks.min_times[begins]), chunks.refs[begins]
    spans = (chunks.max_times - chunks.min_times).view(np.uint64)
    rows = columns_to_ragged([encode_uvarints(field) for field in (since, spans, ref)])
    return RaggedBytes(rows.buffer, rows.offsets[np.append(begins, chunks.refs.size)])


def chunk_columns(chunks: ChunkMetas) -> list[Column]:
    """The second part of the entries without the chunk counts, if all series have equally many; chunks flat."""
    fields = (field.reshape(chunks.counts.size, -1) for field in (chunks.min_times, chunks.max_times, chunks.refs))
    return list(map(_uvarints, _chunk_fields(*fields)))


def encode_series(labels: list[Column], chunks: ChunkMetas, ends_section: slice) -> RaggedBytes:
    """The entries of n series, padding included.

    chunks: flat. ends_section: which entries are the last of a section, and therefore not padded.
    """
    rows = chunks.counts.size
    equal = int(chunks.counts.max()) * rows == chunks.refs.size
    strings = None if equal and chunks.refs.size <= FEW_CHUNKS * rows else chunk_strings(chunks)
    body = [*labels, _uvarints(chunks.counts.view(np.uint64)), *([] if strings else chunk_columns(chunks))]
    body_sizes = strings.lengths if strings else np.zeros(rows, np.int64)
    for _, lengths in body:
        body_sizes += lengths
    head = encode_uvarints(body_sizes.view(np.uint64))
    unpadded = head[1] + body_sizes + _CRC_SIZE
    tail_sizes = -unpadded % SERIES_ALIGN + _CRC_SIZE
    tail_sizes[ends_section] = _CRC_SIZE
    if strings:
        (front,) = merge_columns([head, *body])
        tail = np.broadcast_to(_TAIL, (rows, _TAIL.size))
        entries = append(prepend(front, strings), (tail, tail_sizes))
    else:
        entries = columns_to_ragged([head, *body, (_TAIL, tail_sizes)])
    body_starts = entries.offsets[:-1] + head[1]
    buffer = entries.buffer if entries.buffer.flags.writeable else entries.buffer.copy()
    return RaggedBytes(_with_checksums(buffer, body_starts, body_starts + body_sizes), entries.offsets)


def merge_columns(columns: list[Column]) -> list[Column]:
    """Many columns as one, to be used repeatedly."""
    merged = columns_to_ragged(columns)
    mask = np.arange(int(merged.lengths.max())) < merged.lengths[:, None]
    padded = np.zeros(mask.shape, np.uint8)
    padded[mask] = merged.buffer
    return [(padded, merged.lengths)]


def _chunk_fields(min_times: I64Array, max_times: I64Array, refs: I64Array) -> Iterator[U64Array]:
    """The numbers of each chunk in turn, each uint64 (n,); the arrays int64 (n, C)."""
    for chunk, (start, end, ref) in enumerate(zip(min_times.T, max_times.T, refs.T, strict=True)):
        yield zigzag(start) if chunk == 0 else (start - max_times[:, chunk - 1]).view(np.uint64)
        yield (end - start).view(np.uint64)
        yield ref.astype(np.uint64) if chunk == 0 else zigzag(ref - refs[:, chunk - 1])


def _uvarints(numbers: U64Array, has: BoolArray | None = None) -> Column:
    """A column of numbers, one row if they are all the same; no bytes in the rows without a number."""
    if numbers.size and (numbers == numbers[0]).all():
        numbers = numbers[:1]
    encoded, lengths = encode_uvarints(numbers)
    if has is None or has.all():
        return encoded, lengths
    return np.broadcast_to(encoded, (has.size, encoded.shape[1])), lengths * has


def _with_checksums(buffer: U8Array, starts: I64Array, ends: I64Array) -> U8Array:
    sums = crc32c_many(buffer, starts, ends).astype(">u4").view(np.uint8).reshape(-1, _CRC_SIZE)
    buffer[ends[:, None] + np.arange(_CRC_SIZE)] = sums
    return buffer
