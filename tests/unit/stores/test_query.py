"""What the query API may answer, and what it must not."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from promfill.errors import FormatError, PromfillError, ReceiverError
from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.protocols import Selection
from promfill.stores.api import Api
from promfill.stores.query import QueryStore, _series
from tests.support.receiver import Answer, Receiver

SERIES = {"metric": {"__name__": "m"}, "values": [[1.5, "2"], [3, "-0"]]}


def answer(data: Any, status: str = "success", **more: Any) -> bytes:
    return json.dumps({"status": status, "data": data, **more}).encode()


def test_a_matrix_is_read() -> None:
    ((labels, times, bits),) = _series(answer({"resultType": "matrix", "result": [SERIES]}))
    assert labels == (("__name__", "m"),)
    assert times.tolist() == [1500, 3000]
    assert bits.view(np.float64).tolist() == [2.0, -0.0]


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        (b"<html>", FormatError, "not valid JSON"),
        (b"[]", FormatError, "not a JSON object"),
        (b"null", FormatError, "not a JSON object"),
        (answer(None), ReceiverError, "without a matrix"),
        (answer({"resultType": "matrix", "result": None}), ReceiverError, "without a matrix"),
        (answer({"resultType": "vector", "result": []}), ReceiverError, "without a matrix"),
        (answer(None, "error", error="too many samples"), ReceiverError, "too many samples"),
        (answer({"resultType": "matrix", "result": []}, warnings=["partial"]), ReceiverError, "not whole: .*partial"),
        (answer({"resultType": "matrix", "result": [5]}), FormatError, "none"),
        (answer({"resultType": "matrix", "result": [{"metric": {}}]}), FormatError, "none"),
        (answer({"resultType": "matrix", "result": [{**SERIES, "values": [["x", "y"]]}]}), FormatError, "none"),
        (answer({"resultType": "matrix", "result": [{"metric": {}, "histograms": []}]}), FormatError, "histograms"),
    ],
)
def test_whatever_else_comes_is_an_error_of_ours(body: bytes, kind: type[PromfillError], words: str) -> None:
    with pytest.raises(kind, match=words):
        list(_series(body))


@pytest.mark.parametrize(
    ("status", "body", "empty"),
    [
        (200, answer({"resultType": "vector", "result": []}), True),
        (200, answer({"resultType": "vector", "result": [{"metric": {}, "value": [9, "3"]}]}), False),
        (422, answer(None, "error", error="the query time range exceeds the limit"), False),
        (200, b"<html>", False),
    ],
)
def test_whether_it_holds_anything_is_one_short_answer(status: int, body: bytes, empty: bool) -> None:
    with Receiver(lambda _: Answer(status, body)) as receiver:
        api = Api(make_client(build_destination(receiver.url.removesuffix("/api/v1/write"), environment={})))
        store = QueryStore(api, "m")
        assert store.is_empty(Selection((("__name__", "m"),), 1_000, 2_500)) == empty
    (taken,) = receiver.taken
    query = parse_qs(urlsplit(taken.path).query)
    assert query["query"] == ['count(count_over_time({__name__="m"}[1501ms]))']
    assert query["time"] == ["2.500"]
