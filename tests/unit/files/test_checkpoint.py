"""A checkpoint is there after a crash: whole, or as it was before."""

from __future__ import annotations

import os
from errno import ENOSPC
from pathlib import Path

import pytest

from promfill.errors import InputError, OutputError
from promfill.files.checkpoint import Checkpoint, run_name
from tests.support.disk_steps import recorded_steps


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


def test_a_checkpoint_outlives_a_power_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines go to the file behind the name: were that lost, they would be as well."""
    steps = recorded_steps(tmp_path, monkeypatch)
    Checkpoint(tmp_path / "run.json", "name", 1, 2).save()
    growing = f"run.json.{os.getpid()}"
    assert steps == [("sync", growing), ("rename", growing), ("sync", ".")]


def test_lines_outlive_a_power_cut_a_second_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, now = Checkpoint(tmp_path / "run.json", "name", 1, 2), [1000.0]
    made.save()
    steps = recorded_steps(tmp_path, monkeypatch)
    monkeypatch.setattr("promfill.files.checkpoint.time.monotonic", lambda: now[0])
    write, sync = ("write", "run.json"), ("sync", "run.json")
    for passed, expected in [
        (0.0, [write, sync]),
        (0.5, [write]),
        (0.4, [write]),
        (0.2, [write, sync]),
        (1.0, [write]),
    ]:
        now[0] += passed
        made.append("0 1")
        assert steps == expected, passed
        steps.clear()
    made.close()
    assert steps == [sync]
    made.close()
    assert steps == [sync]


def test_a_checkpoint_that_cannot_be_written_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(ENOSPC, os.strerror(ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left on device: free some disk space, or set another checkpoint"):
        Checkpoint(tmp_path / "run.json", "name", 1, 2).save()
    assert not [*tmp_path.iterdir()]
