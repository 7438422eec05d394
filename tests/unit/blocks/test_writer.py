"""Complete blocks on their way to the disk: many at a time, in order, and each whole or not at all."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from promfill.blocks import files as block_files
from promfill.blocks.files import BlockFiles, publish
from promfill.blocks.writer import BlockWriter, CompleteBlock
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex
from promfill.codecs.block.meta import BlockMeta, BlockStats, decode_meta
from promfill.codecs.block.segment import SEGMENT_MAX
from promfill.codecs.block.ulid import ulid
from tests.support.fleets import fleet_of

INDEX = FleetIndex(fleet_of([(("a", "1"),), (("a", "2"),)]))
RUN = 7


def name(number: int) -> str:
    return ulid(1000 + number, bytes(10))


def complete(directory: Path, number: int, size: int = 40) -> CompleteBlock:
    files = BlockFiles(directory, name(number), SEGMENT_MAX, RUN)
    lengths = np.full((2, 1), size, np.int64)
    refs = files.write_chunks(np.full(2 * size, number, np.uint8), lengths)
    times = np.array([number], np.int64)
    meta = BlockMeta(name(number), number, number + 1, BlockStats(2, 2, 2), sources=(name(number),))
    return CompleteBlock(files, meta, ChunkMetas.with_shared_times(times, times, refs))


def publish_all(blocks: Sequence[CompleteBlock]) -> None:
    publish([block.files for block in blocks])


def test_many_blocks_come_back_in_order_and_whole(tmp_path: Path) -> None:
    durable: list[CompleteBlock] = []
    writer = BlockWriter(durable.extend)
    blocks = [complete(tmp_path, number) for number in range(150)]
    for block in blocks:
        writer.add(INDEX, block)
    writer.finish()
    assert durable == blocks
    publish_all(durable)
    assert {path.name for path in tmp_path.iterdir()} == {name(number) for number in range(150)}
    for number, block in enumerate(blocks):
        path = tmp_path / name(number)
        assert decode_meta((path / "meta.json").read_bytes()) == block.meta
        assert (path / "chunks" / "000001").read_bytes()[8:] == bytes([number]) * 80
        assert block.files.size == sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def test_a_failure_takes_none_of_its_neighbours_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    finish = BlockFiles.finish

    def failing(files: BlockFiles, meta: BlockMeta) -> None:
        if meta.min_time == 3:
            raise OSError(28, "No space left on device")
        finish(files, meta)

    monkeypatch.setattr(BlockFiles, "finish", failing)
    writer = BlockWriter(publish_all)
    blocks = [complete(tmp_path, number) for number in range(5)]
    for block in blocks:
        writer.add(INDEX, block)
    with pytest.raises(OSError, match="No space left"):
        writer.finish()
    writer.close()
    for block in blocks:
        block.files.discard()
    assert {path.name for path in tmp_path.iterdir()} == {name(number) for number in (0, 1, 2, 4)}


def test_its_threads_end_with_it(tmp_path: Path) -> None:
    before, writer = set(threading.enumerate()), BlockWriter(publish_all)
    writer.add(INDEX, complete(tmp_path, 1))
    writer.flush()
    ours = set(threading.enumerate()) - before
    assert ours
    writer.finish()
    assert not ours & set(threading.enumerate())


def test_what_has_gathered_but_was_not_handed_over_leaves_nothing(tmp_path: Path) -> None:
    writer = BlockWriter(publish_all)
    block = complete(tmp_path, 1)
    writer.add(INDEX, block)
    writer.close()
    block.files.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_large_block_streams_and_a_small_one_waits(tmp_path: Path) -> None:
    complete(tmp_path, 1)
    assert list(tmp_path.iterdir()) == []
    complete(tmp_path, 2, block_files._BUFFER)
    (chunks,) = tmp_path.glob("*/chunks/000001")
    assert chunks.stat().st_size == 8 + 2 * block_files._BUFFER


def test_what_a_dead_worker_and_a_damaged_block_left_is_replaced(tmp_path: Path) -> None:
    for left in (f"{name(1)}.{RUN}.promfill", name(1)):
        (tmp_path / left / "chunks").mkdir(parents=True)
        (tmp_path / left / "chunks" / "000009").write_bytes(b"old")
    writer = BlockWriter(publish_all)
    writer.add(INDEX, complete(tmp_path, 1))
    writer.finish()
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()) == [
        f"{name(1)}/{file}" for file in ("chunks/000001", "index", "meta.json", "tombstones")
    ]
