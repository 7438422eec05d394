"""Reading again what a store shows with a delay: until all of it is there, or the time for it is over."""

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
"""A running Prometheus looks for new blocks in its directory once a minute."""
FORWARDED_SECONDS = 30.0
"""A forwarder accepts samples first, and sends them on when it can."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long missing samples are waited for, in seconds; the time that reading takes is not counted.

    most: in all. blocks: they are in blocks that the store has yet to load. Until then it may answer a part, or (a
    Mimir) not at all, so all of the time is theirs; else the wait ends when the store has shown no more for as long as
    it may take, or for `least`: what stands before the store may hold them back.
    """

    most: float = 300.0
    blocks: bool = False
    least: float = 0.0

    def for_more(self, report: VerifyReport | None) -> float:
        """Seconds in which at least one more sample must appear."""
        return min(self.most, max(self.least, report.shows_within)) if report and not self.blocks else self.most


def read_until_there(read: Callable[[], VerifyReport], patience: Patience, notices: Notices) -> VerifyReport:
    """The first report that misses nothing, or the last one. ReceiverError: the store cannot be read."""
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
    """The report, or why the store could not be read, where that may pass."""
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
