"""Chunks that arrive series by series, decoded many at a time and laid out as `Readings`."""

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
"""Cells of one decoded matrix: bounds what long chunks take."""


class ChunkDecoder:
    """Decodes chunks into flat arrays, which stand until the next call."""

    def __init__(self) -> None:
        self._work = Scratch()

    def decode(
        self, buffer: U8Array, starts: I64Array, ends: I64Array, encodings: U8Array
    ) -> tuple[I64Array, I64Array, U64Array]:
        """Counts int64 (n,) of the chunks, and times and bits (N,) of their samples, chunk by chunk as given."""
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
    """int64 (n,): samples of each chunk, compared with its length."""
    counts = np.zeros(starts.size, np.int64)
    for members, read, _ in _by_encoding(encodings):
        counts[members] = read(buffer, starts[members], ends[members])
    return counts


def _by_encoding(encodings: U8Array) -> Iterator[tuple[I64Array, ReadCounts, Decode]]:
    """Which chunks are of each encoding that there is, and how they are read."""
    for encoding, read, decode in _READERS:
        members = np.flatnonzero(encodings == encoding)
        if members.size:
            yield members, read, decode


def _groups(counts: I64Array) -> Iterator[slice]:
    """Spans of falling counts: many chunks, but no more cells than a matrix may have."""
    start = 0
    while start < counts.size:
        stop = start + max(1, min(LANES, _DECODED // max(1, int(counts[start]))))
        yield slice(start, stop)
        start = stop


def _scatter(matrix: NDArray[np.generic], offsets: I64Array, counts: I64Array, out: NDArray[np.generic]) -> None:
    """Column i of the matrix (K, n) to its place in `out`; counts fall, so that those that go on are a prefix."""
    live = np.searchsorted(-counts, -np.arange(matrix.shape[0]), side="left").tolist()
    for row, count in enumerate(live):
        out[offsets[:count] + row] = matrix[row, :count]


class ChunkRuns:
    """Frames in, `Readings` out: a series may go on from frame to frame, and leaves when the next one begins."""

    def __init__(self, finder: RowFinder, foreign: Collection[str] = ()) -> None:
        self._finder, self._foreign = finder, foreign
        self._decoder = ChunkDecoder()

    def readings(self, frames: Iterable[Frame]) -> Iterator[Readings]:
        """Batches of about BATCH_SAMPLES; samples are counted by the first two bytes of their chunks."""
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
    """One frame of all, in which a series that went on from one to the next is one."""
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
    """The series that are whole, and the last one, which may go on in the next frame."""
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
