from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from promfill.blocks.directory import (
    block_bytes,
    block_paths,
    blocks_at,
    open_blocks,
    raise_open_files,
    read_metas,
    small_bytes,
)
from promfill.errors import FormatError, InputError
from promfill.rules.prometheus_directory import foreign_owner
from promfill.sinks.upload.local import find_blocks
from promfill.stores.blocks import BlockStore
from tests.support.blocks import ULID, write_block

FIRST, SECOND = "01HHXYQK11FACY199F18ES3TKM", "01HHXYQK11FACY199F18ES3TKN"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two blocks, and what is none: a file named as one, a directory named otherwise, a block that is being written."""
    data = tmp_path / "data"
    for name in (SECOND, FIRST, "copy", f"{FIRST}.7.promfill"):
        (data / name).mkdir(parents=True)
    (data / "01HHXYQK11FACY199F18ES3TKP").write_text("no block")
    return data


def test_a_block_is_a_directory_named_by_a_ulid(data: Path) -> None:
    blocks = [data / FIRST, data / SECOND]
    assert block_paths(data) == blocks_at(data) == find_blocks([data]) == blocks
    assert read_metas(data) == {}
    assert foreign_owner(data) is None


def test_a_directory_may_be_a_block_whatever_its_name(data: Path) -> None:
    copy = data / "copy"
    (copy / "meta.json").write_text("{}")
    (copy / FIRST).mkdir()
    assert blocks_at(copy) == find_blocks([copy]) == [copy]
    assert blocks_at(data) == [data / FIRST, data / SECOND]


def test_what_is_not_there_is_no_directory(data: Path) -> None:
    for path in (data / "nowhere", data / "01HHXYQK11FACY199F18ES3TKP"):
        assert read_metas(path) == {}
        for look in (block_paths, blocks_at, lambda path: find_blocks([path]), BlockStore):
            with pytest.raises(InputError, match=f"{path} is not a directory"):
                look(path)


NAMES = [f"{ULID[:-1]}{digit}" for digit in "123456"]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """Three blocks, the later ones by name of earlier times; a directory without meta.json; and what is no block."""
    for number, start in enumerate([5000, 3000, 3000]):
        written = write_block(tmp_path / "work", {(("a", "b"),): [[(start, 1)]]})
        (tmp_path / "data").mkdir(exist_ok=True)
        written.rename(tmp_path / "data" / NAMES[number])
    for name in (NAMES[3], "wal", f"{NAMES[4]}.tmp-for-creation"):
        (tmp_path / "data" / name).mkdir()
    (tmp_path / "data" / NAMES[5]).write_text("a file")
    return tmp_path / "data"


def test_blocks_are_directories_named_by_a_ulid(mixed: Path) -> None:
    assert [path.name for path in block_paths(mixed)] == NAMES[:4]
    for path in (mixed / "none", mixed / NAMES[5]):
        with pytest.raises(InputError, match="is not a directory"):
            block_paths(path)


def test_they_are_opened_in_the_order_of_their_times(mixed: Path) -> None:
    blocks, skipped = open_blocks(mixed)
    assert [block.path.name for block in blocks] == [NAMES[1], NAMES[2], NAMES[0]]
    assert [path.name for path in skipped] == [NAMES[3]]


@pytest.mark.parametrize("content", [b"", b"{", b'{"version": 2}'])
def test_a_meta_that_cannot_be_read_is_skipped(mixed: Path, content: bytes) -> None:
    (mixed / NAMES[0] / "meta.json").write_bytes(content)
    blocks, skipped = open_blocks(mixed)
    assert [block.path.name for block in blocks] == NAMES[1:3]
    assert [path.name for path in skipped] == [NAMES[0], NAMES[3]]
    assert list(read_metas(mixed)) == NAMES[1:3]


def test_damage_names_the_block(mixed: Path) -> None:
    (mixed / NAMES[1] / "index").write_bytes(b"no index")
    with pytest.raises(FormatError, match=NAMES[1]):
        open_blocks(mixed)


def test_metas_by_name_and_none_of_no_directory(mixed: Path) -> None:
    assert {name: meta.min_time for name, meta in read_metas(mixed).items()} == dict(
        zip(NAMES, [5000, 3000, 3000], strict=False)
    )
    assert read_metas(mixed / "none") == {}


def test_sizes_are_those_of_all_files(mixed: Path) -> None:
    block, *_ = open_blocks(mixed)[0]
    sizes = {path.name: path.stat().st_size for path in block.path.rglob("*") if path.is_file()}
    assert block_bytes(block) == sum(sizes.values())
    assert small_bytes(block.path) == sizes["meta.json"] + sizes["tombstones"]
    (block.path / "tombstones").unlink()
    assert small_bytes(block.path) == sizes["meta.json"]
    shutil.rmtree(block.path)
    assert small_bytes(block.path) == 0


def test_as_many_files_may_be_open_as_the_system_allows(mixed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    resource = pytest.importorskip("resource")
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (100, 5000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: asked.append(limits))
    open_blocks(mixed)
    assert asked == [(5000, 5000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _: (5000, 5000))
    raise_open_files()
    assert asked == [(5000, 5000)]
