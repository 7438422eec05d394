"""What an answer means, and what the user can do about it.

The specification wants senders to go by the status alone. Some texts are read all the same: they tell apart what the
status does not, a receiver that holds newer samples and one that already holds these very samples. Two of them
come from Prometheus 2.42 as a 500, which a sender that goes by the status would repeat until its time is over.
"""

from __future__ import annotations

import re
from enum import Enum, auto

from promfill.errors import setting
from promfill.net.http_answers import passing

REFUSED_BY_500 = ("too old sample", "is not unique")
"""What Prometheus 2.42 refuses permanently, although its status says the opposite."""
HISTORY_REFUSED = ("out of bounds", "too old sample", "err-mimir-sample-timestamp-too-old")
"""A head accepts nothing that is more than an hour, or its out-of-order window, older than its newest sample."""
HELD_ALREADY = (
    "out of order sample",
    "duplicate sample for timestamp",
    "err-mimir-sample-out-of-order",
    "err-mimir-sample-duplicate-timestamp",
)
"""The series has a sample at this time or later."""

TOO_LARGE = ("too big packed request", "too big unpacked request")
"""What VictoriaMetrics says with a 400, where others send a 413."""
MIMIR = "err-mimir-"
"""Part of every refusal by Mimir."""
_COUNTED = (
    *("out of bounds", "too old sample", "out of order sample", "duplicate sample for timestamp"),
    *("invalid metric name or labels", "invalid labels for series", "too far in the future"),
)
"""Refusals by Prometheus and Cortex with a count of what was written. Mimir counts what came in instead."""
_SERIES_LIMIT = ("max-series-per-user", "max-series-per-metric", "per-user series limit", "per-metric series limit")
_BURST = re.compile(r"burst of (\d+)|burst size limit, set to (\d+)")
_INGESTER = re.compile(r"\buser=\S+: ")
"""Stands before the words of an ingester of Mimir or Cortex, which writes the good part of a request."""
_ABOUT_SAMPLES = (400, 409, 413, 422)  # 409 is what Thanos says to samples out of order

_BLOCKS = f"use {setting('mode', 'blocks')}, or "
_HISTORY_FIX = (
    f"the receiver holds newer samples, and refuses history beside them: {_BLOCKS}"
    "give the receiver an out-of-order window (out_of_order_time_window) that reaches back to the start"
)
_HELD_FIX = (
    "the receiver holds samples of these series at these times or later: if an earlier push sent them, nothing is "
    f"missing; else {_BLOCKS}give the receiver an out-of-order window (out_of_order_time_window)"
)
_DUPLICATES = ("duplicate sample for timestamp", "err-mimir-sample-duplicate-timestamp")
_DUPLICATE_FIX = (
    "the receiver holds other values of these series at these times: if an earlier push sent them, nothing is "
    "missing; else add a label that distinguishes this push, or delete those series first"
)
_AHEAD_FIX = (
    "the request holds samples in the future, and receivers accept a few minutes of that at most: "
    f"use an earlier {setting('end')}"
)
_AHEAD_REFUSED = ("out of bounds", "too far in the future", "too-far-in-future")
_ADDRESS_FIX = (
    f"set {setting('remote_write_url')} to the full push URL: /api/v1/write of a Prometheus that was started with "
    "--web.enable-remote-write-receiver and of VictoriaMetrics, /api/v1/push of Mimir, /api/prom/push of Grafana Cloud"
)
_LABELS_FIX = (
    f"labels appear twice, are too many or too long for this receiver: check {setting('labels')}, or raise its limits"
)
_LABELS_REFUSED = ("is not unique", "max-label-names", "label-name-too-long", "label-value-too-long", "label limit")
_BURST_FIX = (
    "a request is larger than the tenant's burst limit ({0}): "
    f"set {setting('max_samples_per_send', '{0}')}, or have it raised"
)
_SERIES_LIMIT_FIX = "the tenant may not have more series: push fewer, remove old ones, or raise the limit"
_STATUS_FIXES = {
    200: _ADDRESS_FIX,  # a good answer contains no HTML page
    404: _ADDRESS_FIX,
    405: _ADDRESS_FIX,
    410: _ADDRESS_FIX,
    501: _ADDRESS_FIX,
    413: f"lower {setting('max_bytes_per_send')} or {setting('max_samples_per_send')}",
    415: f"the receiver does not accept this version of remote write: try another {setting('protocol')}, or auto",
    429: "the receiver limits the rate: try again later, or have the tenant's limit raised",
}


class Verdict(Enum):
    """What became of a request, according to its answer."""

    WRITTEN = auto()
    FOUND = auto()  # the receiver was queried, and holds all of it
    HELD = auto()  # the receiver holds these series at these times, or later
    TOO_OLD = auto()  # older than what the receiver accepts beside newer samples
    REFUSED = auto()  # anything else is wrong with the samples
    SMALLER = auto()  # too large
    OLDER = auto()  # the receiver does not read this version of the protocol
    WIDE = auto()  # not sent: parts of it may be there, and it is wider than the slack
    AGAIN = auto()  # another attempt may get another answer
    OURS = auto()  # the request's address or credentials are wrong, not its samples


