"""Blocks from text, as a library makes them."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from promfill.errors import InputError
from promfill.operations.create_blocks import BlocksFromText, CreatedBlocks, create_blocks_from_text

TEXT = "# HELP m A metric\n# TYPE m gauge\n" + "".join(f'm{{i="a"}} {n} {1_700_000_000 + 60 * n}\n' for n in range(300))


def quiet(phase: str, done: int, total: int | None, samples: int) -> None:
    """Nobody listens."""


def make(tmp_path: Path, text: str, **more: object) -> tuple[list[Path], CreatedBlocks]:
    source = tmp_path / "text.txt"
    source.write_text(text)
    told: list[Path] = []

    def about(paths: list[Path]) -> None:
        assert not [path for path in paths if path.exists()], "they are told before they are there"
        told.extend(paths)

    wanted = BlocksFromText(tmp_path / "data", **more)  # type: ignore[arg-type]
    return told, create_blocks_from_text(str(source), wanted, quiet, about)


def test_blocks_are_told_before_they_are_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    told, made = make(tmp_path, f"{TEXT}# EOF\n", labels={"job": "x"})
    assert made.report.samples == 300
    assert sorted(told) == sorted((tmp_path / "data").iterdir())
    assert "metadata" in [finding.kind for finding in made.findings]
    assert list(Path.cwd().iterdir()) == [], "a library writes nothing that was not asked for"


def test_text_that_is_not_good_makes_nothing(tmp_path: Path) -> None:
    for bad in ("m{ 1\n# EOF\n", f"m 1 {time.time() + 1e6}\n# EOF\n"):
        with pytest.raises(InputError):
            make(tmp_path, bad)
        assert not (tmp_path / "data").exists()
