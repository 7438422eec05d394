"""Read the file ``tombstones`` of a block: the time ranges of series that count as deleted.

    magic <4b> │ version <1b> │ (uvarint series, varint first, varint last) … │ crc32c <4b> over the stones

Source: prometheus/prometheus, tsdb/docs/format/tombstones.md and tsdb/tombstones/tombstones.go.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from promfill.codecs.bits.checksum import crc32c
from promfill.codecs.bits.varint import unzigzag
from promfill.codecs.bits.words import big_endian_words, uvarints_at
from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES, MAGIC, VERSION
from promfill.errors import FormatError
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U64Array

_SECTION = "tombstones"
_HEADER = 5
_SUM = 4


@dataclass(frozen=True, slots=True, eq=False)
class Tombstones:
    """n deleted stretches, int64 (n,) each: the series' id, and the closed range of ms. Ranges may overlap."""

    ids: I64Array
    min_times: I64Array
    max_times: I64Array

    def __len__(self) -> int:
        return self.ids.size

    def applied(self, samples: RaggedBatch, ids: I64Array) -> RaggedBatch:
        """The samples that no stone covers; one run a series, times ascending. ids: int64 (n,), the ids in stones."""
        kept = np.ones(samples.times.size, np.bool_)
        order = np.argsort(ids)
        places = np.searchsorted(ids, self.ids, sorter=order).clip(max=max(0, ids.size - 1))
        for stone in np.flatnonzero(ids[order[places]] == self.ids) if ids.size else ():
            run = order[places[stone]]
            start, stop = samples.bounds[run], samples.bounds[run + 1]
            first = np.searchsorted(samples.times[start:stop], self.min_times[stone], "left")
            last = np.searchsorted(samples.times[start:stop], self.max_times[stone], "right")
            kept[start + first : start + last] = False
        return samples if kept.all() else samples.keep(kept)


def decode_tombstones(data: bytes = EMPTY_TOMBSTONES) -> Tombstones:
    """Read the file; a block without the file has nothing deleted. FormatError: damage."""
    if len(data) < len(EMPTY_TOMBSTONES) or int.from_bytes(data[:4]) != MAGIC:
        raise FormatError("not a tombstones file: wrong magic number", section=_SECTION, offset=0)
    if data[4] != VERSION:
        raise FormatError(f"version {data[4]}; {VERSION} can be read", section=_SECTION, offset=4)
    stones = np.frombuffer(data, np.uint8)[_HEADER:-_SUM]
    if crc32c(stones) != int.from_bytes(data[-_SUM:]):
        raise FormatError("checksum does not match", section=_SECTION, offset=_HEADER)
    stops = np.flatnonzero(stones < 128)
    if stops.size % 3 or (stops[-1] + 1 if stops.size else 0) != stones.size:
        raise FormatError("its last stone is cut off", section=_SECTION, offset=len(data) - _SUM)
    starts = np.append(0, stops[:-1] + 1)[: stops.size]
    numbers, _ = _numbers(stones, starts)
    ids, first, last = numbers.reshape(-1, 3).T
    return Tombstones(ids.view(np.int64), unzigzag(first), unzigzag(last))


def _numbers(stones: U8Array, starts: I64Array) -> tuple[U64Array, I64Array]:
    try:
        return uvarints_at(big_endian_words(stones, Scratch(), "stones"), starts * 8)
    except FormatError as error:
        at = _HEADER + (error.offset or 0)
        raise FormatError("a number of more than 64 bits", section=_SECTION, offset=at) from None
