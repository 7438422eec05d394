"""Chunks of floats to samples: many are decoded at a time, in either of the two encodings."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from promfill.codecs.block.segment_reader import XOR
from promfill.codecs.xor.decode import DecodedChunks, decode_chunks, read_counts
from promfill.codecs.xor.decode_xor2 import decode_xor2_chunks, read_xor2_counts
from promfill.errors import FormatError
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array

_SIZES = (128, 512, 2048, 8192, 65_536)
"""Chunks of similar counts are decoded together, so that one long chunk does not enlarge the arrays of all."""
_CELLS = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class FloatChunks:
    """n chunks of one segment, ``buffer[starts[i]:ends[i]]``; chunk: int64 (n,), the caller's numbers of them.

    All have one encoding, XOR or XOR2. FormatError from every method: damage, in ``section``.
    """

    buffer: U8Array
    starts: I64Array
    ends: I64Array
    chunk: I64Array
    section: str
    encoding: int = XOR

    @property
    def counts(self) -> I64Array:
        """int64 (n,): samples, each compared with the length of its chunk."""
        with self._placed():
            read = read_counts if self.encoding == XOR else read_xor2_counts
            return read(self.buffer, self.starts, self.ends)

    def rectangles(self, work: Scratch) -> Iterator[tuple[I64Array, DecodedChunks]]:
        """Decode chunks of similar counts together: which of the n they are, and the arrays, valid until the next."""
        counts = self.counts
        decode = decode_chunks if self.encoding == XOR else decode_xor2_chunks
        for part in _alike(counts):
            with self._placed():
                decoded = decode(self.buffer, self.starts[part], self.ends[part], work=work)
            yield part, decoded

    def decode(self, work: Scratch) -> RaggedBatch:
        """A run for each chunk, whose row is the chunk's number; the order of chunks may change."""
        return RaggedBatch.join([_flat(self.chunk[part], decoded) for part, decoded in self.rectangles(work)])

    @contextlib.contextmanager
    def _placed(self) -> Iterator[None]:
        try:
            yield
        except FormatError as error:
            raise FormatError(error.what, section=self.section, offset=error.offset) from None


def _alike(counts: I64Array) -> Iterator[I64Array]:
    """Chunks whose decoded rectangle stays small: int64 (k,) numbers of chunks, each in one part."""
    classes = np.searchsorted(_SIZES, counts)
    for size in np.unique(classes):
        members = np.flatnonzero(classes == size)
        width = max(1, _CELLS // int(counts[members].max(initial=1)))
        yield from (members[start : start + width] for start in range(0, members.size, width))


def _flat(chunk: I64Array, decoded: DecodedChunks) -> RaggedBatch:
    present = np.ascontiguousarray(decoded.present.T)
    times = np.ascontiguousarray(decoded.times.T)[present]
    return RaggedBatch.of_counts(chunk, decoded.counts, times, np.ascontiguousarray(decoded.bits.T)[present])
