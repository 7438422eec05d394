"""Postings lists: for each label pair, the ids of the series that have it.

    length <4b> │ count <4b> │ id <4b> … │ crc32c <4b>

The series of each list, and the order of lists, depend on the fleet only; a block adds its ids. All is 32-bit words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bits.checksum import crc32c_many, crc32c_words
from promfill.codecs.block.batches import Batches
from promfill.codecs.block.cut import cut_runs
from promfill.codecs.block.index_format import Piece, be32
from promfill.model.batch import Fleet
from promfill.model.types import I64Array, U8Array, U32Array

_HEAD, _SUM = 2, 1  # words before the ids of a list, and after them
_WORD = 4
_COUNT_OF_ONE = be32(1)
_BATCH_BYTES = 1 << 20


@dataclass(frozen=True, slots=True, eq=False)
class PostingsLists:
    """G lists, in the order of their label pairs; the first lists all series, under the pair ("", "").

    rows: uint32 (K,), rows of the fleet, list after list, ascending in each. bounds: int64 (G + 1,), where each begins.
    names, values: uint32 (G,), references of the fleet's symbols.
    """

    rows: U32Array
    bounds: I64Array
    names: U32Array
    values: U32Array

    @classmethod
    def of(cls, fleet: Fleet) -> PostingsLists:
        """The lists of a fleet: a sort per label name."""
        everything = np.zeros(len(fleet), np.uint32)
        groups = [_group(everything, np.arange(len(fleet), dtype=np.uint32))]
        groups += [_group(column, np.flatnonzero(column).astype(np.uint32)) for column in fleet.values.T]
        rows, counts, values = (np.concatenate(parts) for parts in zip(*groups, strict=True))
        names = np.repeat(np.append(np.uint32(0), fleet.names), [len(counts) for _, counts, _ in groups])
        return cls(rows, _bounds(counts), names.astype(np.uint32), values)

    def __len__(self) -> int:
        return self.names.size

    @property
    def counts(self) -> I64Array:
        """int64 (G,): how many series each list names."""
        return np.diff(self.bounds)

    @property
    def sizes(self) -> I64Array:
        """int64 (G,): the bytes of each encoded list."""
        return _WORD * (self.counts + (_HEAD + _SUM))

    def __getitem__(self, run: slice) -> PostingsLists:
        """Some of the lists, next to each other."""
        bounds = self.bounds[run.start : run.stop + 1]
        rows = self.rows[bounds[0] : bounds[-1]]
        return PostingsLists(rows, bounds - bounds[0], self.names[run], self.values[run])


class PostingsLayout:
    """Where some postings lists lie in a file, from the section's start; kept on request, else made for each file.

    offsets: int64 (G,), where each list begins. size: the section's bytes.
    """

    def __init__(self, lists: PostingsLists, *, keep: bool) -> None:
        self.lists = lists
        sizes = lists.sizes
        self.offsets = np.cumsum(sizes) - sizes
        self.size = int(sizes.sum())
        self._templates = Batches(lambda run: _Template.of(lists[run]), cut_runs(sizes, _BATCH_BYTES), keep=keep)

    def encode(self, ids: U32Array) -> Iterator[list[Piece]]:
        """The sections of B blocks, in pieces; ids: uint32 (B, S) of the fleet's rows, big-endian in memory."""
        return ([block.data for block in template.fill(ids)] for template in self._templates)


@dataclass(frozen=True, slots=True, eq=False)
class _Template:
    """Encoded lists without ids and checksums, and the words where these go."""

    words: U32Array
    rows: U32Array
    id_words: I64Array
    single: I64Array  # the word of the only id, in lists of one id
    sum_starts: I64Array  # bytes, in the others
    sum_ends: I64Array

    @classmethod
    def of(cls, lists: PostingsLists) -> _Template:
        counts = lists.counts
        ends = np.cumsum(lists.sizes) // _WORD
        starts = ends - counts - (_HEAD + _SUM)
        words = np.zeros(int(ends[-1]), ">u4")
        words[starts] = _WORD * (counts + 1)
        words[starts + 1] = counts
        id_words = np.arange(lists.rows.size) + np.repeat(starts + _HEAD - lists.bounds[:-1], counts)
        many = counts > 1
        sum_starts, sum_ends = _WORD * (starts[many] + 1), _WORD * (ends[many] - _SUM)
        return cls(words.view(np.uint32), lists.rows, id_words, starts[~many] + _HEAD, sum_starts, sum_ends)

    def fill(self, ids: U32Array) -> U8Array:
        """The lists of B blocks, uint8 (B, N)."""
        words = np.repeat(self.words[None], len(ids), axis=0)
        words[:, self.id_words] = ids.take(self.rows, axis=1)
        data = words.view(np.uint8)
        begins = data.shape[1] * np.arange(len(ids))[:, None]
        sums = crc32c_many(data.ravel(), (begins + self.sum_starts).ravel(), (begins + self.sum_ends).ravel())
        words[:, self.sum_ends // _WORD] = big_endian(sums).reshape(len(ids), -1)
        singles = words[:, self.single]
        words[:, self.single + 1] = big_endian(crc32c_words(_COUNT_OF_ONE, singles.ravel())).reshape(singles.shape)
        return data


def big_endian(numbers: NDArray[np.integer]) -> U32Array:
    """32-bit words whose bytes in memory are big-endian, whatever the machine's byte order."""
    return numbers.astype(">u4").view(np.uint32)


def _group(column: U32Array, rows: U32Array) -> tuple[U32Array, I64Array, U32Array]:
    """Group rows by their value in the column: rows by value, counts, and the distinct values."""
    ordered = rows[np.argsort(column[rows], kind="stable")]
    values, counts = np.unique(column[ordered], return_counts=True)
    return ordered, counts, values


def _bounds(counts: I64Array) -> I64Array:
    return np.concatenate([[0], np.cumsum(counts)])
