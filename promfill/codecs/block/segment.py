"""Chunk segments: the files ``chunks/000001`` … of a block.

    ┌───────────────────────┬───────────────┬──────────────┐
    │ magic 0x85BD40DD <4b> │ version 1 <1b>│ padding <3b> │
    ├───────────────────────┴───────────────┴──────────────┤
    │ records: uvarint length │ encoding │ data │ crc32c   │
    └──────────────────────────────────────────────────────┘

Source: prometheus/prometheus, tsdb/docs/format/chunks.md and tsdb/chunks/chunks.go.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np

from promfill.codecs.block.cut import cut_runs
from promfill.model.types import I64Array

MAGIC = 0x85BD40DD
VERSION = 1
SEGMENT_HEADER = struct.pack(">IB3x", MAGIC, VERSION)
SEGMENT_MAX = 512 << 20
"""Bytes of the largest segment, header included, that Prometheus writes."""

NO_CHUNK = -1
"""The reference of a chunk that is not there."""

_OFFSET_BITS = 32


def pack_ref(segment: int, offset: int) -> int:
    """A chunk reference. Segments count from 0: segment 0 is the file ``000001``."""
    return segment << _OFFSET_BITS | offset


def unpack_ref(ref: int) -> tuple[int, int]:
    """The segment, and the offset in bytes, that a chunk reference names."""
    return ref >> _OFFSET_BITS, ref & (1 << _OFFSET_BITS) - 1


def segment_name(segment: int) -> str:
    """The file name of a segment."""
    return f"{segment + 1:06d}"


@dataclass(frozen=True, slots=True)
class SegmentPiece:
    """The bytes ``start`` to ``stop`` of the records belong to ``segment``; ``opens``: its header comes first."""

    segment: int
    start: int
    stop: int
    opens: bool


class SegmentCutter:
    """Determines where each record of a block goes. Records keep their order, and none crosses a segment's end.

    A record above the limit has a segment to itself, as in Prometheus.
    """

    def __init__(self, limit: int = SEGMENT_MAX) -> None:
        self._limit = limit
        self._segment = -1
        self._offset = limit

    def place(self, lengths: I64Array) -> tuple[I64Array, list[SegmentPiece]]:
        """Place the next records, joined in C order; lengths int64 of any shape, 0 for no record.

        Returns the references, int64 of the same shape, ``NO_CHUNK`` for no record, and the pieces into which to cut
        the joined records.
        """
        sizes = lengths.ravel()
        begins = np.cumsum(sizes) - sizes
        refs = np.empty(sizes.size, np.int64)
        pieces = [self._take(run, sizes, begins, refs) for run in self._runs(sizes)]
        refs[sizes == 0] = NO_CHUNK
        return refs.reshape(lengths.shape), pieces

    def _runs(self, sizes: I64Array) -> list[tuple[slice, bool]]:
        room = self._limit - self._offset
        first, *rest = cut_runs(sizes, self._limit - len(SEGMENT_HEADER), room)
        goes_on = [(first, False)] if sizes[first].any() else []
        return goes_on + [(run, True) for run in rest if sizes[run].any()]

    def _take(
        self,
        run_opens: tuple[slice, bool],
        sizes: I64Array,
        begins: I64Array,
        refs: I64Array,
    ) -> SegmentPiece:
        run, opens = run_opens
        if opens:
            self._segment, self._offset = self._segment + 1, len(SEGMENT_HEADER)
        start = int(begins[run.start])
        size = int(sizes[run].sum())
        refs[run] = begins[run] + (pack_ref(self._segment, self._offset) - start)
        self._offset += size
        return SegmentPiece(self._segment, start, start + size, opens)
