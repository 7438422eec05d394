"""Decode chunks that arrive series by series, many at a time, into `Readings`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.remote_read.chunk_frames import Frame
from promfill.codecs.xor.decode import LANES, DecodedChunks, decode_chunks, read_counts
from promfill.codecs.xor.decode_xor2 import decode_xor2_chunks, read_xor2_counts
from promfill.model.batch import LabelSet
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.row_finder import RowFinder
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U64Array
from promfill.pb.remote_read_pb2 import Chunk
from promfill.protocols import Readings
from promfill.stores.series_runs import BATCH_SAMPLES, strangers

ReadCounts = Callable[[U8Array, I64Array, I64Array], I64Array]
Decode = Callable[..., DecodedChunks]

_READERS: tuple[tuple[int, ReadCounts, Decode], ...] = (
    (Chunk.XOR, read_counts, decode_chunks),
    (Chunk.XOR2, read_xor2_counts, decode_xor2_chunks),
)
_DECODED = 1 << 20
"""The largest number of cells in one decoded matrix. It bounds memory where chunks are long."""


class ChunkDecoder:
    """Decodes chunks into flat arrays, which are valid until the next call."""

    def __init__(self) -> None:
        self._work = Scratch()

    def decode(
        self, buffer: U8Array, starts: I64Array, ends: I64Array, encodings: U8Array
    ) -> tuple[I64Array, I64Array, U64Array]:
        """Sample counts of the n chunks, int64 (n,), and times int64 (N,) and bits uint64 (N,) of all their samples.

        Samples are in the order of the given chunks.
        """
        counts = _counts(buffer, starts, ends, encodings)
        offsets = np.cumsum(counts) - counts
        samples = int(counts.sum())
        times = self._work.get("runs.times", (samples,), np.int64)
        bits = self._work.get("runs.bits", (samples,), np.uint64)
        for members, _, decode in _by_encoding(encodings):
            order = members[np.argsort(-counts[members], kind="stable")]
            for group in _groups(counts[order]):
                chunks = order[group]
                decoded = decode(buffer, starts[chunks], ends[chunks], work=self._work)
                _scatter(decoded.times, offsets[chunks], counts[chunks], times)
                _scatter(decoded.bits, offsets[chunks], counts[chunks], bits)
        return counts, times, bits


def _counts(buffer: U8Array, starts: I64Array, ends: I64Array, encodings: U8Array) -> I64Array:
    """The number of samples in each chunk, int64 (n,), checked against the chunk's length in bytes."""
    counts = np.zeros(starts.size, np.int64)
    for members, read, _ in _by_encoding(encodings):
        counts[members] = read(buffer, starts[members], ends[members])
    return counts


def _by_encoding(encodings: U8Array) -> Iterator[tuple[I64Array, ReadCounts, Decode]]:
    """For each encoding in use: the indexes of its chunks, and the functions that read them."""
    for encoding, read, decode in _READERS:
        members = np.flatnonzero(encodings == encoding)
        if members.size:
            yield members, read, decode


def _groups(counts: I64Array) -> Iterator[slice]:
    """Split chunks, sorted by descending count, into groups whose matrix has at most `_DECODED` cells."""
    start = 0
    while start < counts.size:
        stop = start + max(1, min(LANES, _DECODED // max(1, int(counts[start]))))
        yield slice(start, stop)
        start = stop


def _scatter(matrix: NDArray[np.generic], offsets: I64Array, counts: I64Array, out: NDArray[np.generic]) -> None:
    """Copy the first ``counts[i]`` rows of column i of the matrix (K, n) to ``out``, from ``offsets[i]`` on.

    Counts are descending, so the columns that still have a sample in some row are always the first ones.
    """
    live = np.searchsorted(-counts, -np.arange(matrix.shape[0]), side="left").tolist()
    for row, count in enumerate(live):
        out[offsets[:count] + row] = matrix[row, :count]


class ChunkRuns:
    """Turns frames into `Readings`. A series may span several frames; it is complete when the next series begins."""

    def __init__(self, finder: RowFinder, foreign: Collection[str] = ()) -> None:
        self._finder, self._foreign = finder, foreign
        self._decoder = ChunkDecoder()

    def readings(self, frames: Iterable[Frame]) -> Iterator[Readings]:
        """Batches of about BATCH_SAMPLES. The first two bytes of each chunk tell its number of samples."""
        waiting: list[Frame] = []
        samples = 0
        for frame in frames:
            if not frame.counts:
                continue
            waiting.append(frame)
            samples += _samples_of(frame)
            if samples >= BATCH_SAMPLES:
                joined = _join(waiting)
                done, rest = _cut_last_series(joined)
                if done.counts:
                    yield self._decode(done)
                waiting = [rest]
                samples = _samples_of(rest)
        if waiting:
            yield self._decode(_join(waiting))

    def _decode(self, frame: Frame) -> Readings:
        chunk_counts, times, bits = self._decoder.decode(frame.buffer, frame.starts, frame.ends, frame.encodings)
        firsts = np.cumsum([0, *frame.counts[:-1]])
        rows = self._finder.find(frame.labels, self._foreign)
        samples = RaggedBatch.of_counts(rows, np.add.reduceat(chunk_counts, firsts), times, bits)
        return Readings(samples, strangers(frame.labels, rows))


def _samples_of(frame: Frame) -> int:
    return int(_counts(frame.buffer, frame.starts, frame.ends, frame.encodings).sum())


def _join(frames: list[Frame]) -> Frame:
    """Join frames into one. A series that spans several frames becomes one series."""
    shifts = np.cumsum([0, *(frame.buffer.size for frame in frames[:-1])]).tolist()
    labels: list[LabelSet] = []
    counts: list[int] = []
    for frame in frames:
        for label_set, count in zip(frame.labels, frame.counts, strict=True):
            if labels and labels[-1] == label_set:
                counts[-1] += count
            else:
                labels.append(label_set)
                counts.append(count)
    return Frame(
        buffer=np.concatenate([frame.buffer for frame in frames]),
        starts=np.concatenate([frame.starts + shift for frame, shift in zip(frames, shifts, strict=True)]),
        ends=np.concatenate([frame.ends + shift for frame, shift in zip(frames, shifts, strict=True)]),
        encodings=np.concatenate([frame.encodings for frame in frames]),
        labels=labels,
        counts=counts,
    )


def _cut_last_series(frame: Frame) -> tuple[Frame, Frame]:
    """Split off the last series, because it may continue in the next frame: (complete series, last series)."""
    chunk = len(frame.starts) - frame.counts[-1]
    first = int(frame.starts[chunk])
    done = Frame(
        frame.buffer,
        frame.starts[:chunk],
        frame.ends[:chunk],
        frame.encodings[:chunk],
        frame.labels[:-1],
        frame.counts[:-1],
    )
    rest = Frame(
        frame.buffer[first:].copy(),
        frame.starts[chunk:] - first,
        frame.ends[chunk:] - first,
        frame.encodings[chunk:],
        frame.labels[-1:],
        frame.counts[-1:],
    )
    return done, rest
