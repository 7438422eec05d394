"""The list of what was generated: a line a path, each once, and no failure where it cannot be kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from promfill.files import generated_list


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_each_path_stands_there_once(folder: Path) -> None:
    generated_list.record(Path("data/a"), Path("data/b"))
    generated_list.record(Path("data/b"), folder / "data" / "a", Path("data/c"))
    assert generated_list.LIST.read_text().splitlines() == ["data/a", "data/b", "data/c"]
    assert generated_list.recorded() == {folder / "data" / name for name in "abc"}


def test_nothing_to_record_makes_no_folder(folder: Path) -> None:
    generated_list.record()
    generated_list.record(Path("a\nb"))
    assert list(folder.iterdir()) == []
    assert generated_list.recorded() == frozenset()


def test_a_folder_that_cannot_be_written_fails_nothing(folder: Path) -> None:
    (folder / ".promfill").write_text("a file")
    generated_list.record(Path("data/a"))
    assert generated_list.recorded() == frozenset()
