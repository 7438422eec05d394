"""Remote write 1.0: batches of samples as WriteRequest messages (proto/remote_write_1.proto), not yet compressed.

    WriteRequest   one TimeSeries after the other | metadata
    TimeSeries     0x0a length | labels | samples

Labels never change, so they are encoded once per slice of series and kept. Google's protobuf encodes them a pair at a
time: messages of one type that follow one another merge into one, so the pairs of a series are the TimeSeries message
of its labels. `wire_rows` puts the samples after them.
"""

from __future__ import annotations

import numpy as np

from promfill.codecs.remote_write.wire_rows import HEADER_MAX, RowFrame, SeriesLabels, encode_rows, sort_labels
from promfill.model.batch import Fleet, RaggedBytes, SeriesBatch
from promfill.model.ragged import gather
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array, U32Array
from promfill.pb.remote_write_1_pb2 import Label, MetricMetadata, TimeSeries, WriteRequest

__all__ = ["HEADER_MAX", "WriteRequestEncoder", "encode_labels", "encode_metadata", "longest_labels"]

SERIES_TAG = 0x0A


class WriteRequestEncoder:
    """Encodes the batches of one fleet; the labels of every slice of series seen so far are kept."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._frames: dict[range, RowFrame] = {}
        self._work = Scratch()

    def encode(self, batch: SeriesBatch, metadata: bytes = b"") -> U8Array:
        """The message with all samples of the batch, uint8 (N,), valid until the next call; `metadata` ends it.

        A series without any sample is not in it.
        """
        return encode_rows(self.frame(batch.series), batch, metadata, self._work)

    def frame(self, series: range) -> RowFrame:
        """The bytes around the samples of these series."""
        if series not in self._frames:
            self._frames[series] = RowFrame(SERIES_TAG, encode_labels(self._fleet, series))
        return self._frames[series]


def encode_metadata(metric: str, description: str, unit: str) -> bytes:
    """A WriteRequest with only TYPE (gauge), HELP and UNIT of one metric family."""
    metadata = MetricMetadata(type=MetricMetadata.GAUGE, metric_family_name=metric, help=description, unit=unit)
    return WriteRequest(metadata=[metadata]).SerializeToString()


def longest_labels(fleet: Fleet) -> int:
    """Bytes of the longest label set of the fleet, as encoded in a request."""
    lengths = fleet.symbols.lengths
    pairs = _field_size(lengths[fleet.names]) + _field_size(lengths[fleet.values])
    return int(np.where(fleet.values > 0, _field_size(pairs), 0).sum(axis=1).max(initial=0))


def _field_size(lengths: I64Array) -> I64Array:
    """Bytes of length-delimited fields whose contents have these lengths (below 2^28)."""
    return lengths + 2 + (lengths >= 1 << 7) + (lengths >= 1 << 14) + (lengths >= 1 << 21)


def encode_labels(fleet: Fleet, series: range) -> SeriesLabels:
    """The labels of some adjacent series; different pairs are encoded once each, and gathered for every series."""
    values = fleet.values[series.start : series.stop]
    pairs, rows = _encode_pairs(fleet, values)
    lengths = pairs.lengths[rows]
    parts = gather(pairs.buffer, pairs.offsets[rows].ravel(), lengths.ravel())
    return sort_labels(RaggedBytes(parts.buffer, parts.offsets[:: rows.shape[1]]))


def _encode_pairs(fleet: Fleet, values: U32Array) -> tuple[RaggedBytes, I64Array]:
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
