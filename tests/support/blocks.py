"""Blocks written by the scalar references, of any samples, and what a reader is to make of them."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import crc32c
import numpy as np

from promfill.blocks.block import Block
from promfill.codecs.block.meta import BlockMeta, BlockStats, encode_meta
from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from promfill.model.batch import LabelSet
from tests.support.fleets import label_order
from tests.support.index_reference import Chunk, reference_index
from tests.support.varint import uvarint, varint
from tests.support.xor2_streams import write_xor2_chunk
from tests.support.xor_streams import Sample, write_chunk

ULID = "01M86VBYCAGN0NVX0WYDKCAS21"
Chunks = Sequence[Sequence[Sample]]


def record(data: bytes, encoding: int = 1) -> bytes:
    """A chunk's record in a segment."""
    body = bytes([encoding]) + data
    return uvarint(len(data)) + body + struct.pack(">I", crc32c.crc32c(body))


def write_block(
    directory: Path,
    series: Mapping[LabelSet, Chunks],
    *,
    chunks_per_segment: int = 1000,
    encodings: Mapping[LabelSet, int] | None = None,
    tombstones: bytes | None = EMPTY_TOMBSTONES,
) -> Path:
    """A block of these chunks of these series, its chunks in several segments if asked; all of one series' encoding."""
    rng = random.Random(1)
    segments: list[bytes] = []
    entries: list[tuple[LabelSet, list[Chunk]]] = []
    written = 0
    for labels in sorted(series, key=label_order):
        chunks: list[Chunk] = []
        for samples in series[labels]:
            if written % chunks_per_segment == 0:
                segments.append(bytes.fromhex("85bd40dd01000000"))
            ref = (len(segments) - 1) << 32 | len(segments[-1])
            encoding = (encodings or {}).get(labels, 1)
            data = write_xor2_chunk(samples) if encoding == 4 else write_chunk(samples, rng)
            segments[-1] += record(data, encoding)
            later = 1 << 64 if chunks and samples[0][0] < chunks[-1][1] else 0  # modulo 2^64, as Go has it
            chunks.append((samples[0][0] + later, samples[-1][0] + later, ref))
            written += 1
        entries.append((labels, chunks))
    block = directory / ULID
    (block / "chunks").mkdir(parents=True)
    for number, segment in enumerate(segments):
        (block / "chunks" / f"{number + 1:06d}").write_bytes(segment)
    (block / "index").write_bytes(reference_index(entries))
    (block / "meta.json").write_bytes(encode_meta(_meta(series)))
    if tombstones is not None:
        (block / "tombstones").write_bytes(tombstones)
    return block


def _meta(series: Mapping[LabelSet, Chunks]) -> BlockMeta:
    samples = [sample for chunks in series.values() for chunk in chunks for sample in chunk]
    times = [time for time, _ in samples]
    count = sum(map(len, series.values()))
    return BlockMeta(ULID, min(times), max(times) + 1, BlockStats(len(samples), len(series), count))


def tombstones_file(stones: Iterable[tuple[int, int, int]]) -> bytes:
    """The file: of (series id, first ms, last ms)."""
    body = b"".join(uvarint(series) + varint(first) + varint(last) for series, first, last in stones)
    return bytes.fromhex("0130ba3001") + body + struct.pack(">I", crc32c.crc32c(body))


def samples_by_labels(block: Block, rows: Sequence[int] | None = None) -> dict[LabelSet, list[Sample]]:
    """All that a block's reader gives for the rows, by label set."""
    found = {}
    for run in block.samples(None if rows is None else np.array(rows, np.int64)):
        for place, row in enumerate(run.rows.tolist()):
            part = slice(run.bounds[place], run.bounds[place + 1])
            found[block.label_set(row)] = list(zip(run.times[part].tolist(), run.bits[part].tolist(), strict=True))
    return found
