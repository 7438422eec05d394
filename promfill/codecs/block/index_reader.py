"""Read the index file of a block: header, table of contents, symbols, postings and their table.

    header │ symbols │ series │ postings │ postings offset table │ table of contents

Source: prometheus/prometheus, tsdb/docs/format/index.md and tsdb/index/index.go. Nothing is decoded before its
checksum has been checked. `series_reader` reads the series entries. Offsets in errors count from the start of the file.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from functools import cached_property

import numpy as np

from promfill.codecs.bits.checksum import crc32c, crc32c_many
from promfill.codecs.bits.words import big_endian_words, short_uvarints_at
from promfill.codecs.block.index_format import HEADER, MAGIC, TableOfContents
from promfill.codecs.block.series_reader import SeriesEntries, be32_at, read_series
from promfill.errors import FormatError
from promfill.model.batch import RaggedBytes, freeze
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U64Array

READABLE_VERSIONS = (2, 3)
"""Version 3 is read like 2, as in Prometheus since 2.53.5; 1 was last written by Prometheus 2.0 betas."""

_TOC = struct.Struct(">6QI")
_LENGTH = _COUNT = _SUM = 4
_LEAST_SYMBOL = 1
_LEAST_ENTRY = 4
_PAIR = 2


@dataclass(frozen=True, slots=True, eq=False)
class PostingsOffsets:
    """The postings offset table, n entries in file order: where in ``data`` names and values are, all int64 (n,)."""

    data: U8Array
    name_starts: I64Array
    name_lengths: I64Array
    value_starts: I64Array
    value_lengths: I64Array
    offsets: I64Array


class IndexReader:
    """One index file, uint8 (N,). FormatError from the constructor and every method: damage, its part and place."""

    def __init__(self, buffer: U8Array) -> None:
        self.buffer = buffer
        self.version = _version(buffer)
        self.toc = _table_of_contents(buffer)

    @cached_property
    def symbols(self) -> RaggedBytes:
        """Every label name and value, strictly ascending: series entries refer to them by number."""
        start, data, count = self._section(self.toc.symbols, "index symbols", _LEAST_SYMBOL)
        text, position = data.tobytes(), 0
        starts, ends = np.empty(count, np.int64), np.empty(count, np.int64)
        for number in range(count):
            length, position = _uvarint(text, position, start, "index symbols")
            starts[number], position = position, position + length
            ends[number] = position
        if position != len(text):
            raise FormatError("the strings do not fill the section", section="index symbols", offset=start + len(text))
        return _utf8(_without_gaps(data, starts, ends), start)

    @cached_property
    def postings_offsets(self) -> PostingsOffsets:
        """The postings offset table."""
        section = "index postings offset table"
        start, data, count = self._section(self.toc.postings_table, section, _LEAST_ENTRY)
        words = big_endian_words(data, Scratch(), "table")
        at = np.flatnonzero(data == _PAIR)
        name_starts, name_lengths = _string(words, at + 1)
        value_starts, value_lengths = _string(words, name_starts + name_lengths)
        ends = value_starts + value_lengths
        offsets, bits = short_uvarints_at(words, ends * 8)
        good = (name_lengths >= 0) & (value_lengths >= 0) & (bits > 0)
        chain = _chain(at, np.where(good, ends + (bits >> 3), -1), data.size)
        if chain.size != count:
            raise FormatError("the entries do not fill the section", section=section, offset=start)
        fields = (name_starts, name_lengths, value_starts, value_lengths, offsets.view(np.int64))
        return PostingsOffsets(data, *(field[chain] for field in fields))

    @cached_property
    def series_ids(self) -> I64Array:
        """The ids of all series: the first postings list, that of the pair of empty strings."""
        table = self.postings_offsets
        if not table.offsets.size or table.name_lengths[0] or table.value_lengths[0]:
            raise FormatError("the list of all series is missing", section="index postings offset table")
        ids, _ = self.postings(table.offsets[:1])
        return ids

    @cached_property
    def series(self) -> SeriesEntries:
        """Every series entry, in file order."""
        following = [offset for offset in astuple(self.toc) if offset > self.toc.series]
        stop = min([*following, self.buffer.size - _TOC.size])
        return read_series(self.buffer, self.toc.series, stop, self.series_ids, len(self.symbols))

    def postings(self, offsets: I64Array) -> tuple[I64Array, I64Array]:
        """The lists at these places, one after the other: ids int64 (K,), ascending in each; counts int64 (n,)."""
        section = "index postings"
        lengths = be32_at(self.buffer, offsets, self._end, section)
        ends = offsets + _LENGTH + lengths
        counts = be32_at(self.buffer, offsets + _LENGTH, self._end, section)
        sums = be32_at(self.buffer, ends, self._end, section)
        _refuse(_overlaps(offsets, ends + _SUM), "lists overlap", section, offsets)
        bad = crc32c_many(self.buffer, offsets + _LENGTH, ends) != sums
        _refuse(bad, "checksum does not match", section, offsets)
        _refuse(lengths != _COUNT + 4 * counts, "the list's length does not match its count", section, offsets)
        bounds = np.cumsum(counts)
        at = np.arange(counts.sum()) * 4 + np.repeat(offsets + _LENGTH + _COUNT - 4 * (bounds - counts), counts)
        ids = be32_at(self.buffer, at, self._end, section)
        same_list = np.ones(max(ids.size - 1, 0), np.bool_)
        same_list[bounds[(bounds > 0) & (bounds < ids.size)] - 1] = False
        _refuse(same_list & (ids[1:] <= ids[:-1]), "ids do not ascend", section, at)
        return ids, counts

    @property
    def _end(self) -> int:
        return self.buffer.size - _TOC.size

    def _section(self, offset: int, section: str, least: int) -> tuple[int, U8Array, int]:
        """For a section with length, count and checksum: where the entries begin, their bytes and their count."""
        head = offset + _LENGTH + _COUNT
        if not len(HEADER) <= offset <= self._end - _LENGTH - _COUNT - _SUM:
            raise FormatError(f"the table of contents places the section at {offset}", section=section)
        length = int.from_bytes(self.buffer[offset : offset + _LENGTH].tobytes())
        end = offset + _LENGTH + length
        if length < _COUNT or end + _SUM > self._end:
            raise FormatError(f"a length of {length} exceeds the file", section=section, offset=offset)
        if crc32c(self.buffer[offset + _LENGTH : end]) != int.from_bytes(self.buffer[end : end + _SUM].tobytes()):
            raise FormatError("checksum does not match", section=section, offset=offset)
        count = int.from_bytes(self.buffer[offset + _LENGTH : head].tobytes())
        if count * least > end - head:
            raise FormatError(f"{count} entries promised, more than fit", section=section, offset=offset)
        return head, self.buffer[head:end], count


def _version(buffer: U8Array) -> int:
    head = buffer[: len(HEADER)].tobytes()
    if len(head) < len(HEADER) or int.from_bytes(head[:4]) != MAGIC:
        raise FormatError("not an index: wrong magic number", section="index header", offset=0)
    if head[4] not in READABLE_VERSIONS:
        raise FormatError(f"version {head[4]}; 2 and 3 can be read", section="index header", offset=4)
    return head[4]


def _table_of_contents(buffer: U8Array) -> TableOfContents:
    section = "index table of contents"
    if buffer.size < len(HEADER) + _TOC.size:
        raise FormatError("the file is too short for it", section=section)
    data = buffer[-_TOC.size :].tobytes()
    *offsets, checksum = _TOC.unpack(data)
    if crc32c(data[:-_SUM]) != checksum:
        raise FormatError("checksum does not match", section=section, offset=buffer.size - _TOC.size)
    return TableOfContents(*offsets)


def _uvarint(text: bytes, position: int, start: int, section: str) -> tuple[int, int]:
    """A uvarint of at most five bytes, and the position after it."""
    value = 0
    for place, byte in enumerate(text[position : position + 5]):
        value |= (byte & 127) << 7 * place
        if byte < 128:
            return value, position + place + 1
    raise FormatError("a length that does not end", section=section, offset=start + position)


def _without_gaps(data: U8Array, starts: I64Array, ends: I64Array) -> RaggedBytes:
    """The strings between starts and ends, which ascend and never overlap; both int64 (n,)."""
    marks = np.zeros(data.size + 1, np.int8)
    np.add.at(marks, starts, 1)
    np.add.at(marks, ends, -1)
    offsets = np.append(0, np.cumsum(ends - starts))
    return RaggedBytes(freeze(data[np.cumsum(marks[:-1], dtype=np.int8).view(np.bool_)]), freeze(offsets))


def _utf8(strings: RaggedBytes, start: int) -> RaggedBytes:
    """The same. FormatError: a string is not UTF-8. All are checked together; none may begin inside a character."""
    try:
        strings.buffer.tobytes().decode()
    except UnicodeDecodeError as error:
        raise FormatError("a string is not UTF-8", section="index symbols", offset=start + error.start) from None
    heads = strings.buffer[strings.offsets[:-1][strings.lengths > 0]]
    if (heads & 0xC0 == 0x80).any():
        raise FormatError("a string begins inside a character", section="index symbols", offset=start)
    return strings


def _string(words: U64Array, at: I64Array) -> tuple[I64Array, I64Array]:
    """Where the strings at these places start, and their lengths; -1 if the length cannot be read."""
    lengths, bits = short_uvarints_at(words, np.minimum(at, words.size * 8) * 8)
    readable = (bits > 0) & (lengths < words.size * 8)
    return at + (bits >> 3), np.where(readable, lengths.view(np.int64), -1)


def _chain(at: I64Array, behind: I64Array, end: int) -> I64Array:
    """Which of the possible entries at ``at`` (ascending) are entries: each begins where the one before ends.

    behind: int64 (n,), where each would end. The first begins at 0. Empty if the chain breaks before ``end``.
    """
    following = np.searchsorted(at, behind)
    lands = np.append(at, end)[following] == behind
    steps = np.where(lands, following, -1).tolist()
    chain, here = [], 0
    if not at.size or at[0]:
        return np.zeros(0, np.int64)
    while 0 <= here < len(steps):
        chain.append(here)
        here = steps[here]
    return np.array(chain if here == len(steps) else [], np.int64)


def _overlaps(starts: I64Array, ends: I64Array) -> BoolArray:
    """Pieces that begin before the end of a piece that begins earlier: bool (n,)."""
    order = np.argsort(starts, kind="stable")
    bad = np.zeros(starts.size, np.bool_)
    bad[order[1:]] = starts[order[1:]] < ends[order[:-1]]
    return bad


def _refuse(bad: BoolArray, what: str, section: str, offsets: I64Array) -> None:
    if bad.any():
        raise FormatError(what, section=section, offset=int(offsets[int(np.argmax(bad))]))
