"""One deadline for a whole request. httpx has none: its timeouts are per read, write and connection.

A thread sleeps until the deadline of the current request, then checks whether a later one is running. So requests are
cheap: none starts a thread, and the thread wakes at most once per timeout.
"""

from __future__ import annotations

import math
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any

_CONNECTED = (".connect_tcp.complete", ".start_tls.complete")


class Watch:
    """Closes a connection, whatever it is doing, when the deadline of its request has passed."""

    def __init__(self) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._changed = threading.Condition()
        self._due = self._wakes = math.inf
        self._thread: threading.Thread | None = None
        self._closed = self._ended = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpx's trace hook: sees every new connection."""
        if event.endswith(_CONNECTED):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.passed:  # a connection cannot be closed while it is being made
                self.cut()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give the block this many seconds; `passed` says whether they ran out."""
        self._arm(time.monotonic() + seconds)
        try:
            yield
        finally:
            self._due = math.inf

    def cut(self) -> None:
        """The deadline has passed: close the connection."""
        self.passed = True
        if self._socket is not None:
            with suppress(OSError):  # it may have ended by itself
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, whose own shutdown would wait

    def end(self) -> None:
        """Close the connection now, and give every later block no time at all."""
        self._ended = True
        self.cut()

    def close(self) -> None:
        """End the thread."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _arm(self, due: float) -> None:
        with self._changed:
            self.passed = self._ended
            self._due = due
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadline", daemon=True)
                self._thread.start()
            elif due < self._wakes:
                self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                if self._due <= time.monotonic():
                    self._due = math.inf
                    self.cut()
                self._wakes = self._due
                self._changed.wait(None if self._wakes == math.inf else self._wakes - time.monotonic())
