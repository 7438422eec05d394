"""A thread that delivers over a connection of its own. The next message waits here while one is under way.

The thread itself decides how to go on: on a busy machine, waking another one between two requests costs more than HTTP.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for

from promfill.sinks.remote_write.message import Message

AHEAD = 1
"""How many messages wait behind the one under way."""
GRACE_SECONDS = 1.0
"""How long an answer may still take when the push is ended, in seconds."""


class Lane:
    """Delivers messages one after the other, in order; after the first that fails, nothing more is sent."""

    def __init__(self, deliver: Callable[[Message], None]) -> None:
        self._deliver = deliver
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="lane")
        self._pending: deque[Future[None]] = deque()
        self._over = False

    def send(self, message: Message) -> None:
        """Queue the message, and wait while the queue is full. Raises what `deliver` raised for an earlier one."""
        self._pending.append(self._thread.submit(self._next, message))
        self.settle(1 + AHEAD)

    def settle(self, most: int = 0) -> None:
        """Wait until no more than `most` messages are undelivered. Raises what `deliver` raised."""
        while len(self._pending) > most:
            self._pending[0].result()  # an interrupt leaves it queued for `close`
            self._pending.popleft()

    def end(self) -> None:
        """Begin nothing more."""
        self._over = True

    def close(self, break_off: Callable[[], None], grace: float = GRACE_SECONDS) -> None:
        """Send nothing more. What is under way gets `grace` seconds; then `break_off` has to end it."""
        self.end()
        if wait_for(self._pending, grace).not_done:
            break_off()
        self._thread.shutdown()

    def _next(self, message: Message) -> None:
        if self._over:
            return
        try:
            self._deliver(message)
        except BaseException:
            self._over = True
            raise
