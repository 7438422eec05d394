"""What stores say of an answer that is larger than they give at once: their words, each with its server."""

from __future__ import annotations

import httpx
import pytest

from promfill.stores.api import asks_too_much

TOO_MUCH = [
    ("Mimir 3.0, remote read", 413, "expanding series: received message larger than max (104886573 vs. 104857600)"),
    ("a gateway", 413, "<html><title>413 Request Entity Too Large</title></html>"),
    (
        "Mimir 3.0",
        422,
        "the query exceeded the maximum number of chunks (limit: 2000000 chunks) (err-mimir-max-chunks-per-query)",
    ),
    (
        "Mimir 3.0",
        422,
        "the query exceeded the aggregated chunks size limit (limit: 1 bytes) (err-mimir-max-chunks-bytes-per-query)",
    ),
    (
        "Mimir 3.0",
        422,
        "the query time range exceeds the limit (query length: 800h, limit: 721h) (err-mimir-max-query-length)",
    ),
    ("Cortex 1.21", 422, "the query hit the max number of chunks limit (limit: 2000000 chunks)"),
    ("Cortex 1.21", 422, "the query time range exceeds the limit (query length: 800h0m0s, limit: 721h0m0s)"),
    ("Prometheus, remote read in samples", 400, "exceeded sample limit (50000000)"),
    ("Prometheus 2.42", 422, "query processing would load too many samples into memory in query execution"),
    (
        "VictoriaMetrics 1.150",
        422,
        "cannot select more than -search.maxSamplesPerQuery=1000000000 samples; possible solutions: …",
    ),
    ("VictoriaMetrics 1.150", 422, "cannot process more than 300000 unique timeseries"),
    (
        "VictoriaMetrics 1.150",
        422,
        "the number of matching timeseries exceeds 30000; either narrow down the search or …",
    ),
    ("Thanos", 422, "exceeded series limit: limit 1000 violated (got 1001)"),
    ("gRPC", 500, "rpc error: code = ResourceExhausted desc = grpc: received message larger than max (5 vs. 4)"),
]
OTHER = [
    (429, "too many outstanding requests"),
    (429, "the request has been rejected because the tenant exceeded the request rate limit, set to 10 requests/s"),
    (400, 'invalid parameter "query": 1:4: parse error: unexpected character'),
    (401, "no org id"),
    (403, "the limit is exceeded"),
    (404, "404 page not found"),
    (422, "unsupported query: the time is too early"),
    (500, "internal error"),
    (503, "service is starting"),
    (502, "bad gateway"),
]


@pytest.mark.parametrize(("server", "status", "words"), TOO_MUCH)
def test_the_words_of_each_store_are_known(server: str, status: int, words: str) -> None:
    assert asks_too_much(httpx.Response(status, text=words)), server
    assert asks_too_much(httpx.Response(status, json={"status": "error", "error": words})), server


@pytest.mark.parametrize(("status", "words"), OTHER)
def test_what_fewer_samples_would_not_help_is_another_error(status: int, words: str) -> None:
    assert not asks_too_much(httpx.Response(status, text=words))
