"""The series of a remote-write request, of either version: labels and samples as rows of bytes.

    request   prefix | row after row | ending
    row       tag, length | labels | samples | tail

The wire format leaves the order of series in a request free, which makes this fast: series with equally long labels
are put together, as the rows of one matrix. Samples of 18 bytes each (`wire_samples`) go in as plain bytes, except
for their values: numpy copies nested records field by field, 20 times slower.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.bits.varint import encode_uvarints
from promfill.codecs.remote_write.wire_samples import (
    SAMPLE_BYTES,
    VALUE_AT,
    encode_samples,
    is_fixed_width,
    sample_records,
)
from promfill.model.batch import RaggedBytes, SeriesBatch, freeze
from promfill.model.ragged import Column, append, columns_to_ragged, constant, gather, prepend
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array

HEADER_MAX = 6
"""The most bytes before the labels of a series: the tag, and a length below 2^35."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesLabels:
    """The encoded labels of S adjacent series of a fleet, the shortest first.

    order:  int64 (S,), the series (counted from the first of the slice) that string i belongs to.
    labels: the strings.
    groups: the ranges of strings of one length.
    """

    order: I64Array
    labels: RaggedBytes
    groups: tuple[slice, ...]

    def matrix(self, group: slice) -> U8Array:
        """The strings of one group as the rows of a matrix."""
        first, end = self.labels.offsets[group.start], self.labels.offsets[group.stop]
        return self.labels.buffer[first:end].reshape(group.stop - group.start, -1)


@dataclass(frozen=True, slots=True, eq=False)
class RowFrame:
    """The bytes around the samples of a slice of series. tail: the same after every series."""

    tag: int
    labels: SeriesLabels
    prefix: bytes = b""
    tail: bytes = b""

    def headers(self, steps: int) -> list[bytes]:
        """Tag and length before each series of a group with this many samples; one for each group."""
        first = [group.start for group in self.labels.groups]
        lengths = self.labels.labels.lengths[first] + steps * SAMPLE_BYTES + len(self.tail)
        return list(columns_to_ragged([self._header(lengths)]))

    def heads(self, steps: int) -> list[U8Array]:
        """The bytes before the samples of each series, uint8 (n, w) for each group, if it has this many samples."""
        heads = []
        for group, header in zip(self.labels.groups, self.headers(steps), strict=True):
            labels = self.labels.matrix(group)
            rows = np.broadcast_to(np.frombuffer(header, np.uint8), (len(labels), len(header)))
            heads.append(np.concatenate([rows, labels], axis=1))
        return heads

    def orders(self) -> list[I64Array]:
        """int64 (n,): the series of each group."""
        return [self.labels.order[group] for group in self.labels.groups]

    def size(self, steps: int) -> int:
        """Bytes of a request without its ending."""
        around = zip(self.labels.groups, self.headers(steps), strict=True)
        headers = sum(len(header) * (group.stop - group.start) for group, header in around)
        samples = self.labels.order.size * (steps * SAMPLE_BYTES + len(self.tail))
        return int(len(self.prefix) + headers + self.labels.labels.buffer.size + samples)

    def join(self, order: RaggedBytes) -> U8Array:
        """The rows of strings with labels and samples; each gets its tail, its tag and its length."""
        whole = append(order, constant(self.tail)) if self.tail else order
        return prepend(self._header(whole.lengths), whole).buffer

    def _header(self, lengths: I64Array) -> Column:
        """Tag and length before series of these lengths (n,)."""
        varints, sizes = encode_uvarints(lengths.astype(np.uint64))
        tags = np.full((lengths.size, 1), self.tag, np.uint8)
        return np.concatenate([tags, varints], axis=1), sizes + 1


def sort_labels(labels: RaggedBytes) -> SeriesLabels:
    """Encoded labels of the series of a slice, in its order, grouped by length."""
    order = np.argsort(labels.lengths, kind="stable")
    parts = gather(labels.buffer, labels.offsets[:-1][order], labels.lengths[order])
    borders = np.flatnonzero(np.diff(parts.lengths, prepend=-1, append=-1)).tolist()
    return SeriesLabels(freeze(order), parts, tuple(itertools.starmap(slice, itertools.pairwise(borders))))


