"""What became of the samples of a push, counted by all lanes."""

from __future__ import annotations

import re
import threading
from collections import Counter
from typing import Any

from promfill.protocols import SinkReport
from promfill.sinks.remote_write.message import Message

REASONS = 10
"""How many different reasons are kept apart, by `kind_of`."""
_LABELS = re.compile(r"\{(?:[^{}\"]|\"(?:[^\"\\]|\\.)*\"?)*\}?")
_VARYING = re.compile(r"\"(?:[^\"\\]|\\.)*\"?|'[^']*'?|\d[\d.,:TZ+-]*")
OTHER_REASONS = "other reasons"


class Tally:
    """Keeps a `SinkReport`. Its details, all of this run:

    requests, bytes_raw (before compression), bytes_sent; protocol; acknowledged, already_there, rejected_samples:
    samples; rejected: these by kind of reason, in the receiver's words to the first of each kind; retries: attempts
    after the first; answers_lost: attempts that got no answer and may have been written; divided: requests that were
    too large; where they apply, receiver, counted (samples that a receiver of 2.0 says it has written), not_counted
    (samples of good answers that it does not say it has written), perhaps_twice (samples of a receiver that keeps,
    or may keep, what is sent twice, and could not be queried) and unanswered (samples of requests whose result was
    unknown when the push ended).
    """

    def __init__(self) -> None:
        names = ("requests", "bytes_raw", "bytes_sent", "acknowledged", "already_there", "rejected_samples")
        details: dict[str, Any] = dict.fromkeys((*names, "retries", "answers_lost", "divided"), 0)
        self.report = SinkReport(details={**details, "rejected": {}})
        self._lock = threading.Lock()
        self._reasons: Counter[str] = Counter()
        self._kinds: dict[str, str] = {}

    def written(self, message: Message, samples: int) -> None:
        """The receiver accepted so many samples of the message."""
        with self._lock:
            self._arrived(samples, "acknowledged")
            self._count("requests", 1)
            self._count("bytes_raw", message.raw)
            self._count("bytes_sent", len(message.body))
            self.report.bytes += len(message.body)

    def held(self, samples: int) -> None:
        """An attempt whose answer was lost had written these samples."""
        with self._lock:
            self._arrived(samples, "already_there")

    def rejected(self, samples: int, reason: str) -> None:
        """The receiver refused samples permanently, and the push goes on without them."""
        with self._lock:
            self._count("rejected_samples", samples)
            if len(self._kinds) < REASONS:
                self._kinds.setdefault(kind_of(reason), reason)
            self._reasons[self._kinds.get(kind_of(reason), OTHER_REASONS)] += samples
            self.report.details["rejected"] = dict(self._reasons)

    def count(self, name: str, number: int = 1) -> None:
        """Add to any other of the details."""
        with self._lock:
            self._count(name, number)

    def note(self, name: str, value: str) -> None:
        """Set one of the details."""
        with self._lock:
            self.report.details[name] = value

    def _arrived(self, samples: int, how: str) -> None:
        self.report.samples += samples
        self._count(how, samples)

    def _count(self, name: str, number: int) -> None:
        self.report.details[name] = self.report.details.get(name, 0) + number


def kind_of(reason: str) -> str:
    """The part of a refusal that does not vary with labels, names in quotes, times and numbers."""
    return _VARYING.sub("#", _LABELS.sub("{}", reason.replace("…", "")))
