"""Remote read (prometheus.io/docs/specs/prw/remote_read_spec): get a Prometheus's chunks as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx
import numpy as np
import snappy

from promfill.codecs.remote_read.chunk_frames import FrameSplitter, parse_frame
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from promfill.model.row_finder import RowFinder
from promfill.pb.remote_read_pb2 import LabelMatcher, Query, ReadRequest, ReadResponse
from promfill.protocols import Readings, Selection
from promfill.stores.api import PIECE, Api
from promfill.stores.chunk_runs import ChunkRuns
from promfill.stores.series_runs import SeriesSamples, gather_series

PATH = "/api/v1/read"
_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Read-Version": "0.1.0",
}
_STREAMED = "application/x-streamed-protobuf"


class RemoteReadStore:
    """A store that answers remote read: with streamed chunks, or with plain samples if it cannot stream chunks."""

    keeps_bits = True
    shows_within = 0.0
    shows_markers = True
    unchecked = ""
    most_samples: int | None = None

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self._foreign = external_labels(api)
        self.name = f"{name} at {api}"

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """As `protocols.Store.read`; series come in label order."""
        body = snappy.compress(_request(selection).SerializeToString())
        with self._api.stream("POST", PATH, content=body, headers=_HEADERS) as response:
            if response.headers.get("Content-Type", "").startswith(_STREAMED):
                yield from ChunkRuns(rows, self._foreign).readings(map(parse_frame, _messages(response)))
            else:
                yield from gather_series(_samples(response.read()), rows, self._foreign)

    def pending(self) -> int:
        """Always 0: samples can be read as soon as Prometheus has acknowledged them."""
        return 0


def answers_remote_read(api: Api) -> bool:
    """Whether the server supports remote read. The test request selects no series, so that it costs nothing."""
    nothing = Selection((("__name__", "promfill_asks_for_nothing"),), 0, 0)
    body = snappy.compress(_request(nothing).SerializeToString())
    response = api.client.request("POST", f"{api.base}{PATH}", content=body, headers=_HEADERS)
    kind = response.headers.get("Content-Type", "")
    return response.is_success and kind.startswith((_STREAMED, "application/x-protobuf"))


def external_labels(api: Api) -> frozenset[str]:
    """Names of the external labels: a Prometheus adds them to its answers, but the stored series do not have them."""
    data = api.get_data("/api/v1/status/config")
    if not isinstance(data, dict) or "external_labels" not in str(data.get("yaml")):
        return frozenset()
    import yaml

    try:
        found = yaml.safe_load(data["yaml"])["global"]["external_labels"]
    except (yaml.YAMLError, AttributeError, KeyError, TypeError):
        return frozenset()
    return frozenset(map(str, found)) if isinstance(found, dict) else frozenset()


def _request(selection: Selection) -> ReadRequest:
    matchers = [LabelMatcher(type=LabelMatcher.EQ, name=name, value=value) for name, value in selection.labels]
    query = Query(start_timestamp_ms=selection.start, end_timestamp_ms=selection.end, matchers=matchers)
    kinds = [ReadRequest.STREAMED_XOR_CHUNKS, ReadRequest.SAMPLES]
    return ReadRequest(queries=[query], accepted_response_types=kinds)


def _messages(response: httpx.Response) -> Iterable[bytes]:
    """The messages of all frames. Messages that arrive together are joined, so that short ones are cheap to parse."""
    splitter = FrameSplitter()
    for piece in response.iter_bytes(PIECE):
        yield b"".join(splitter.feed(piece))
    splitter.finish()


def _samples(body: bytes) -> Iterator[SeriesSamples]:
    """The series of a ReadResponse. The protocol sends it as one message, so the whole answer is held in memory."""
    try:
        response = ReadResponse.FromString(snappy.uncompress(body))
    except Exception as error:  # two libraries, each with its own errors
        raise FormatError("an answer that is not a valid ReadResponse", section="remote read") from error
    for series in response.results[0].timeseries if response.results else ():
        labels: LabelSet = tuple((label.name, label.value) for label in series.labels)
        if series.histograms:
            raise FormatError("a series of histograms, where a push has floats alone", section="remote read")
        count = len(series.samples)
        times = np.fromiter((sample.timestamp for sample in series.samples), np.int64, count)
        values = np.fromiter((sample.value for sample in series.samples), np.float64, count)
        yield labels, times, values.view(np.uint64)
