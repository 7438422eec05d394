"""A checkpoint is there after a crash: whole, or as it was before."""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path

import pytest

from promfill.errors import InputError, OutputError
from promfill.files.checkpoint import Checkpoint, run_name


def test_saved_and_loaded(tmp_path: Path) -> None:
    made = Checkpoint(tmp_path / "a" / "run.json", "name", 1, 2, [0.5], {"steps": 3}, options={"metric_name": "m"})
    made.save()
    loaded = Checkpoint.load(made.path)
    assert loaded == made


def test_lines_are_kept_until_it_is_saved_again(tmp_path: Path) -> None:
    made = Checkpoint(tmp_path / "run.json", "name", 1, 2)
    made.save()
    made.append("0 1")
    made.append("1 1")
    made.close()
    loaded = Checkpoint.load(made.path)
    assert loaded
    assert loaded.lines == ("0 1", "1 1")
    loaded.save()
    again = Checkpoint.load(made.path)
    assert again
    assert again.lines == ()


def test_a_torn_last_line_is_cut(tmp_path: Path) -> None:
    made = Checkpoint(tmp_path / "run.json", "name", 1, 2)
    made.save()
    made.append("0 1")
    made.close()
    with made.path.open("a") as file:
        file.write("1 ")
    loaded = Checkpoint.load(made.path)
    assert loaded
    assert loaded.lines == ("0 1",)


def test_none_and_damaged(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    assert Checkpoint.load(file) is None
    file.write_text("{")
    with pytest.raises(InputError, match="is damaged"):
        Checkpoint.load(file)


def test_a_line_that_cannot_be_written(tmp_path: Path) -> None:
    made = Checkpoint(tmp_path / "run.json", "name", 1, 2)
    with pytest.raises(OutputError, match="cannot write the checkpoint"):
        made.append("0 1")


def test_nothing_to_resume(tmp_path: Path) -> None:
    made = Checkpoint(tmp_path / "run.json", "name", 1, 2)
    made.save()
    made.append("0 1")
    made.remove()
    assert not made.path.exists()


def test_another_run_has_another_name() -> None:
    assert run_name({"start": "now-21d"}) != run_name({"start": "now-7d"})
    assert run_name({"a": 1, "b": 2}) == run_name({"b": 2, "a": 1})


def test_the_name_of_a_new_checkpoint_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines go to the file behind the name: were that lost, they would be as well."""
    synced: list[str] = []
    sync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    if not Path("/proc/self/fd").exists():
        pytest.skip("needs /proc to tell what is synced")
    monkeypatch.setattr(os, "fsync", noted)
    Checkpoint(tmp_path / "run.json", "name", 1, 2).save()
    assert synced[-1] == str(tmp_path)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device: make room, or give another --checkpoint"):
        Checkpoint(tmp_path / "run.json", "name", 1, 2).save()
    assert not [*tmp_path.iterdir()]
