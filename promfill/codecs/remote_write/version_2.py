"""Remote write 2.0: batches of samples as Request messages (proto/remote_write_2.proto), not yet compressed.

    Request      symbols, 0x22 length bytes each | one TimeSeries after the other
    TimeSeries   0x2a length | 0x0a length, label references | samples | 0x2a length, metadata

A sample is encoded as in 1.0. The symbols of a slice of series never change, nor does the metadata of a push's one
metric; symbols that many series share come first, so that their references are one byte long. Start timestamps are not
written: they would be field 3 of the sample, not field 6 of TimeSeries, where they once were.
"""

from __future__ import annotations

import numpy as np

from promfill.codecs.bits.varint import encode_uvarints
from promfill.codecs.remote_write.wire_rows import RowFrame, SeriesLabels, encode_rows, sort_labels
from promfill.model.batch import Fleet, SeriesBatch
from promfill.model.ragged import Column, columns_to_ragged, prepend
from promfill.model.scratch import Scratch
from promfill.model.types import I64Array, U8Array
from promfill.pb.remote_write_2_pb2 import Metadata, Request, TimeSeries

SERIES_TAG = 0x2A
_REFERENCES_TAG = 0x0A


class RequestEncoder:
    """Encodes the batches of one fleet of gauges; the frame of every slice of series seen so far is kept."""

    def __init__(self, fleet: Fleet, description: str = "", unit: str = "") -> None:
        self._fleet, self._description, self._unit = fleet, description, unit
        self._frames: dict[range, RowFrame] = {}
        self._work = Scratch()

    def encode(self, batch: SeriesBatch) -> U8Array:
        """The message with all samples of the batch, uint8 (N,), valid until the next call.

        A series without any sample is not in it.
        """
        return encode_rows(self.frame(batch.series), batch, b"", self._work)

    def frame(self, series: range) -> RowFrame:
        """The bytes around the samples of these series."""
        if series not in self._frames:
            self._frames[series] = self._build(series)
        return self._frames[series]

    def _build(self, series: range) -> RowFrame:
        symbols = SymbolTable(self._fleet, series, [self._description, self._unit])
        help_ref, unit_ref = (symbols.of(text) for text in (self._description, self._unit))
        metadata = Metadata(type=Metadata.METRIC_TYPE_GAUGE, help_ref=help_ref, unit_ref=unit_ref)
        tail = TimeSeries(metadata=metadata).SerializeToString()
        prefix = Request(symbols=symbols.texts).SerializeToString()
        return RowFrame(SERIES_TAG, _encode_references(self._fleet, series, symbols.references), prefix, tail)


class SymbolTable:
    """The strings of some adjacent series, each once: the empty one, then the most used ones.

    references: int64 (n,), the place of each of the fleet's symbols among them.
    """

    def __init__(self, fleet: Fleet, series: range, more: list[str]) -> None:
        values = fleet.values[series.start : series.stop]
        uses = np.zeros(len(fleet.symbols), np.int64)
        present = values > 0
        np.add.at(uses, values[present], 1)
        uses[fleet.names] += present.sum(axis=0)
        uses[0] = values.size + 1  # the empty string is the first
        order = np.argsort(-uses, kind="stable")[: np.count_nonzero(uses)]
        self.references = np.zeros(len(fleet.symbols), np.int64)
        self.references[order] = np.arange(order.size)
        self.texts = [fleet.symbols[reference].decode() for reference in order.tolist()]
        self._more = {text: at for at, text in enumerate(self.texts)}
        for text in more:
            if text not in self._more:
                self._more[text] = len(self.texts)
                self.texts.append(text)

    def of(self, text: str) -> int:
        """The reference of one of the strings."""
        return self._more[text]


def _encode_references(fleet: Fleet, series: range, references: I64Array) -> SeriesLabels:
    """The field of label references of each series: name, value, name, value …"""
    values = fleet.values[series.start : series.stop]
    columns: list[Column] = []
    for column, name in enumerate(fleet.names.tolist()):
        present = values[:, column] > 0
        for pairs in (np.full(len(values), references[name]), references[values[:, column]]):
            varints, lengths = encode_uvarints(pairs.astype(np.uint64))
            columns.append((varints, np.where(present, lengths, 0)))
    packed = columns_to_ragged(columns)
    varints, lengths = encode_uvarints(packed.lengths.astype(np.uint64))
    tags = np.full((len(values), 1), _REFERENCES_TAG, np.uint8)
    return sort_labels(prepend((np.concatenate([tags, varints], axis=1), lengths + 1), packed))
