"""One deadline for all of a request, which httpx does not have: its timeouts are per read, write and connection.

A thread sleeps until the deadline of the request that was under way when it fell asleep, and looks what is due then.
So a request costs it nothing: no thread is started, and none is woken but once in the time that a request may take.
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
    """Breaks a connection off, whatever it is doing, when its request has had its time."""

    def __init__(self) -> None:
        self.passed = False
        self._socket: socket.socket | None = None
        self._changed = threading.Condition()
        self._due = self._wakes = math.inf
        self._thread: threading.Thread | None = None
        self._closed = self._ended = False

    def trace(self, event: str, info: Mapping[str, Any]) -> None:
        """httpx's trace hook: learns of every new connection."""
        if event.endswith(_CONNECTED):
            self._socket = info["return_value"].get_extra_info("socket")
            if self.passed:  # a connection cannot be broken off while it is made
                self.cut()

    @contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """Give the block so many seconds; `passed` tells whether they ran out."""
        self._arm(time.monotonic() + seconds)
        try:
            yield
        finally:
            self._due = math.inf

    def cut(self) -> None:
        """The time is over."""
        self.passed = True
        if self._socket is not None:
            with suppress(OSError):  # it may have ended by itself
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)  # below TLS, whose own shutdown would wait

    def end(self) -> None:
        """The time is over, and every block that follows has none."""
        self._ended = True
        self.cut()

    def close(self) -> None:
        """Let the thread go."""
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
