"""The tsdb commands at bad input and at nothing: what they say. What they print of blocks: tests/integration."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import PUSH, Promfill


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("dump", "--min-time", str(1 << 63)), "--min-time 9223372036854775808 is not a valid time"),
        (("dump", "--max-time", "1e3"), "'1e3' is not a valid integer"),
        (("dump", "--match", "{"), "selector '{'"),
        (("dump", "nowhere"), "nowhere is not a directory"),
        (("list", "nowhere"), "nowhere is not a directory"),
        (("analyze", "."), ". does not contain any block: give the directory"),
        (("analyze", ".", "01"), ". does not contain the block 01: run promfill tsdb list"),
        (("verify", "."), ". holds no block: name a block, or a directory"),
        (("create-blocks-from", "openmetrics", ""), "INPUT is empty"),
    ],
)
def test_bad_input_is_one_line(promfill: Promfill, words: tuple[str, ...], error: str) -> None:
    result = promfill("tsdb", *words)
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1)
    assert result.err.startswith("promfill: error: ")
    assert error in result.err
    assert list(Path().iterdir()) == []


def test_a_dump_of_nothing_says_why(promfill: Promfill) -> None:
    empty = promfill("tsdb", "dump", ".")
    assert (empty.code, empty.out, empty.err) == (0, "", ". contains no readable block, so nothing is printed\n")
    promfill(*PUSH)
    turned = promfill("tsdb", "dump", "--min-time", "5", "--max-time", "1")
    assert (turned.code, turned.out) == (0, "")
    assert turned.err == "promfill: warning: --min-time is after --max-time: no samples are in this range\n"


def test_chunks_of_another_user(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not damage: what cannot be listed is not missing."""
    promfill(*PUSH)

    def refuse_chunks(list_directory: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def listed(path: Any) -> Any:
            if Path(path).name == "chunks":
                raise PermissionError(13, "Permission denied", str(path))
            return list_directory(path)

        return listed

    for name in ("listdir", "scandir"):  # pathlib lists by the one before Python 3.13, by the other since
        monkeypatch.setattr(os, name, refuse_chunks(getattr(os, name)))
    result = promfill("tsdb", "dump")
    assert result.code == 2
    assert "cannot be read: Permission denied" in result.err
