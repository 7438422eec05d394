"""The sender of ``--mode remote-write``: a batch is a request, and a request is answered before the next is sent.

The next one is generated and encoded meanwhile, but for the first: what the receiver says to the oldest window
nothing else could tell beforehand, so its answer is looked at before anything follows.
"""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import snappy

from promfill.codecs.remote_write import WriteRequestEncoder, encode_metadata, longest_labels
from promfill.errors import ReceiverError
from promfill.http import HttpClient, NoAnswerError
from promfill.model import Fleet, SeriesBatch
from promfill.plan import Tile
from promfill.sinks.base import SinkReport
from promfill.sinks.remote_write.classify import mend
from promfill.sinks.remote_write.lane import Lane, Request
from promfill.sinks.remote_write.plan import Limits, RequestPlan, request_plan
from promfill.source import Source
from promfill.times import format_time

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
VICTORIA_METRICS_HEADER = "X-Server-Hostname"
"""Only VictoriaMetrics answers with it."""


class RemoteWriteSink:
    """Sends every batch as one request of remote write 1.0.

    `report` counts what was acknowledged; its details are requests, bytes_raw (before compression), bytes_sent,
    acknowledged (samples); where it applies also unanswered (samples of the last request, which may have arrived), and
    the receiver's name where its answers tell it.
    """

    def __init__(self, client: HttpClient, plan: RequestPlan, fleet: Fleet, metadata: bytes = b"") -> None:
        self.plan = plan
        self.report = SinkReport(details={"requests": 0, "bytes_raw": 0, "bytes_sent": 0, "acknowledged": 0})
        self._client = client
        self._lane = Lane(self._deliver)
        self._encoder = WriteRequestEncoder(fleet)
        self._metadata = metadata
        self._first = True

    def tiles(self) -> Iterator[Tile]:
        """The samples of every request, time-major."""
        return self.plan.tiles()

    def write(self, batch: SeriesBatch) -> None:
        """Encode a request and give it to the lane; the first carries the metadata, and its answer is waited for.

        ReceiverError where it, or one before it, was not acknowledged.
        """
        message = self._encoder.encode(batch, self._metadata if self._first else b"")
        self._lane.send(Request(snappy.compress(message), batch.samples, message.size))
        if self._first:
            self._lane.settle()
            self._first = False

    def commit(self) -> SinkReport:
        """Wait until everything is acknowledged. ReceiverError as `write`."""
        self._lane.settle()
        self._close()
        return self.report

    def abort(self) -> None:
        """Nothing more is sent; what is under way may still be acknowledged, if its answer is near."""
        self._close()

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """What a sample of this batch takes on the wire: an estimate for the whole push."""
        return len(snappy.compress(self._encoder.encode(batch))) / batch.samples

    def _close(self) -> None:
        self._lane.close(self._client.break_off)
        self._client.close()

    def _deliver(self, request: Request) -> None:
        """Send one request, in the lane's thread."""
        try:
            response = self._client.request("POST", content=request.body, headers=HEADERS)
            self._judge(response)
        except ReceiverError as error:
            raise ReceiverError(f"{error}. {self._story(error, request.samples)}") from error
        self._acknowledge(response, request)

    def _judge(self, response: httpx.Response) -> None:
        """ReceiverError, with the mend where it is known, for whatever does not acknowledge the request."""
        try:
            self._client.check(response)
        except ReceiverError as error:
            advice = mend(response.status_code, self._client.words(response))
            raise ReceiverError(f"{error}{': ' if advice else ''}{advice}") from None

    def _acknowledge(self, response: httpx.Response, request: Request) -> None:
        self.report.samples += request.samples
        self.report.bytes += len(request.body)
        details = self.report.details
        details["requests"] += 1
        details["bytes_raw"] += request.raw
        details["bytes_sent"] += len(request.body)
        details["acknowledged"] += request.samples
        if VICTORIA_METRICS_HEADER in response.headers:
            details["receiver"] = "VictoriaMetrics"

    def _story(self, error: ReceiverError, samples: int) -> str:
        """What had arrived before the error, and how to go on."""
        doubt = ""
        if isinstance(error, NoAnswerError) and error.may_have_arrived:
            self.report.details["unanswered"] = samples
            doubt = f"; the {samples:,} samples of this request may have arrived as well"
        if not self.report.samples:
            return f"Nothing had arrived before it{doubt}: mend that, and run the same command again"
        windows = self.report.details["requests"] // len(self.plan.slices)
        until = f", every series up to {format_time(self.plan.last_time(windows))}" if windows else ""
        return (
            f"Before it {self.report.samples:,} samples had arrived{until}{doubt}: "
            "delete these series there before the same push is sent again, or it meets its own samples"
        )


def open_remote_write(source: Source, client: HttpClient, limits: Limits) -> RemoteWriteSink:
    """The sink of a push; nothing is sent yet. InputError where the limits do not let one sample through."""
    scenario = source.scenario
    metadata = encode_metadata(scenario.metric, scenario.description, scenario.unit)
    plan = request_plan(source.grid, len(source.fleet), longest_labels(source.fleet), limits, len(metadata))
    return RemoteWriteSink(client, plan, source.fleet, metadata)