def classify(status: int, words: str, *, doubt: bool, version_2: bool, samples: int = 0) -> Verdict:
    """What a status and its text mean for a request with so many samples.

    doubt: an earlier attempt may have been written. Then, and only then, a receiver that holds the series up to
    these times holds these samples; "out of bounds" never says so, since the gate keeps our own requests within bounds.
    """
    if 200 <= status < 300:
        return Verdict.WRITTEN
    if doubt and any(refusal in words for refusal in HELD_ALREADY):
        return Verdict.HELD
    if exceeds_burst(words, samples):
        return Verdict.SMALLER
    if passing(status) and not refused_by_500(status, words):
        return Verdict.AGAIN
    if is_too_large(status, words):
        return Verdict.SMALLER
    return Verdict.OLDER if status == 415 and version_2 else Verdict.REFUSED


def refusal_of(status: int, words: str) -> Verdict:
    """What a refusal is about."""
    if not is_about_samples(status, words):
        return Verdict.OURS
    if refuses_history(status, words):
        return Verdict.TOO_OLD
    return Verdict.HELD if is_held_already(words) else Verdict.REFUSED


def refused_by_500(status: int, words: str) -> bool:
    """Whether the text says that a repetition will be refused too, although the status promises otherwise."""
    return status >= 500 and any(refusal in words for refusal in REFUSED_BY_500)


def is_too_large(status: int, words: str) -> bool:
    """Whether a smaller request may be accepted."""
    return status == 413 or (status == 400 and any(refusal in words for refusal in TOO_LARGE))


def exceeds_burst(words: str, samples: int) -> bool:
    """Whether one request alone exceeds a rate limit: it would be refused whenever it is sent.

    Each metadata entry counts as one sample.
    """
    burst = _burst_of(words)
    return burst is not None and (samples > burst or samples == burst > 1)


def _burst_of(words: str) -> int | None:
    found = _BURST.search(words) if "tenant-max-ingestion-rate" in words else None
    return int(found[1] or found[2]) if found else None


def is_about_samples(status: int, words: str) -> bool:
    """Whether an answer refuses these samples; any other refusal would meet whatever else we send."""
    return status in _ABOUT_SAMPLES or refused_by_500(status, words)


def refuses_history(status: int, words: str) -> bool:
    """Whether samples are too old beside what the receiver holds."""
    return status >= 400 and any(refusal in words for refusal in HISTORY_REFUSED)


def wants_order(words: str) -> bool:
    """Whether a receiver that finds samples too old accepts no series out of order either: newer ones must go last."""
    return "out of bounds" in words and MIMIR not in words and _INGESTER.search(words) is None


def leaves_doubt(status: int, words: str) -> bool:
    """Whether a request with this answer may have been written after all; not if the receiver says why it refuses."""
    return ((status >= 500 and passing(status)) or status == 499) and not any(
        refusal in words for refusal in (*REFUSED_BY_500, *HISTORY_REFUSED, *HELD_ALREADY)
    )


def is_held_already(words: str) -> bool:
    """Whether the receiver has a sample of the series at this time or later."""
    return any(refusal in words for refusal in HELD_ALREADY)


def counts_truly(words: str) -> bool:
    """Whether a receiver that refuses in these words has written exactly the samples that its header counts."""
    takes_some = MIMIR in words or _INGESTER.search(words) is not None  # Cortex says 0 beside what it has written
    return not takes_some and any(refusal in words for refusal in _COUNTED)


def may_have_taken_some(words: str, written: int | None) -> bool:
    """Whether the receiver may have written part of what it refuses, without telling how much."""
    if counts_truly(words):
        return False
    return bool(written) or MIMIR in words or _INGESTER.search(words) is not None


def writes_what_is_good(words: str, written: int | None) -> bool:
    """Whether the receiver writes the good part of a request that it refuses, as Mimir, Cortex and all that count do.

    written: how many samples the receiver says, beside these words, that it has written.
    """
    return bool(written) or MIMIR in words or _INGESTER.search(words) is not None


def find_fix(status: int, words: str, *, newest: int = 0, last: int = 0, now: int = 0) -> str:
    """The fix for an answer with this status and text; empty where none is known.

    newest, last: the newest sample of the request and of the push, ms. now: ms. Blocks that end after now delete what
    is there, so no fix suggests them.
    """
    if newest > now and any(refusal in words for refusal in _AHEAD_REFUSED):
        return _AHEAD_FIX
    fix = _find_fix(status, words)
    return fix.replace(_BLOCKS, "") if last > now else fix


def _find_fix(status: int, words: str) -> str:
    if any(refusal in words for refusal in HISTORY_REFUSED):
        return _HISTORY_FIX
    if is_too_large(status, words):
        return _STATUS_FIXES[413]
    if (burst := _burst_of(words)) is not None:
        return _BURST_FIX.format(burst)
    if any(limit in words for limit in _SERIES_LIMIT):
        return _SERIES_LIMIT_FIX
    if any(refusal in words for refusal in _DUPLICATES):
        return _DUPLICATE_FIX
    if any(refusal in words for refusal in HELD_ALREADY):
        return _HELD_FIX
    if any(refusal in words for refusal in _LABELS_REFUSED):
        return _LABELS_FIX
    return _STATUS_FIXES.get(status, "")
