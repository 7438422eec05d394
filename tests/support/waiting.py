"""Waiting for what another process or thread does, as long as a busy machine may need."""

from __future__ import annotations

import time
from collections.abc import Callable

PATIENCE = 60.0


def wait_for(reached: Callable[[], bool]) -> None:
    """Return when it is so; fail where that takes longer than anything should."""
    ends = time.monotonic() + PATIENCE
    while not reached():
        assert time.monotonic() < ends, "it did not come"
        time.sleep(0.01)
