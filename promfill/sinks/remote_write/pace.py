"""A rate limit: samples per second, over all lanes."""

from __future__ import annotations

import threading


class Pace:
    """Assigns moments at which requests may begin, so that no more than `limit` samples/s are sent on average."""

    def __init__(self, limit: float | None) -> None:
        self._limit = limit
        self._next = 0.0
        self._lock = threading.Lock()

    def delay(self, samples: int, now: float) -> float:
        """Seconds that a request of so many samples has to wait. now: monotonic seconds."""
        if self._limit is None:
            return 0.0
        with self._lock:
            begins = max(now, self._next)
            self._next = begins + samples / self._limit
            return begins - now
