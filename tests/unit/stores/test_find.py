from __future__ import annotations

import pytest

from promfill.net.http import make_client
from promfill.net.resolve import build_destination
from promfill.stores.api import Api, selector
from promfill.stores.find import query_url_beside, store_name
from tests.support.receiver import Answer, Receiver, Taken


@pytest.mark.parametrize(
    ("push", "query"),
    [
        ("http://host:9090/api/v1/write", "http://host:9090"),
        ("http://host:9090/prefix/api/v1/write/", "http://host:9090/prefix"),
        ("http://host:8428/prometheus/api/v1/write?x=1", "http://host:8428/prometheus"),
        ("https://mimir/api/v1/push", "https://mimir/prometheus"),
        ("https://cloud.example/api/prom/push", "https://cloud.example/api/prom"),
        ("http://vm/insert/0/prometheus/api/v1/write", "http://vm/select/0/prometheus"),
        ("http://vm/x/insert/3:7/prometheus/api/v1/write", "http://vm/x/select/3:7/prometheus"),
        ("http://host/api/v1/receive", None),
        ("http://host/", None),
    ],
)
def test_the_query_address_beside_a_push_address(push: str, query: str | None) -> None:
    assert query_url_beside(push) == query


def test_a_selector_escapes_what_promql_wants_escaped() -> None:
    assert selector((("__name__", "m"), ("a", 'x"\\\n'))) == '{__name__="m",a="x\\"\\\\\\n"}'


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (b"{}", "VictoriaMetrics"),  # 1.79
        (b'{"version":"2.24.0"}', "VictoriaMetrics"),  # newer ones
        (b'{"version":"2.42.0","goVersion":"go1.19"}', "Prometheus"),
    ],
)
def test_a_victoriametrics_whose_header_was_lost_on_the_way(build: bytes, name: str) -> None:
    """A proxy before it drops what it does not know."""

    def answer(request: Taken) -> Answer:
        if request.path == "/api/v1/status/buildinfo":
            return Answer(200, b'{"status":"success","data":' + build + b"}")
        if request.path == "/metrics":
            return Answer(200, b'vm_app_version{version="victoria-metrics-20220722-tags-v1.79.0"} 1\n')
        return Answer(404)

    with Receiver(answer) as receiver:
        destination = build_destination(receiver.url, environment={})
        with make_client(destination, 5.0) as client:
            assert store_name(Api(client, receiver.url.removesuffix("/api/v1/write"))) == name
