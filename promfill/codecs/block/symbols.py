"""The index's symbol table: every label name and value once, in byte order.

length <4b> │ count <4b> │ (uvarint length, string) … │ crc32c <4b>
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from promfill.codecs.bits.checksum import crc32c
from promfill.codecs.bits.varint import encode_uvarints
from promfill.codecs.block.index_format import Piece, be32
from promfill.model.batch import RaggedBytes
from promfill.model.ragged import gather, prepend
from promfill.model.types import I64Array, U32Array


class SymbolRecords:
    """A fleet's symbols, each after its length, as the symbol table and the postings offset table hold them.

    Symbol 0, the empty string, is among them, although no label holds it: Prometheus writes it too, because it is the
    name and value of the list of all series.
    """

    def __init__(self, symbols: RaggedBytes) -> None:
        self._records = prepend(encode_uvarints(symbols.lengths.view(np.uint64)), symbols)

    @property
    def size(self) -> int:
        """The bytes of the section."""
        return 4 + 4 + self._records.buffer.size + 4

    @property
    def lengths(self) -> I64Array:
        """int64: the bytes of each record."""
        return self._records.lengths

    def take(self, refs: U32Array) -> RaggedBytes:
        """The records of symbols of the fleet, one after the other."""
        starts = self._records.offsets[refs]
        return gather(self._records.buffer, starts, self._records.offsets[refs + np.uint32(1)] - starts)

    def encode(self) -> Iterator[Piece]:
        """The section, in pieces."""
        count = be32(len(self._records))
        yield be32(len(count) + self._records.buffer.size) + count
        yield self._records.buffer.data
        yield be32(crc32c(self._records.buffer, crc32c(count)))
