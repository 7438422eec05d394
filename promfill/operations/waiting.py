"""Repeats a read if a store shows samples late, until all samples are visible or the time is over."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from promfill.errors import ReceiverError, RefusedError
from promfill.scenario.times import format_duration

if TYPE_CHECKING:
    from promfill.operations.notices import Notices
    from promfill.operations.verify import VerifyReport

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0
LOADED_SECONDS = 90.0
"""The wait for blocks: a running Prometheus looks for new blocks in its directory once a minute."""
FORWARDED_SECONDS = 30.0
"""The wait behind a forwarder: it accepts samples first, and sends them on later."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for missing samples, in seconds; the time that reading takes is not counted.

    most: the longest wait in total. blocks: the samples are in blocks that the store still has to load. Until then the
    store may show only some samples, or (Mimir) not answer at all, so the wait lasts up to `most`. Without blocks, it
    ends earlier: when no new sample has appeared for the time that this store may take to show one. least: that time is
    at least this long, because a forwarder in front of the store may hold samples back.
    """

    most: float = 300.0
    blocks: bool = False
    least: float = 0.0

    def for_more(self, report: VerifyReport | None) -> float:
        """Seconds within which at least one more sample must appear; otherwise the wait ends."""
        return min(self.most, max(self.least, report.shows_within)) if report and not self.blocks else self.most


def read_until_there(read: Callable[[], VerifyReport], patience: Patience, notices: Notices) -> VerifyReport:
    """Read until no sample is missing or the time is over; return the last report. ReceiverError: the read failed."""
    best: VerifyReport | None = None
    waited = idle = 0.0
    pause = FIRST_PAUSE
    while True:
        started = time.monotonic()
        report, error = _try(read, patience)
        if report and (best is None or report.absent < best.absent):
            best, idle = report, 0.0
        left = min(patience.for_more(best) - idle, patience.most - waited)
        if (report and not report.absent) or left <= 0:
            if error:
                raise error
            assert report is not None
            return replace(report, waited=waited)
        if not waited and left > FIRST_PAUSE:
            notices.note(f"{_what_is_not_there(report, error)}; waiting up to {format_duration(round(left) * 1000)}")
        pause = min(max(pause, time.monotonic() - started), left)
        time.sleep(pause)
        waited, idle, pause = waited + pause, idle + pause, min(LONGEST_PAUSE, pause * 1.5)


def _try(read: Callable[[], VerifyReport], patience: Patience) -> tuple[VerifyReport | None, ReceiverError | None]:
    """Read once. Returns the report, or the error if a later read may succeed; raises all other errors."""
    try:
        return read(), None
    except RefusedError:
        raise
    except ReceiverError as error:
        if not patience.blocks:
            raise
        return None, error


def _what_is_not_there(report: VerifyReport | None, error: ReceiverError | None) -> str:
    if report is None:
        return f"the samples cannot be read yet ({error.marked if error else 'no answer'})"
    return f"{report.absent:,} of {report.expected:,} samples are not in {report.store} yet"
