"""Read samples by the query API. Every Prometheus-like store has it, but it is slower than remote read and hides some.

An instant query with a range selector, evaluated at the end of a window, returns the raw samples of that window. A
range query would not do: it fills gaps with earlier samples (lookback), so lost samples would not be noticed. PromQL
shows no staleness markers, and it shows NaN without the payload.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

from promfill.errors import FormatError, ReceiverError
from promfill.model.row_finder import RowFinder
from promfill.protocols import Readings, Selection
from promfill.stores.api import Api, selector
from promfill.stores.series_runs import SeriesSamples, gather_series


class QueryStore:
    """A store that answers instant queries. Each whole answer is held in memory, so windows are small."""

    keeps_bits = True
    shows_within = 0.0
    shows_markers = False
    unchecked = "read by the query API: staleness markers and the payloads of NaN are not checked"
    most_samples: int | None = 500_000

    def __init__(self, api: Api, name: str) -> None:
        self._api = api
        self.name = f"{name} at {api}"

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """As `protocols.Store.read`."""
        parameters: dict[str, str | int] = {"query": _range(selection), "time": _end(selection), "nocache": 1}
        with self._api.stream("GET", "/api/v1/query", parameters) as response:
            body = response.read()
        yield from gather_series(_series(body), rows)

    def is_empty(self, selection: Selection) -> bool:
        """As `protocols.TellsEmptiness.is_empty`."""
        query = f"count(count_over_time({_range(selection)}))"
        data = self._api.get_data("/api/v1/query", query=query, time=_end(selection), nocache=1)
        return isinstance(data, dict) and data.get("result") == []

    def pending(self) -> int:
        """Always 0: PromQL cannot tell how many samples are not visible yet."""
        return 0


def _range(selection: Selection) -> str:
    """The range selector for exactly these samples, to be evaluated at the end of the selection."""
    return f"{selector(selection.labels)}[{selection.end - selection.start + 1}ms]"


def _end(selection: Selection) -> str:
    return f"{selection.end // 1000}.{selection.end % 1000:03d}"


def _series(body: bytes) -> Iterator[SeriesSamples]:
    """The series of a matrix. FormatError: the answer holds histograms, or is not a valid matrix."""
    for series in _matrix(body):
        try:
            yield _run(series)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            what = "native histograms" if "histograms" in str(series) else "a series that is none"
            raise FormatError(f"an answer with {what}", section="query API") from error


def _run(series: Any) -> SeriesSamples:
    times, texts = zip(*series["values"], strict=True)
    ms = np.rint(np.array(times, np.float64) * 1000).astype(np.int64)
    bits = np.array(list(map(float, texts))).view(np.uint64)
    return tuple(series["metric"].items()), ms, bits


def _matrix(body: bytes) -> list[Any]:
    try:
        answer = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FormatError("an answer that is not valid JSON", section="query API") from error
    if not isinstance(answer, dict):
        raise FormatError("an answer that is not a JSON object", section="query API")
    data: Any = answer.get("data")
    result: Any = data.get("result") if isinstance(data, dict) and data.get("resultType") == "matrix" else None
    if answer.get("status") != "success" or not isinstance(result, list):
        raise ReceiverError(f"the query API answers {answer.get('error') or 'without a matrix'}")
    if answer.get("warnings"):
        raise ReceiverError(f"the query API warns that its answer is not whole: {str(answer['warnings'])[:200]}")
    return result
