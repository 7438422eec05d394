"""A check that fails with a message, and that also works under ``python -O``."""

from __future__ import annotations


def check(right: bool, words: str) -> None:
    """Raise an AssertionError with this message if the condition is false."""
    if not right:
        raise AssertionError(words)
