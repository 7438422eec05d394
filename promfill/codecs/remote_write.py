"""Remote write 1.0: batches of samples as WriteRequest messages (proto/remote_write_1.proto), not yet compressed.

    WriteRequest   one TimeSeries after the other | metadata
    TimeSeries     0x0a length | labels | samples

Labels never change, so they are encoded once per slice of series and kept. Google's protobuf makes them a pair at a
time: messages of one type that follow one another merge into one, so the pairs of a series are the TimeSeries message
of its labels. Samples are spliced behind them by numpy (`wire_samples`).

The wire format leaves the order of series in a request free, and that is what makes it fast: series whose labels are
equally long stand beside each other, as the rows of one matrix.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.ragged import Column, columns_to_ragged, gather, prepend
from promfill.codecs.varint import encode_uvarints
from promfill.codecs.wire_samples import (
    SAMPLE_BYTES,
    VALUE_AT,
    encode_samples,
    is_fixed_width,
    sample_records,
)
from promfill.codecs.work import Work
from promfill.model import Fleet, RaggedBytes, SeriesBatch, freeze
from promfill.pb.remote_write_1_pb2 import Label, MetricMetadata, TimeSeries, WriteRequest

SERIES_TAG = b"\x0a"
HEADER_MAX = 6
"""Bytes before the labels of a series at most: the tag, and a length below 2^35."""


@dataclass(frozen=True, slots=True, eq=False)
class SeriesLabels:
    """The encoded labels of S adjacent series of a fleet, the shortest first.

    order:  int64 (S,), the series (counted from the first of the slice) that string i belongs to.
    labels: the strings.
    groups: the ranges of strings of one length.
    """

    order: NDArray[np.int64]
    labels: RaggedBytes
    groups: tuple[slice, ...]

    def matrix(self, group: slice) -> NDArray[np.uint8]:
        """The strings of one group as the rows of a matrix."""
        first, end = self.labels.offsets[group.start], self.labels.offsets[group.stop]
        return self.labels.buffer[first:end].reshape(group.stop - group.start, -1)


class WriteRequestEncoder:
    """Encodes the batches of one fleet; the labels of every slice of series that it has seen are kept."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._labels: dict[range, SeriesLabels] = {}
        self._work = Work()

    def encode(self, batch: SeriesBatch, metadata: bytes = b"") -> NDArray[np.uint8]:
        """The message with all samples of the batch, uint8 (N,), valid until the next call; `metadata` ends it.

        A series without any sample is not in it.
        """
        labels = self._labels_of(batch.series)
        if batch.present is None and is_fixed_width(batch.timestamps):
            return _splice(labels, batch, metadata, self._work)
        return _join(labels, batch, metadata)

    def _labels_of(self, series: range) -> SeriesLabels:
        if series not in self._labels:
            self._labels[series] = encode_labels(self._fleet, series)
        return self._labels[series]


def encode_metadata(metric: str, description: str, unit: str) -> bytes:
    """A WriteRequest that holds nothing but TYPE (gauge), HELP and UNIT of one metric family."""
    metadata = MetricMetadata(type=MetricMetadata.GAUGE, metric_family_name=metric, help=description, unit=unit)
    return WriteRequest(metadata=[metadata]).SerializeToString()


def longest_labels(fleet: Fleet) -> int:
    """Bytes of the longest label set of the fleet, as a request holds it."""
    lengths = fleet.symbols.lengths
    pairs = _field_size(lengths[fleet.names]) + _field_size(lengths[fleet.values])
    return int(np.where(fleet.values > 0, _field_size(pairs), 0).sum(axis=1).max(initial=0))