def encode_rows(frame: RowFrame, batch: SeriesBatch, ending: bytes, work: Scratch) -> U8Array:
    """The request with all samples of the batch, uint8 (N,), valid until the next call with this `work`.

    A series without any sample is not in it.
    """
    if batch.present is None and is_fixed_width(batch.timestamps):
        return _splice(frame, batch, ending, work)
    return _join(frame, batch, ending)


def _splice(frame: RowFrame, batch: SeriesBatch, ending: bytes, work: Scratch) -> U8Array:
    """All samples exist, each 18 bytes long: one array of rows for each length of labels."""
    bits = batch.values.view(np.uint64)
    steps = len(bits)
    samples = sample_records(batch.timestamps).reshape(steps, -1)
    message = work.get("message", (frame.size(steps) + len(ending),), np.uint8)
    at = len(frame.prefix)
    message[:at] = np.frombuffer(frame.prefix, np.uint8)
    for group, header in zip(frame.labels.groups, frame.headers(steps), strict=True):
        labels, columns = frame.labels.matrix(group), frame.labels.order[group]
        series, width = len(labels), len(header) + labels.shape[1]
        pitch = width + steps * SAMPLE_BYTES + len(frame.tail)
        rows = message[at : at + series * pitch].reshape(series, pitch)
        rows[:, : len(header)] = np.frombuffer(header, np.uint8)
        rows[:, len(header) : width] = labels
        rows[:, width : width + steps * SAMPLE_BYTES] = _bytes_of_rows(
            samples if samples.shape[1] == 1 else samples[:, columns]
        )
        rows[:, width + steps * SAMPLE_BYTES :] = np.frombuffer(frame.tail, np.uint8)
        values = np.ndarray((series, steps), "<u8", message, at + width + VALUE_AT, (pitch, SAMPLE_BYTES))
        values[:] = bits[:, columns].T
        at += series * pitch
    message[at:] = np.frombuffer(ending, np.uint8)
    return message


def _bytes_of_rows(samples: NDArray[np.void]) -> U8Array:
    """The records of each column of `samples` (T, n), one after the other: (n, 18 T)."""
    return np.ascontiguousarray(samples.T).view(np.uint8)


def _join(frame: RowFrame, batch: SeriesBatch, ending: bytes) -> U8Array:
    """Any timestamps, and any samples missing: strings of any length, joined."""
    labels = frame.labels
    samples, lengths = _encode_present(labels.order, batch)
    strings = np.flatnonzero(lengths)
    starts = np.stack([labels.labels.offsets[:-1], labels.labels.buffer.size + np.cumsum(lengths) - lengths], axis=1)
    sizes = np.stack([labels.labels.lengths, lengths], axis=1)
    buffer = np.concatenate([labels.labels.buffer, samples])
    parts = gather(buffer, starts[strings].ravel(), sizes[strings].ravel())
    rows = frame.join(RaggedBytes(parts.buffer, parts.offsets[::2]))
    return np.concatenate([np.frombuffer(frame.prefix, np.uint8), rows, np.frombuffer(ending, np.uint8)])


def _encode_present(order: I64Array, batch: SeriesBatch) -> tuple[U8Array, I64Array]:
    """The existing samples, series by series in this order, and the bytes int64 (S,) of each series."""
    shape = batch.values.shape
    there = (np.ones(shape, np.bool_) if batch.present is None else batch.present).T[order]
    times = np.broadcast_to(batch.timestamps.reshape(shape[0], -1), shape).T[order][there]
    samples = encode_samples(times, batch.values.view(np.uint64).T[order][there])
    ends = samples.offsets[np.cumsum(there.sum(axis=1))]
    return samples.buffer, np.diff(ends, prepend=0)
