"""What an answer means, and what its user can do.

The specification wants senders to go by the status alone. Some texts are read all the same, since they tell apart what
the status does not: a receiver that holds newer samples, and one that holds these very samples already. Two of them
come from Prometheus 2.42 as a 500, which a sender that goes by the status would repeat until its time is over.
"""

from __future__ import annotations

from enum import Enum, auto

REFUSED_BY_500 = ("too old sample", "is not unique")
"""What Prometheus 2.42 refuses for good with a status that says the contrary."""
HISTORY_REFUSED = ("out of bounds", "too old sample", "err-mimir-sample-timestamp-too-old")
"""A head takes nothing that is more than an hour older than its newest sample, or than its out-of-order window."""
HELD_ALREADY = (
    "out of order sample",
    "duplicate sample for timestamp",
    "err-mimir-sample-out-of-order",
    "err-mimir-sample-duplicate-timestamp",
)
"""The series has a sample at this time or later."""

TOO_LARGE = ("too big packed request", "too big unpacked request")
"""What VictoriaMetrics says by 400, where others say 413."""
_ABOUT_SAMPLES = (400, 409, 413, 422)  # 409 is what Thanos says to samples out of order

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
_LABELS_MEND = "labels appear twice, are too many or too long for this receiver: mend --labels, or raise its limits"
_LABELS_REFUSED = ("is not unique", "max-label-names", "label-name-too-long", "label-value-too-long", "label limit")
_STATUS_MENDS = {
    200: _ADDRESS_MEND,  # a good answer has no page in it
    404: _ADDRESS_MEND,
    405: _ADDRESS_MEND,
    413: "lower --max-bytes-per-send or --max-samples-per-send",
    415: "the receiver does not take this version of remote write: try another --protocol, or auto",
    429: "the receiver limits the rate: try again later, or have the tenant's limit raised",
}


class Verdict(Enum):
    """What became of a request, as its answer tells."""

    WRITTEN = auto()
    HELD = auto()  # an earlier attempt had written it
    AGAIN = auto()  # another attempt may meet another answer
    SMALLER = auto()  # too large
    OLDER = auto()  # not in this version of the protocol
    REFUSED = auto()


def classify(status: int, words: str, *, doubt: bool, version_2: bool) -> Verdict:
    """The meaning of a status and its text.

    doubt: an attempt before this one may have been written. Then, and only then, a receiver that holds the series up to
    these times holds these samples; "out of bounds" never says so, since the gate keeps our own requests within bounds.
    """
    if 200 <= status < 300:
        return Verdict.WRITTEN
    if doubt and any(refusal in words for refusal in HELD_ALREADY):
        return Verdict.HELD
    if status == 429 or (status >= 500 and not refused_by_500(status, words)):
        return Verdict.AGAIN
    if is_too_large(status, words):
        return Verdict.SMALLER
    return Verdict.OLDER if status == 415 and version_2 else Verdict.REFUSED


def refused_by_500(status: int, words: str) -> bool:
    """Whether a status that promises better says in its text that it never will be."""
    return status >= 500 and any(refusal in words for refusal in REFUSED_BY_500)


def is_too_large(status: int, words: str) -> bool:
    """Whether less of it may be taken."""
    return status == 413 or (status == 400 and any(refusal in words for refusal in TOO_LARGE))


def is_about_samples(status: int, words: str) -> bool:
    """Whether an answer refuses these samples; all others are about us, and would refuse whatever we send."""
    return status in _ABOUT_SAMPLES or refused_by_500(status, words)


def refuses_history(status: int, words: str) -> bool:
    """Whether samples are too old for what the receiver holds besides."""
    return status >= 400 and any(refusal in words for refusal in HISTORY_REFUSED)


def leaves_doubt(status: int, words: str) -> bool:
    """Whether a request with this answer may have been written all the same: who says why it refuses, has not."""
    return status >= 500 and not any(refusal in words for refusal in (*REFUSED_BY_500, *HISTORY_REFUSED, *HELD_ALREADY))


def takes_the_rest(words: str) -> bool:
    """Whether the receiver writes what is good of a request that it refuses: Mimir and its kin do."""
    return "err-mimir" in words and not any(refusal in words for refusal in HELD_ALREADY)


def mend(status: int, words: str) -> str:
    """What to do about an answer of this status and text; empty where nobody knows."""
    if any(refusal in words for refusal in HISTORY_REFUSED):
        return _HISTORY_MEND
    if is_too_large(status, words):
        return _STATUS_MENDS[413]
    if any(refusal in words for refusal in HELD_ALREADY):
        return _HELD_MEND
    if any(refusal in words for refusal in _LABELS_REFUSED):
        return _LABELS_MEND
    return _STATUS_MENDS.get(status, "")
