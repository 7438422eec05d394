"""What a refusal means, and what its user can do.

The specification wants senders to go by the status alone. Two texts are read all the same, since they tell apart what
cannot be told from a 400: a receiver that holds newer samples, and one that holds these very samples already.
"""

from __future__ import annotations

HISTORY_REFUSED = ("out of bounds", "too old sample", "err-mimir-sample-timestamp-too-old")
"""A head takes nothing that is more than an hour older than its newest sample, or than its out-of-order window."""
HELD_ALREADY = (
    "out of order sample",
    "duplicate sample for timestamp",
    "err-mimir-sample-out-of-order",
    "err-mimir-sample-duplicate-timestamp",
)
"""The series has a sample at this time or later."""

_HISTORY_MEND = (
    "the receiver holds newer samples, and refuses history beside them: use --mode blocks, "
    "or give the receiver an out-of-order window (out_of_order_time_window) that reaches back to the start"
)
_HELD_MEND = (
    "the receiver holds samples of these series at these times or later: if they are of an earlier push, it is there; "
    "else use --mode blocks, or give the receiver an out-of-order window (out_of_order_time_window)"
)
_ADDRESS_MEND = (
    "give the full push URL by --remote-write-url: /api/v1/write of a Prometheus that was started with "
    "--web.enable-remote-write-receiver and of VictoriaMetrics, /api/v1/push of Mimir, /api/prom/push of Grafana Cloud"
)
_STATUS_MENDS = {
    200: _ADDRESS_MEND,  # a good answer has no page in it
    404: _ADDRESS_MEND,
    405: _ADDRESS_MEND,
    413: "lower --max-bytes-per-send or --max-samples-per-send",
    415: "the receiver does not take remote write 1.0",
    429: "the receiver limits the rate: try again later, or have the tenant's limit raised",
}


def mend(status: int, words: str) -> str:
    """What to do about an answer of this status and text; empty where nobody knows."""
    if any(refusal in words for refusal in HISTORY_REFUSED):
        return _HISTORY_MEND
    if any(refusal in words for refusal in HELD_ALREADY):
        return _HELD_MEND
    return _STATUS_MENDS.get(status, "")
