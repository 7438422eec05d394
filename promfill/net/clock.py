"""Time as an argument: code that waits is tested with a clock that does not wait."""

from __future__ import annotations

import threading
import time


class Clock:
    """The real clock."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment; they never go back."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds, as HTTP dates count them."""
        return time.time()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        """Sleep for this long, or until the event is set; returns whether it was set."""
        return event.wait(seconds)
