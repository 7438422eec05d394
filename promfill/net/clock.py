"""Time, as an argument: what waits is tested on a clock that does not."""

from __future__ import annotations

import threading
import time


class Clock:
    """The real one."""

    def monotonic(self) -> float:
        """Seconds since some moment, never going back."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds, as HTTP dates count them."""
        return time.time()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Sleep for so long, or until the event is set, which is what is returned."""
        return event.wait(seconds)
