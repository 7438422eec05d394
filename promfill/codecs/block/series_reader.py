"""Series entries of an index, many at a time.

    uvarint length │ labels, (name, value) … │ chunks, (min time, max time - min time, reference) … │ crc32c

A body is a sequence of varints, and a varint ends with its first byte below 128: so all varints of many entries are
found and read at once, and only then assigned, by the counts among them. Nothing is decoded before its checksum.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from promfill.codecs.bits.checksum import crc32c_many
from promfill.codecs.bits.varint import unzigzag
from promfill.codecs.bits.words import big_endian_words, uvarints_at
from promfill.codecs.block.cut import cut_runs
from promfill.codecs.block.index_format import SERIES_ALIGN
from promfill.errors import FormatError
from promfill.model.ragged import gather
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U32Array, U64Array

_SECTION = "index series"
_BATCH_BYTES = 1 << 17
_LENGTH_BYTES = 5
_SUM = 4


@dataclass(frozen=True, slots=True, eq=False)
class SeriesEntries:
    """n series, ragged: series i has the labels ``label_bounds[i]:label_bounds[i + 1]``, and chunks likewise.

    ids: int64 (n,), ascending. names, values: uint32 (P,), references to symbols. min_times, max_times: int64 (C,)
    ms. refs: int64 (C,), segment and offset. label_bounds, chunk_bounds: int64 (n + 1,).
    """

    ids: I64Array
    label_bounds: I64Array
    names: U32Array
    values: U32Array
    chunk_bounds: I64Array
    min_times: I64Array
    max_times: I64Array
    refs: I64Array

    def __len__(self) -> int:
        return self.ids.size


@dataclass(frozen=True, slots=True, eq=False)
class _Batch:
    """The parts of some entries; labels and chunks are counts."""

    labels: I64Array
    names: U32Array
    values: U32Array
    chunks: I64Array
    min_times: I64Array
    max_times: I64Array
    refs: I64Array


_NONE, _NO_REFS = np.zeros(0, np.int64), np.zeros(0, np.uint32)


def be32_at(buffer: U8Array, at: I64Array, end: int, section: str) -> I64Array:
    """Big-endian 32-bit numbers at these places, int64 (n,). FormatError: one that does not end by ``end``."""
    outside = (at < 0) | (at > end - 4)
    if outside.any():
        raise FormatError("the number lies outside its section", section=section, offset=int(at[np.argmax(outside)]))
    numbers = np.zeros(at.size, np.int64)
    for byte in range(4):
        numbers = numbers << 8 | buffer[at + byte]
    return numbers


def read_series(buffer: U8Array, start: int, stop: int, ids: I64Array, symbols: int) -> SeriesEntries:
    """The entries of the series ``ids``, int64 (n,) and ascending, in the section ``buffer[start:stop]``.

    symbols: how many there are; every reference is below it. FormatError: damage, at the entry's place in the file.
    """
    at = ids * SERIES_ALIGN
    bodies, sizes = _bodies(buffer, at, start, stop)
    _refuse(at[1:] < (bodies + sizes + _SUM)[:-1], "entries overlap", at[1:])
    batches = [_read_batch(buffer, bodies[run], sizes[run], at[run], symbols) for run in cut_runs(sizes, _BATCH_BYTES)]
    empty = _Batch(_NONE, _NO_REFS, _NO_REFS, _NONE, _NONE, _NONE, _NONE)
    joined = [np.concatenate([getattr(batch, name) for batch in [empty, *batches]]) for name in _Batch.__slots__]
    labels, names, values, chunks, *metas = joined
    return SeriesEntries(ids, _bounds(labels), names, values, _bounds(chunks), *metas)


def _bodies(buffer: U8Array, at: I64Array, start: int, stop: int) -> tuple[I64Array, I64Array]:
    """Where the bodies of the entries begin, and their sizes; each lies in the section, with its checksum."""
    _refuse((at < start) | (at >= stop), "the entry lies outside the section", at)
    sizes, lengths = np.zeros(at.size, np.int64), np.zeros(at.size, np.int64)
    going_on = np.ones(at.size, np.bool_)
    for place in range(_LENGTH_BYTES):
        byte = buffer[np.minimum(at + place, stop - 1)].astype(np.int64)
        sizes |= np.where(going_on, (byte & 127) << 7 * place, 0)
        lengths += going_on
        going_on &= byte >= 128
    _refuse(going_on | (at + lengths + sizes + _SUM > stop), "the entry's length exceeds the section", at)
    return at + lengths, sizes


def _read_batch(buffer: U8Array, bodies: I64Array, sizes: I64Array, at: I64Array, symbols: int) -> _Batch:
    sums = be32_at(buffer, bodies + sizes, buffer.size, _SECTION)
    _refuse(crc32c_many(buffer, bodies, bodies + sizes) != sums, "checksum does not match", at)
    numbers, first, counts = _varints(buffer, bodies, sizes, at)
    labels = _counts(numbers, first, (counts - 2) // 2, "labels", at)
    chunks = _counts(numbers, first + 1 + 2 * labels, (counts - 2 - 2 * labels) // 3, "chunks", at)
    _refuse(counts != 2 + 2 * labels + 3 * chunks, "the entry continues after its last chunk", at)
    pairs = _each(first + 1, labels, 2)
    names, values = numbers[pairs], numbers[pairs + 1]
    wild = np.maximum(names, values) >= np.uint64(symbols)
    _refuse(wild, "a label refers to a symbol that does not exist", np.repeat(at, labels))
    triples = _each(first + 2 + 2 * labels, chunks, 3)
    min_times, max_times, refs = _chunk_metas(numbers, triples, np.cumsum(chunks) - chunks, chunks)
    _refuse(max_times < min_times, "a chunk ends before it begins", np.repeat(at, chunks))
    return _Batch(labels, names.astype(np.uint32), values.astype(np.uint32), chunks, min_times, max_times, refs)


def _varints(buffer: U8Array, bodies: I64Array, sizes: I64Array, at: I64Array) -> tuple[U64Array, I64Array, I64Array]:
    """All varints of the bodies, uint64 (V,); the first one of each body and how many it has, int64 (n,)."""
    text = gather(buffer, bodies, sizes)
    _refuse(sizes < 2, "too short for its counts", at)
    _refuse(text.buffer[text.offsets[1:] - 1] >= 128, "its last number does not end", at)
    stops = np.flatnonzero(text.buffer < 128)
    starts = np.append(0, stops[:-1] + 1)
    try:
        numbers, _ = uvarints_at(big_endian_words(text.buffer, Scratch(), "bodies"), starts * 8)
    except FormatError as error:
        entry = int(np.searchsorted(text.offsets, error.offset or 0, "right")) - 1
        raise FormatError("a number of more than 64 bits", section=_SECTION, offset=int(at[entry])) from None
    bounds = np.searchsorted(stops, text.offsets)
    return numbers, bounds[:-1], np.diff(bounds)


def _counts(numbers: U64Array, place: I64Array, most: I64Array, what: str, at: I64Array) -> I64Array:
    """The counts at these places, each at most as many as there is room for."""
    counts = numbers[place]
    _refuse((most < 0) | (counts > most.clip(min=0).view(np.uint64)), f"more {what} promised than fit", at)
    return counts.astype(np.int64)


def _each(first: I64Array, counts: I64Array, width: int) -> I64Array:
    """Places of the records of all entries: ``counts[i]`` of them from ``first[i]`` on, `width` numbers each."""
    before = np.cumsum(counts) - counts
    return np.repeat(first - width * before, counts) + width * np.arange(int(counts.sum()))


def _chunk_metas(
    numbers: U64Array, triples: I64Array, begins: I64Array, chunks: I64Array
) -> tuple[I64Array, I64Array, I64Array]:
    """Times and references: sums of the deltas, from each entry's first chunk on, modulo 2^64 as in Go."""
    steps = np.stack([numbers[triples], numbers[triples + 1]], axis=1).view(np.int64)
    refs = unzigzag(numbers[triples + 2])
    heads = begins[chunks > 0]
    steps[heads, 0] = unzigzag(numbers[triples[heads]])
    refs[heads] = numbers[triples[heads] + 2].view(np.int64)
    times = _sums(steps.ravel(), 2 * begins, 2 * chunks).reshape(-1, 2)
    return times[:, 0], times[:, 1], _sums(refs, begins, chunks)


def _sums(numbers: I64Array, begins: I64Array, counts: I64Array) -> I64Array:
    """Running sums that start again at each entry."""
    sums = np.concatenate([np.zeros(1, np.int64), np.cumsum(numbers)])
    running: I64Array = sums[1:] - np.repeat(sums[begins], counts)
    return running


def _bounds(counts: I64Array) -> I64Array:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(counts)])


def _refuse(bad: BoolArray, what: str, at: I64Array) -> None:
    if bad.any():
        raise FormatError(what, section=_SECTION, offset=int(at[int(np.argmax(bad))]))
