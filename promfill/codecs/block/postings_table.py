"""The postings offset table: for each label pair, where its postings list begins.

    length <4b> │ count <4b> │ (2 <1b>, name, value, uvarint offset) … │ crc32c <4b>

Everything except the offsets depends on the fleet only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from promfill.codecs.bits.checksum import crc32c
from promfill.codecs.bits.varint import MAX_VARINT, encode_uvarints
from promfill.codecs.block.batches import Batches
from promfill.codecs.block.cut import cut_runs
from promfill.codecs.block.index_format import Piece, be32
from promfill.codecs.block.postings import PostingsLists
from promfill.codecs.block.symbols import SymbolRecords
from promfill.model.batch import RaggedBytes, freeze
from promfill.model.ragged import append, constant, prepend, repeat, split
from promfill.model.types import I64Array

_PAIR = constant(b"\x02")  # entries had any number of names once
_BATCH_BYTES = 1 << 20
_KEPT_BYTES = 8 << 20


class PostingsTable:
    """The table of some postings lists without its offsets; entries are kept on request, and while they are small."""

    def __init__(self, lists: PostingsLists, symbols: SymbolRecords, *, keep: bool) -> None:
        self._lists, self._symbols = lists, symbols
        lengths = symbols.lengths
        sizes = 1 + lengths[lists.names] + lengths[lists.values]
        self._size = int(sizes.sum())
        self._runs = cut_runs(sizes, _BATCH_BYTES)
        self._entries = Batches(self._entries_of, self._runs, keep=keep and self._size <= _KEPT_BYTES)

    def encode(self, offsets: I64Array) -> Iterator[list[Piece]]:
        """The sections of B blocks, in pieces; offsets: int64 (B, G), ascending, of the lists in each file."""
        count = be32(len(self._lists))
        yield [be32(len(count) + self._size + more) + count for more in _uvarint_bytes(offsets).tolist()]
        checksums = [crc32c(count)] * len(offsets)
        for run, entries in zip(self._runs, self._entries, strict=True):
            numbers = encode_uvarints(offsets[:, run].ravel().view(np.uint64))
            pieces = split(append(repeat(entries, len(offsets)), numbers), len(offsets))
            checksums = list(map(crc32c, pieces, checksums))
            yield list(pieces)
        yield list(map(be32, checksums))

    def _entries_of(self, run: slice) -> RaggedBytes:
        pairs = np.stack([self._lists.names[run], self._lists.values[run]], axis=1)
        records = self._symbols.take(pairs.ravel())
        return prepend(_PAIR, RaggedBytes(records.buffer, freeze(records.offsets[::2].copy())))


def _uvarint_bytes(rising: I64Array) -> I64Array:
    """How many bytes the numbers of each row, in ascending order, take together as uvarints."""
    limits = 1 << 7 * np.arange(1, MAX_VARINT - 1)
    return np.array([row.size * MAX_VARINT - row.size - np.searchsorted(row, limits).sum() for row in rising])
