"""A check that fails in words, also under ``python -O``."""

from __future__ import annotations


def check(right: bool, words: str) -> None:
    """AssertionError with these words unless it is right."""
    if not right:
        raise AssertionError(words)
