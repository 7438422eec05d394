"""What an upload is given: blocks twice, an empty address."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.cli import PUSH, Promfill


def test_two_copies_of_a_block_are_refused(promfill: Promfill) -> None:
    assert promfill(*PUSH).code == 0
    shutil.copytree("data", "copy")
    result = promfill("upload", "data", "copy", "--upload", "http://127.0.0.1:9")
    assert result.code == 2
    assert "are both block" in result.err
    assert promfill("upload", "data", "data", "--upload", "http://127.0.0.1:9", "--dry-run").code == 0


def test_an_empty_address_is_none(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENV", "scale")
    assert promfill(*PUSH, "--upload", "").code == 0
    assert len(list(Path("data").iterdir())) == 2
    result = promfill("upload", "data", "--upload", "")
    assert result.code == 2
    assert "--upload is missing" in result.err
