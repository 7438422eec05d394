"""What the query API may answer, and what it must not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from promfill.errors import FormatError, PromfillError, ReceiverError
from promfill.stores.query import _series

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
        (b"<html>", FormatError, "no JSON"),
        (b"[]", FormatError, "no object"),
        (b"null", FormatError, "no object"),
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
