"""Blocks on disk, read: labels, series by selector, samples as arrays.

    block = open_block(path)
    rows = block.select(parse_selector('node_load1{job=~"a|b"}'))
    for samples in block.samples(rows):
        samples.times, samples.values, samples.bounds

Files are mapped into memory, not loaded, and released with the block and its arrays; nothing is decoded before its
checksum has been checked. Blocks of any writer: Prometheus, promtool, the compactors of Mimir and Thanos. Damage
raises FormatError, whose section is the file or its part.
"""

from __future__ import annotations

import contextlib
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from promfill.blocks.matchers import Matcher
from promfill.codecs.block.cut import cut_runs
from promfill.codecs.block.float_chunks import FloatChunks
from promfill.codecs.block.index_reader import IndexReader
from promfill.codecs.block.meta import BlockMeta, decode_meta
from promfill.codecs.block.segment_reader import ENCODINGS, FLOATS, ChunkRecords, check_segment_header, read_records
from promfill.codecs.block.series_reader import SeriesEntries
from promfill.codecs.block.tombstones_reader import Tombstones, decode_tombstones
from promfill.errors import FormatError, InputError
from promfill.model.batch import Fleet, LabelSet, RaggedBytes, freeze
from promfill.model.grid import SAMPLES_PER_CHUNK
from promfill.model.ragged import ragged_range
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.scratch import Scratch
from promfill.model.types import BoolArray, I64Array, U8Array, U32Array

SAMPLES_AT_ONCE = 1 << 19
_CHUNKS_AT_ONCE = 1 << 14
_MOST_CELLS = 1 << 28
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1
NO_HISTOGRAM = _LAST
REF_OFFSET_BITS = 32


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """One file of chunks: its name within the block, and its bytes uint8 (N,)."""

    name: str
    buffer: U8Array


Piece = tuple[Segment, I64Array, ChunkRecords]
"""Chunks of one segment: the places of those that were asked for, and their records."""


