"""The order of requests in flight, whatever the number of lanes.

**A request may begin when its newest sample is at most `slack` newer than the oldest sample that is not yet
acknowledged.** Then no head can have moved on so far that it refuses what is still under way.

Requests are announced in the order in which they are made, by time; so a request that is not announced yet is never
older than one that is. The oldest of all announced requests stands first in its lane, because lanes keep the order, and
the plan makes no window of several requests wider than the slack: so that one can begin, and none waits for ever.
"""

from __future__ import annotations

import math
import threading


class StoppedError(Exception):
    """The push has ended: send nothing more."""


class Gate:
    """Holds requests back. `slack` in ms; math.inf lets all through."""

    def __init__(self, slack: float) -> None:
        self.slack = slack
        self._oldest: dict[int, int] = {}
        self._changed = threading.Condition()
        self._waiting = 0
        self._stopped = False

    def announce(self, request: int, oldest: int) -> None:
        """Announce a request, by the time (ms) of its oldest sample."""
        with self._changed:
            self._oldest[request] = oldest

    def enter(self, request: int, newest: int) -> None:
        """Return when the request may begin. StoppedError once nothing may begin any more."""
        with self._changed:
            self._waiting += 1
            self._changed.wait_for(lambda: self._stopped or self._may_begin(request, newest))
            self._waiting -= 1
            if self._stopped:
                raise StoppedError

    def leave(self, request: int) -> None:
        """The request is acknowledged, or was given up."""
        with self._changed:
            del self._oldest[request]
            self._wake()

    def open(self) -> None:
        """Let requests begin in any order: the receiver accepts that."""
        with self._changed:
            self.slack = math.inf
            self._wake()

    def stop(self) -> None:
        """Let nothing begin any more."""
        with self._changed:
            self._stopped = True
            self._wake()

    def _may_begin(self, request: int, newest: int) -> bool:
        others = (oldest for other, oldest in self._oldest.items() if other != request)
        return newest - min(others, default=newest) <= self.slack

    def _wake(self) -> None:
        if self._waiting:
            self._changed.notify_all()
