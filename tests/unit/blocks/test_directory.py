from __future__ import annotations

from pathlib import Path

import pytest

from promfill.blocks.directory import block_paths, blocks_at, read_metas
from promfill.errors import InputError
from promfill.rules.prometheus_directory import foreign_owner
from promfill.sinks.upload.local import find_blocks
from promfill.stores.blocks import BlockStore

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
