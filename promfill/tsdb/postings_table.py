"""The postings offset table: for each label pair, where its postings list begins.

    length <4b> │ count <4b> │ (2 <1b>, name, value, uvarint offset) … │ crc32c <4b>

All but the offsets belongs to the fleet.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.checksum import crc32c
from promfill.codecs.ragged import append, constant, prepend
from promfill.codecs.varint import MAX_VARINT, encode_uvarints
from promfill.model import RaggedBytes, freeze
from promfill.tsdb.batches import Batches
from promfill.tsdb.cut import cut_runs
from promfill.tsdb.index_format import Piece, be32
from promfill.tsdb.postings import PostingsLists
from promfill.tsdb.symbols import SymbolRecords

_PAIR = constant(b"\x02")  # entries had any number of names once
_BATCH_BYTES = 1 << 20
_KEPT_BYTES = 8 << 20


class PostingsTable:
    """The table of some postings lists, but for its offsets; entries are kept if asked, and while they are small."""

    def __init__(self, lists: PostingsLists, symbols: SymbolRecords, *, keep: bool) -> None:
        self._lists, self._symbols = lists, symbols
        lengths = symbols.lengths
        sizes = 1 + lengths[lists.names] + lengths[lists.values]
        self._size = int(sizes.sum())
        self._runs = cut_runs(sizes, _BATCH_BYTES)
        self._entries = Batches(self._entries_of, self._runs, keep=keep and self._size <= _KEPT_BYTES)

    def encode(self, offsets: NDArray[np.int64]) -> Iterator[Piece]:
        """The section, in pieces; offsets: int64 (G,), rising, of the lists in the file."""
        count = be32(len(self._lists))
        yield be32(len(count) + self._size + _uvarint_bytes(offsets)) + count
        checksum = crc32c(count)
        for run, entries in zip(self._runs, self._entries, strict=True):
            piece = append(entries, encode_uvarints(offsets[run].view(np.uint64))).buffer
            checksum = crc32c(piece, checksum)
            yield piece.data
        yield be32(checksum)

    def _entries_of(self, run: slice) -> RaggedBytes:
        pairs = np.stack([self._lists.names[run], self._lists.values[run]], axis=1)
        records = self._symbols.take(pairs.ravel())
        return prepend(_PAIR, RaggedBytes(records.buffer, freeze(records.offsets[::2].copy())))


def _uvarint_bytes(rising: NDArray[np.int64]) -> int:
    """How many bytes numbers in rising order take together as uvarints."""
    longer = [rising.size - np.searchsorted(rising, 1 << 7 * bytes_) for bytes_ in range(1, MAX_VARINT - 1)]
    return rising.size + int(sum(longer))
