"""What real receivers answer to remote write: status, headers and what tells in the text, with server and version.

Long texts are cut to what tells them apart. Mimir 3.0.3, Cortex 1.21 and Prometheus 3.14 cannot be had where the tests
run; Prometheus 2.42 and VictoriaMetrics 1.79 can, and are asked themselves in tests/integration.
"""

from __future__ import annotations

from tests.support.receiver import Answer

WRITTEN = "X-Prometheus-Remote-Write-Samples-Written"


def counted(status: int, text: str, samples: int) -> Answer:
    """An answer of a receiver of 2.0."""
    return Answer(status, text.encode(), {WRITTEN: str(samples), "Content-Type": "text/plain; charset=utf-8"})


MIMIR_3_0_3_SERIES_LIMIT = (
    "failed pushing to ingester ingester-1: user=team-a: per-user series limit of 150 exceeded "
    "(err-mimir-max-series-per-user). To adjust the related per-tenant limit, configure "
    "-ingester.max-global-series-per-user, or contact your service administrator."
)
"""400; beside it the header counts what came in."""

MIMIR_3_0_3_TOO_OLD = (
    "failed pushing to ingester ingester-1: user=team-a: the sample has been rejected because its timestamp is too old "
    "(err-mimir-sample-timestamp-too-old). The affected sample has timestamp {time} and is from series {series}"
)
"""400; what is good of the request is written."""

MIMIR_3_0_3_BURST = (
    "the request has been rejected because the tenant exceeded the ingestion rate limit, set to 10000 items/s with a "
    "maximum allowed burst of {burst}. This limit is applied on the total number of samples, exemplars and metadata "
    "received across all distributors (err-mimir-tenant-max-ingestion-rate). To adjust the related per-tenant limits, "
    "configure -distributor.ingestion-rate-limit and -distributor.ingestion-burst-size, or contact your service "
    "administrator."
)
"""429, however often it comes."""

MIMIR_MAIN_BURST = (
    "the request has been rejected because the tenant exceeded the ingestion burst size limit, set to {burst}, with "
    "{items} items. This limit is applied on the total number of samples, exemplars and metadata received across all "
    "distributors (err-mimir-tenant-max-ingestion-rate)."
)
"""429; Mimir's main branch of 2026 says it so."""

NO_ORG_ID = Answer(401, b"no org id\n")
"""Mimir 3.0.3 and Cortex 1.21 with multitenancy, whatever is asked."""

CORTEX_1_21_NO_VERSION_2 = Answer(
    415,
    b"io.prometheus.write.v2.Request protobuf message is not accepted by this server; only accepts "
    b"prometheus.WriteRequest\n",
)
"""Where remote write 2.0 is not switched on."""

CORTEX_1_21_SERIES_LIMIT = (
    "user=team-a: per-user series limit of 150 exceeded, please contact administrator to raise it (local limit: 0 "
    "global limit: 150 actual local limit: 150)"
)
"""400, counted as 0 in 2.0, although what is good of the request is written."""

PROMETHEUS_3_14_OUT_OF_BOUNDS = "out of bounds for series {series}"
"""400 in 2.0; the rest is written, and counted truly."""

VICTORIAMETRICS_1_150_GOOD = Answer(204, headers={"X-Server-Hostname": "vm"})
"""To a message of 2.0 as well, of which it finds nothing."""

MIMIR_2_17_GOOD = counted(200, "", 0)
"""All is written (grafana/mimir#12622)."""
