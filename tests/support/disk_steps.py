"""What is written, synced and renamed below a directory, in order: what a power cut would have left at each moment.

A sync is reported by the name that the file has at that time. Descriptors have names where there is a /proc.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from promfill.files import checkpoint

Step = tuple[str, str]
"""``write``, ``sync`` or ``rename``, and the path that it was done to; of a rename the older name."""


def recorded_steps(directory: Path, monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """A list that grows with every step taken from now on. Writes are those by ``os.write``."""
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("needs /proc to tell what is synced")
    steps: list[Step] = []

    def by_descriptor(word: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(descriptor: int, *more: Any) -> Any:
            path = Path(f"/proc/self/fd/{descriptor}").readlink()
            if path.is_relative_to(directory):
                steps.append((word, str(path.relative_to(directory))))
            return call(descriptor, *more)

        return recorded

    def by_path(call: Callable[..., Any]) -> Callable[..., Any]:
        def recorded(source: Path, target: Path, **more: Any) -> Any:
            steps.append(("rename", str(Path(source).relative_to(directory))))
            return call(source, target, **more)

        return recorded

    monkeypatch.setattr(os, "write", by_descriptor("write", os.write))
    monkeypatch.setattr(os, "fsync", by_descriptor("sync", os.fsync))
    monkeypatch.setattr(checkpoint, "_sync", by_descriptor("sync", checkpoint._sync))
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, by_path(getattr(os, name)))
    return steps
