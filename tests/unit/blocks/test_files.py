"""A block on its way to the disk: what is synced, and that all of it is before the block gets its name."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from promfill.blocks import files as block_files
from promfill.blocks.files import BlockFiles, publish
from promfill.codecs.block.meta import BlockMeta, BlockStats, decode_meta
from promfill.codecs.block.segment import SEGMENT_MAX
from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from tests.support.disk_steps import Step, recorded_steps

NAME, OTHER = "01M86VBYCAGN0NVX0WYDKCAS21", "01M86VBYCAGN0NVX0WYDKCAS22"
META = BlockMeta(NAME, 0, 10, BlockStats(1, 1, 1))
GROWING = f"{NAME}.7.promfill"


@pytest.fixture
def steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    return recorded_steps(tmp_path, monkeypatch)


def block(directory: Path, name: str = NAME, size: int = 40, segment_max: int = SEGMENT_MAX) -> BlockFiles:
    files = BlockFiles(directory, name, segment_max, 7)
    files.write_chunks(np.arange(2 * size, dtype=np.uint64).astype(np.uint8), np.full(2, size))
    files.write_index(b"the index, ")
    files.write_index(b"its end")
    return files


@pytest.mark.parametrize("size", [40, 3 * block_files._BUFFER])
def test_everything_is_synced_after_its_last_write_and_before_the_rename(
    tmp_path: Path, steps: list[Step], size: int
) -> None:
    files = block(tmp_path, size=size, segment_max=size + 30)
    files.finish(META)
    publish([files])
    names = ["chunks/000001", "chunks/000002", "index", "meta.json", "tombstones"]
    for name in names:
        path = f"{GROWING}/{name}"
        assert steps.count(("sync", path)) == 1, name
        written = max(at for at, step in enumerate(steps) if step == ("write", path))
        assert written < steps.index(("sync", path)), name
    renamed = steps.index(("rename", GROWING))
    files_synced = max(steps.index(("sync", f"{GROWING}/{name}")) for name in names)
    chunks, whole = (steps.index(("sync", path)) for path in (f"{GROWING}/chunks", GROWING))
    assert files_synced < chunks < whole < renamed
    assert steps[renamed + 1 :] == [("sync", ".")], "the directory that holds the new name, and then nothing"


def test_blocks_that_are_published_together_share_one_sync_of_their_directory(
    tmp_path: Path, steps: list[Step]
) -> None:
    both = [block(tmp_path, name) for name in (NAME, OTHER)]
    for files in both:
        files.finish(META)
    steps.clear()
    publish(both)
    assert steps == [("rename", GROWING), ("rename", f"{OTHER}.7.promfill"), ("sync", ".")]
    publish([])
    assert len(steps) == 3


def test_what_a_block_holds(tmp_path: Path) -> None:
    files = block(tmp_path)
    assert (files.path, files.bytes) == (tmp_path / NAME, 0)
    files.finish(META)
    assert files.bytes == 8 + 80 + len(b"the index, its end")
    publish([files])
    read = {str(path.relative_to(files.path)): path.read_bytes() for path in files.path.rglob("*") if path.is_file()}
    assert decode_meta(read.pop("meta.json")) == META
    assert read == {
        "chunks/000001": bytes.fromhex("85bd40dd01000000") + bytes(range(80)),
        "index": b"the index, its end",
        "tombstones": EMPTY_TOMBSTONES,
    }
    assert files.size == sum(path.stat().st_size for path in files.path.rglob("*") if path.is_file())


@pytest.mark.parametrize("sizes", [[1], [block_files._BUFFER - 1, 1], [5, block_files._BUFFER], [3] * 4])
def test_pieces_of_any_size_are_written_in_their_order(tmp_path: Path, sizes: list[int]) -> None:
    files = block(tmp_path)
    for number, size in enumerate(sizes):
        files.write_index(bytes([number + 1]) * size)
    files.finish(META)
    tail = b"".join(bytes([number + 1]) * size for number, size in enumerate(sizes))
    assert (tmp_path / GROWING / "index").read_bytes() == b"the index, its end" + tail


def test_a_system_that_takes_a_few_bytes_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, bytes(data[:7])))
    files = block(tmp_path)
    files.finish(META)
    assert (tmp_path / GROWING / "chunks" / "000001").read_bytes()[8:] == bytes(range(80))


def test_a_piece_that_lies_in_memory_that_is_used_again_is_copied(tmp_path: Path) -> None:
    files, piece = BlockFiles(tmp_path, NAME, SEGMENT_MAX, 7), np.full(40, 1, np.uint8)
    files.write_chunks(piece, np.array([40]))
    piece[:] = 9
    files.write_index(b"index")
    files.finish(META)
    assert (tmp_path / GROWING / "chunks" / "000001").read_bytes()[8:] == bytes([1]) * 40


def test_a_block_that_is_there_is_replaced(tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "damaged").write_bytes(b"x")
    files = block(tmp_path)
    files.finish(META)
    publish([files])
    assert sorted(path.name for path in (tmp_path / NAME).iterdir()) == ["chunks", "index", "meta.json", "tombstones"]


def test_a_name_that_cannot_be_given_is_an_error(tmp_path: Path) -> None:
    files = block(tmp_path)
    files.finish(META)
    (tmp_path / GROWING).rename(tmp_path / "gone")
    with pytest.raises(FileNotFoundError):
        files.rename()


@pytest.mark.parametrize("size", [40, 3 * block_files._BUFFER])
def test_what_is_discarded_leaves_nothing_and_no_open_file(tmp_path: Path, size: int) -> None:
    files = block(tmp_path, size=size)
    descriptors = [file._descriptor for file in files._files if file._descriptor is not None]
    assert bool(descriptors) == (size > 40)
    files.discard()
    assert list(tmp_path.iterdir()) == []
    for descriptor in descriptors:
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(descriptor)
    files.discard()


def test_what_a_dead_process_left_under_the_temporary_name_is_replaced(tmp_path: Path) -> None:
    (tmp_path / GROWING / "chunks").mkdir(parents=True)
    (tmp_path / GROWING / "chunks" / "000009").write_bytes(b"old")
    files = block(tmp_path)
    files.finish(META)
    assert [path.name for path in (tmp_path / GROWING / "chunks").iterdir()] == ["000001"]
