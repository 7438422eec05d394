"""What a Prometheus does with blocks because of their times: its log, its clock, its retention. Times in Unix ms.

A block's end is its maxTime, which is not included: a block whose newest sample is at t ends at t + 1.
Source: prometheus/prometheus, tsdb/db.go (BeyondTimeRetention, reload) and tsdb/head.go (Init), 2.42 and main of 2026;
confirmed with 2.42 (tests/integration/test_future_blocks.py).
"""

from __future__ import annotations

from promfill.scenario.times import UNITS_MS

LOG_MS = 3 * UNITS_MS["h"]
"""The maximum age of samples in a write-ahead log: a head keeps two to three hours."""

LOG_WORDS = "the newest block ends within the last 3 hours"

RUNNING_AND_STARTING = (
    "a running Prometheus loads them within a minute, a starting one at once; both then delete the blocks that end "
    "more than their retention earlier, and after their next restart at the latest, refuse every new sample before "
    "that end and drop the samples of that time in their log"
)
"""What happens if blocks end after now."""

BLINDS = "with blocks that end after now a Prometheus deletes older blocks and refuses new samples until that end"
"""The same, in short."""


def is_future(end: int, now: int) -> bool:
    """Whether a block that ends at `end` holds a sample after now. A newest sample exactly at now does not count."""
    return end - 1 > now


def reaches_log(end: int, now: int) -> bool:
    """Whether a Prometheus may have samples before this end in its log, which it drops at its next start."""
    return end > now - LOG_MS


def is_deleted(end: int, newest: int, retention: int, *, keeps_at_border: bool) -> bool:
    """Whether a block that ends at `end` is deleted if the newest one ends at `newest`.

    keeps_at_border: a block whose age equals the retention exactly is kept, as before 2.52.
    """
    return newest - end > (retention if keeps_at_border else retention - 1)
