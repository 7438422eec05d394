from __future__ import annotations

import pytest

from promfill.stores.api import selector
from promfill.stores.find import query_url_beside


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