class Block:
    """One block. Series are named by rows, 0 … n - 1 in label order."""

    def __init__(self, path: Path, meta: BlockMeta, index: IndexReader, segments: Sequence[Segment]) -> None:
        self.path, self.meta, self.index, self.segments = path, meta, index, segments
        self._work = Scratch()

    @cached_property
    def series(self) -> SeriesEntries:
        """All series, with the references of their labels and the times and places of their chunks."""
        return self.index.series

    def __len__(self) -> int:
        return len(self.series)

    @cached_property
    def tombstones(self) -> Tombstones:
        """What counts as deleted; empty if there is no such file."""
        path = self.path / "tombstones"
        return decode_tombstones(path.read_bytes()) if path.exists() else decode_tombstones()

    def label_names(self) -> list[str]:
        """The names of all labels, in byte order."""
        return self._texts(np.unique(self.series.names))

    def label_values(self, name: str) -> list[str]:
        """The values of a label, in byte order; empty if no series has it."""
        return self._texts(np.unique(self.series.values[self.series.names == self._symbol(name)]))

    def label_set(self, row: int) -> LabelSet:
        """One series' labels."""
        bounds = slice(*self.series.label_bounds[row : row + 2].tolist())
        return tuple(zip(self._texts(self.series.names[bounds]), self._texts(self.series.values[bounds]), strict=True))

    @cached_property
    def fleet(self) -> Fleet:
        """The label sets of all series in columns, without a loop over them.

        FormatError: labels, series or symbols out of order. InputError: too many different names for columns.
        """
        entries, symbols = self.series, self.index.symbols
        names, columns = np.unique(entries.names, return_inverse=True)
        if len(entries) * names.size > _MOST_CELLS:
            raise InputError(
                f"{self.path}: {len(entries)} series with {names.size} label names are too many for columns"
            )
        values = np.zeros((len(entries), names.size), np.uint32)
        shift = np.uint32(0 if len(symbols) and not symbols.lengths[0] else 1)
        values[np.repeat(np.arange(len(entries)), np.diff(entries.label_bounds)), columns] = entries.values + shift
        if shift:
            symbols = RaggedBytes(symbols.buffer, freeze(np.append(0, symbols.offsets)))
        return Fleet(symbols, freeze(names + shift), freeze(values))

    def select(self, matchers: Sequence[Matcher] = ()) -> I64Array:
        """The rows of the series that satisfy all matchers, ascending."""
        kept = np.ones(len(self), np.bool_)
        for matcher in matchers:
            kept &= self._satisfies(matcher)
        return np.flatnonzero(kept)

    def samples(
        self,
        rows: I64Array | None = None,
        *,
        min_time: int | None = None,
        max_time: int | None = None,
        at_once: int = SAMPLES_AT_ONCE,
    ) -> Iterator[RaggedBatch]:
        """The samples of the series ``rows`` (all if None): a run for each, times ascending, rows in the order given.

        A batch holds about `at_once` samples at most, or one series. min_time, max_time: closed, in ms. Samples of
        overlapping chunks are merged: of several at one time, that of the first chunk stays. What tombstones cover is
        left out. FormatError: damage, or a chunk of histograms, with its kind.
        """
        low = _FIRST if min_time is None else min_time
        high = _LAST if max_time is None else max_time
        for part in self._parts(rows, at_once):
            yield from (samples for samples, _ in self._read(part, low, high, at_once))

    def samples_until_histograms(
        self, rows: I64Array, min_time: int, max_time: int
    ) -> Iterator[tuple[RaggedBatch, I64Array]]:
        """As `samples`, but a series ends before its first chunk of histograms; and int64 (n,): the time of that chunk.

        NO_HISTOGRAM where a series has none in the range.
        """
        for part in self._parts(rows, SAMPLES_AT_ONCE):
            yield from self._read(part, min_time, max_time, SAMPLES_AT_ONCE, until_histograms=True)

    def release(self) -> None:
        """Release the memory of the chunks read so far; they are read again if needed."""
        for segment in self.segments:
            mapped = segment.buffer.base
            mapped = mapped.obj if isinstance(mapped, memoryview) else mapped
            if isinstance(mapped, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
                mapped.madvise(mmap.MADV_DONTNEED)

    def read_chunks(self, chunks: I64Array) -> Iterator[Piece]:
        """The records of chunks (numbers into `series.refs`), by segment: which of them, by place, and the records.

        Every checksum is checked. FormatError: damage, or a reference to nothing.
        """
        refs = self.series.refs[chunks]
        order = np.argsort(refs, kind="stable")
        segments, offsets = refs[order] >> REF_OFFSET_BITS, refs[order] & (1 << REF_OFFSET_BITS) - 1
        if segments.size and not 0 <= segments[0] <= segments[-1] < len(self.segments):
            raise FormatError("a chunk lies in a segment that is not there", section="index series")
        bounds = np.searchsorted(segments, np.arange(len(self.segments) + 1))
        for segment, start, stop in zip(self.segments, bounds[:-1], bounds[1:], strict=True):
            if start < stop:
                yield segment, order[start:stop], read_records(segment.buffer, offsets[start:stop], segment.name)

    def _parts(self, rows: I64Array | None, at_once: int) -> Iterator[I64Array]:
        """The rows in parts of this many samples, if all chunks have the usual size."""
        rows = np.arange(len(self)) if rows is None else rows
        counts = np.diff(self.series.chunk_bounds)[rows]
        most = max(1, min(_CHUNKS_AT_ONCE, at_once // SAMPLES_PER_CHUNK))
        return (rows[part] for part in cut_runs(counts, most))

    def _read(
        self, rows: I64Array, low: int, high: int, at_once: int, *, until_histograms: bool = False
    ) -> Iterator[tuple[RaggedBatch, I64Array]]:
        """One batch; or, if the chunks hold far more samples than usual, one batch for each half of the rows."""
        bounds = self.series.chunk_bounds
        chunks = ragged_range(bounds[rows], bounds[rows + 1])
        series = np.repeat(np.arange(rows.size), bounds[rows + 1] - bounds[rows])
        in_time = (self.series.max_times[chunks] >= low) & (self.series.min_times[chunks] <= high)
        chunks, series = chunks[in_time], series[in_time]
        pieces, stops = list(self.read_chunks(chunks)), np.full(rows.size, NO_HISTOGRAM)
        if until_histograms and not all(np.isin(records.encodings, FLOATS).all() for _, _, records in pieces):
            kept, stops = self._until_histogram(stops, chunks, series, pieces, low)
            chunks, series = chunks[kept], series[kept]
            pieces = list(self.read_chunks(chunks))
        found = [floats for piece in pieces for floats in self._floats(*piece)]
        if rows.size > 1 and sum(int(chunks_.counts.sum()) for chunks_ in found) > 2 * at_once:
            for half in np.array_split(rows, 2):
                yield from self._read(half, low, high, at_once, until_histograms=until_histograms)
            return
        by_chunk = RaggedBatch.join([chunks_.decode(self._work) for chunks_ in found]).by_row()
        samples = by_chunk.gathered(rows, series).in_order().between(low, high)
        yield self.tombstones.applied(samples, self.series.ids[rows]), stops

    def _until_histogram(
        self, stops: I64Array, chunks: I64Array, series: I64Array, pieces: Sequence[Piece], low: int
    ) -> tuple[I64Array, I64Array]:
        """The places of the chunks before each series' first histogram chunk, and the times of those, int64 (m,).

        series: int64 (n,), ascending, the series whose chunks these are.
        """
        encodings = np.zeros(chunks.size, np.uint8)
        for _, which, records in pieces:
            encodings[which] = records.encodings
        first = np.full(stops.size, chunks.size)
        places = np.flatnonzero(~np.isin(encodings, FLOATS))[::-1]
        first[series[places]] = places
        stops[series[places]] = np.maximum(self.series.min_times[chunks[places]], low)
        return np.flatnonzero(np.arange(chunks.size) < first[series]), stops

    def _floats(self, segment: Segment, chunks: I64Array, records: ChunkRecords) -> Iterator[FloatChunks]:
        """The chunks of each encoding of floats."""
        other = ~np.isin(records.encodings, FLOATS)
        if other.any():
            kind, at = ENCODINGS[int(records.encodings[np.argmax(other)])], int(records.starts[np.argmax(other)])
            raise FormatError(f"a chunk of kind {kind}; only floats can be read", section=segment.name, offset=at)
        for encoding in np.unique(records.encodings).tolist():
            ours = records.encodings == encoding
            yield FloatChunks(
                segment.buffer, records.starts[ours], records.ends[ours], chunks[ours], segment.name, encoding
            )

    def _satisfies(self, matcher: Matcher) -> BoolArray:
        """bool (n,): which series satisfy the matcher. Looks at each value once, not at each series."""
        predicate = matcher.predicate()
        entries = self.series
        pairs = np.flatnonzero(entries.names == self._symbol(matcher.name))
        values, which = np.unique(entries.values[pairs], return_inverse=True)
        answers = np.fromiter(map(predicate, self._texts(values)), np.bool_, values.size)
        satisfied = np.full(len(entries), predicate(""))
        satisfied[np.searchsorted(entries.label_bounds, pairs, "right") - 1] = answers[which]
        return satisfied

    def _symbol(self, text: str) -> int:
        """The reference of a symbol, -1 if there is none."""
        return self._references.get(text.encode("utf-8", "surrogatepass"), -1)

    @cached_property
    def _references(self) -> dict[bytes, int]:
        names = np.unique(self.series.names).tolist()
        return {self.index.symbols[name]: name for name in names}

    def _texts(self, references: U32Array) -> list[str]:
        return [self.index.symbols[reference].decode() for reference in references.tolist()]


def open_block(path: Path | str) -> Block:
    """Map the files of a block into memory and check their headers.

    InputError: no such directory, or an unreadable one. FormatError: damage, or a missing file.
    """
    path = Path(path)
    if not path.is_dir():
        raise InputError(f"{path} is not a block directory", field="path")
    with _named(path):
        meta = decode_meta(_file(path, "meta.json").read_bytes())
        index = IndexReader(_map(_file(path, "index")))
        segments = [Segment(f"chunks/{file.name}", _map(file)) for file in _segment_files(path / "chunks")]
        for segment in segments:
            check_segment_header(segment.buffer, segment.name)
        return Block(path, meta, index, segments)


def _segment_files(directory: Path) -> list[Path]:
    """The segments in the order of their numbers; none if the directory does not exist."""
    if not directory.is_dir():
        return []
    files = (file for file in directory.iterdir() if file.name.isascii() and file.name.isdecimal())
    return sorted(files, key=lambda file: (len(file.name), file.name))


@contextlib.contextmanager
def naming_block(path: Path) -> Iterator[None]:
    """Put the block's path in front of the place that a FormatError names."""
    try:
        yield
    except FormatError as error:
        section = f"block {path}: {error.section}" if error.section else f"block {path}"
        raise FormatError(error.what, section=section, offset=error.offset) from error


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", field="path") from None


def _file(path: Path, name: str) -> Path:
    if not (path / name).is_file():
        raise FormatError(f"{path / name} is missing", section=name)
    return path / name


def _map(path: Path) -> U8Array:
    with path.open("rb") as file:
        if not path.stat().st_size:
            return np.zeros(0, np.uint8)
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)
