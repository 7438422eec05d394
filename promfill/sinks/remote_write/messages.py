"""Batches to messages: the version that the receiver takes, compressed."""

from __future__ import annotations

import snappy

from promfill.codecs.remote_write import WriteRequestEncoder
from promfill.model import SeriesBatch
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.plan import RequestPlan
from promfill.source import Source


class MessageMaker:
    """Makes the messages of one push, in one thread. metadata: TYPE, HELP and UNIT as a message of 1.0."""

    def __init__(self, source: Source, plan: RequestPlan, metadata: bytes) -> None:
        self._plan, self._metadata = plan, metadata
        self._encoder = WriteRequestEncoder(source.fleet)

    def make(self, batch: SeriesBatch, *, is_version_2: bool, first: bool) -> Message:
        """The request with all samples of the batch; the first of a push tells the metadata."""
        window, place = self._plan.find(int(batch.timestamps[0]), batch.first_series)
        plain = self._encoder.encode(batch, self._metadata if first else b"")
        return Message(
            body=snappy.compress(plain),
            raw=plain.size,
            samples=batch.samples,
            window=window,
            place=place,
            series=batch.series,
            oldest=int(batch.timestamps[0]),
            newest=int(batch.timestamps[-1]),
        )

    def compress(self, batch: SeriesBatch) -> bytes:
        """The body of a batch."""
        packed: bytes = snappy.compress(self._encoder.encode(batch))
        return packed