def _field_size(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes of length-delimited fields whose contents have these lengths (below 2^28)."""
    return lengths + 2 + (lengths >= 1 << 7) + (lengths >= 1 << 14) + (lengths >= 1 << 21)


def encode_labels(fleet: Fleet, series: range) -> SeriesLabels:
    """The labels of some adjacent series; pairs that differ are encoded once each, and gathered for every series."""
    values = fleet.values[series.start : series.stop]
    pairs, rows = _encode_pairs(fleet, values)
    lengths = pairs.lengths[rows]
    order = np.argsort(lengths.sum(axis=1), kind="stable")
    parts = gather(pairs.buffer, pairs.offsets[rows[order]].ravel(), lengths[order].ravel())
    labels = RaggedBytes(parts.buffer, freeze(parts.offsets[:: rows.shape[1]].copy()))
    borders = np.flatnonzero(np.diff(labels.lengths, prepend=-1, append=-1)).tolist()
    return SeriesLabels(freeze(order), labels, tuple(itertools.starmap(slice, itertools.pairwise(borders))))


def _encode_pairs(fleet: Fleet, values: NDArray[np.uint32]) -> tuple[RaggedBytes, NDArray[np.int64]]:
    """The different pairs of name and value, encoded, and which of them each of `values` (S, L) is."""
    pairs: list[bytes] = []
    rows = np.empty(values.shape, np.int64)
    for column, name in enumerate(fleet.names.tolist()):
        distinct, inverse = np.unique(values[:, column], return_inverse=True)
        rows[:, column] = inverse + len(pairs)
        text = fleet.symbols[name].decode()
        pairs += (_encode_pair(text, fleet.symbols[value].decode()) for value in distinct.tolist())
    return RaggedBytes.from_list(pairs), rows


def _encode_pair(name: str, value: str) -> bytes:
    return TimeSeries(labels=[Label(name=name, value=value)]).SerializeToString() if value else b""


def _splice(labels: SeriesLabels, batch: SeriesBatch, metadata: bytes, work: Work) -> NDArray[np.uint8]:
    """All samples there, each 18 bytes long: per length of labels one array of records, a record a series.

    The samples but for their values go in as plain bytes: numpy copies nested records field by field, 20 times slower.
    """
    bits = batch.values.view(np.uint64)
    steps = len(bits)
    samples = sample_records(batch.timestamps).reshape(steps, -1)
    headers = _series_headers(labels, steps)
    message = work.get("message", (_message_size(labels, headers, steps) + len(metadata),), np.uint8)
    at = 0
    for header, group in zip(headers, labels.groups, strict=True):
        matrix, columns = labels.matrix(group), labels.order[group]
        rows = np.ndarray(len(matrix), _series_record(len(header), matrix.shape[1], steps), message, at)
        rows["header"] = tuple(header)
        rows["labels"] = matrix
        rows["samples"] = _bytes_of_rows(samples if samples.shape[1] == 1 else samples[:, columns])
        values = at + len(header) + matrix.shape[1] + VALUE_AT
        np.ndarray((len(matrix), steps), "<u8", message, values, (rows.itemsize, SAMPLE_BYTES))[:] = bits[:, columns].T
        at += rows.nbytes
    message[at:] = tuple(metadata)
    return message


def _series_headers(labels: SeriesLabels, steps: int) -> list[bytes]:
    """What stands before the labels of a series, for each group."""
    lengths = np.array([labels.matrix(group).shape[1] for group in labels.groups]) + steps * SAMPLE_BYTES
    return list(columns_to_ragged([_header_column(lengths)]))


def _message_size(labels: SeriesLabels, headers: list[bytes], steps: int) -> int:
    ahead: int = sum(
        len(header) * (group.stop - group.start) for header, group in zip(headers, labels.groups, strict=True)
    )
    return ahead + int(labels.labels.offsets[-1]) + labels.order.size * steps * SAMPLE_BYTES


def _series_record(header: int, labels: int, steps: int) -> np.dtype[np.void]:
    return np.dtype(
        [("header", "u1", (header,)), ("labels", "u1", (labels,)), ("samples", "u1", (steps * SAMPLE_BYTES,))]
    )


def _bytes_of_rows(samples: NDArray[np.void]) -> NDArray[np.uint8]:
    """The records of each column of `samples` (T, n), one after the other: (n, 18 T)."""
    return np.ascontiguousarray(samples.T).view(np.uint8)


def _join(labels: SeriesLabels, batch: SeriesBatch, metadata: bytes) -> NDArray[np.uint8]:
    """Whatever the timestamps, and whichever samples are there: strings of any length, joined."""
    samples, lengths = _encode_present(labels.order, batch)
    strings = np.flatnonzero(lengths)
    starts = np.stack([labels.labels.offsets[:-1], labels.labels.buffer.size + np.cumsum(lengths) - lengths], axis=1)
    sizes = np.stack([labels.labels.lengths, lengths], axis=1)
    buffer = np.concatenate([labels.labels.buffer, samples])
    parts = gather(buffer, starts[strings].ravel(), sizes[strings].ravel())
    series = RaggedBytes(parts.buffer, parts.offsets[::2])
    message = prepend(_header_column(series.lengths), series).buffer
    return np.concatenate([message, np.frombuffer(metadata, np.uint8)])


def _encode_present(order: NDArray[np.int64], batch: SeriesBatch) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The samples that are there, series by series in this order, and the bytes int64 (S,) of each series."""
    shape = batch.values.shape
    there = (np.ones(shape, np.bool_) if batch.present is None else batch.present).T[order]
    times = np.broadcast_to(batch.timestamps.reshape(shape[0], -1), shape).T[order][there]
    samples = encode_samples(times, batch.values.view(np.uint64).T[order][there])
    ends = samples.offsets[np.cumsum(there.sum(axis=1))]
    return samples.buffer, np.diff(ends, prepend=0)


def _header_column(lengths: NDArray[np.int64]) -> Column:
    """The tag and length in front of every TimeSeries of these lengths (n,)."""
    varints, sizes = encode_uvarints(lengths.astype(np.uint64))
    tags = np.full((lengths.size, 1), ord(SERIES_TAG), np.uint8)
    return np.concatenate([tags, varints], axis=1), sizes + 1
