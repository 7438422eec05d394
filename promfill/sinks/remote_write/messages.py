"""Batches to messages: in the version that the receiver reads, compressed in the way that suits the values."""

from __future__ import annotations

import snappy

from promfill.codecs.remote_write.snappy_rows import SnappyEncoder
from promfill.codecs.remote_write.version_1 import WriteRequestEncoder, encode_metadata
from promfill.codecs.remote_write.version_2 import RequestEncoder
from promfill.model.batch import SeriesBatch
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.plan import RequestPlan
from promfill.sources.generated import Source

LARGER = 1.02
"""How much larger a directly written block may be than python-snappy's, which takes 8 times as long to make."""


class MessageMaker:
    """Makes the messages of one push, in one thread."""

    def __init__(self, source: Source, plan: RequestPlan) -> None:
        self._source, self._plan = source, plan
        self._packers: dict[bool, _Packer] = {}

    def make(self, batch: SeriesBatch, *, is_version_2: bool, first: bool) -> Message:
        """The request with all samples of the batch; metadata goes with the first of a push, in 2.0 with every one."""
        window, place = self._plan.find(int(batch.timestamps[0]), batch.first_series)
        body, raw = self._packer(is_version_2).pack(batch, first=first)
        return Message(
            body=body,
            raw=raw,
            samples=batch.samples,
            window=window,
            place=place,
            series=batch.series,
            oldest=int(batch.timestamps[0]),
            newest=int(batch.timestamps[-1]),
            is_version_2=is_version_2,
        )

    def compress(self, batch: SeriesBatch) -> bytes:
        """A body of the batch, made to see its size."""
        return self._packer(is_version_2=False).pack(batch, first=False)[0]

    def _packer(self, is_version_2: bool) -> _Packer:
        if is_version_2 not in self._packers:
            scenario, fleet = self._source.scenario, self._source.fleet
            if is_version_2:
                self._packers[True] = _Packer(RequestEncoder(fleet, scenario.description, scenario.unit))
            else:
                metadata = encode_metadata(scenario.metric, scenario.description, scenario.unit)
                self._packers[False] = _Packer(WriteRequestEncoder(fleet), metadata)
        return self._packers[is_version_2]


class _Packer:
    """One version. metadata: what the first request of 1.0 says beside its samples."""

    def __init__(self, encoder: WriteRequestEncoder | RequestEncoder, metadata: bytes = b"") -> None:
        self._encoder, self._metadata = encoder, metadata
        self._direct = SnappyEncoder(encoder.frame)
        self._writes_directly: bool | None = None

    def pack(self, batch: SeriesBatch, *, first: bool) -> tuple[bytes, int]:
        """The body, and its size before compression."""
        if first and self._metadata:
            return self._search(batch, self._metadata)
        if self._writes_directly is False:
            return self._search(batch)
        direct = self._direct.encode(batch)
        if direct is None:
            return self._search(batch)
        if self._writes_directly is None:  # rounded values repeat in ways that direct writing does not use
            searched = self._search(batch)
            self._writes_directly = len(direct[0]) <= len(searched[0]) * LARGER
            return direct if self._writes_directly else searched
        return direct

    def _search(self, batch: SeriesBatch, metadata: bytes = b"") -> tuple[bytes, int]:
        if isinstance(self._encoder, RequestEncoder):
            message = self._encoder.encode(batch)
        else:
            message = self._encoder.encode(batch, metadata)
        packed: bytes = snappy.compress(message)
        return packed, message.size
