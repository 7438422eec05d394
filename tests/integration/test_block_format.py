"""promtool reads blocks put together from the writers of promfill.codecs.block, with chunks that Prometheus encoded."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from promfill.codecs.block.index_writer import FleetIndex
from promfill.codecs.block.meta import BlockMeta, BlockStats, encode_meta
from promfill.codecs.block.segment import SEGMENT_HEADER, SegmentCutter, segment_name
from promfill.codecs.block.tombstones import EMPTY_TOMBSTONES
from promfill.codecs.block.ulid import ulid
from promfill.model.batch import LabelSet
from tests.support.fleets import fleet_of, label_order
from tests.support.golden import FOLDER
from tests.support.index_reference import Chunk, read_reference
from tests.support.indices import index_files
from tests.support.servers import run_promtool

pytestmark = pytest.mark.server

(GOLDEN,) = (FOLDER / "block_floats").iterdir()
SEGMENT = (GOLDEN / "chunks" / "000001").read_bytes()
NAME = ulid(1700092500001, b"promfill.0")


def golden_record(chunk: Chunk) -> bytes:
    """The chunk's bytes in the golden segment, from its length to its checksum."""
    at = chunk[2]
    head = 1 if SEGMENT[at] < 0x80 else 2
    length = SEGMENT[at] & 0x7F | (SEGMENT[at + 1] << 7 if head == 2 else 0)
    return SEGMENT[at : at + head + 1 + length + 4]


def write_block(folder: Path, series: Sequence[tuple[LabelSet, list[Chunk]]], segment_max: int) -> None:
    """A block of these series with chunks of the golden one, and beside it the directory that promtool 2.42 wants."""
    series = [(labels, chunks) for labels, chunks in series if chunks]
    records = [golden_record(chunk) for _, chunks in series for chunk in chunks]
    refs, pieces = SegmentCutter(segment_max).place(np.array(list(map(len, records)), np.int64))
    places = iter(refs.tolist())
    placed = [[(start, end, next(places)) for start, end, _ in chunks] for _, chunks in series]
    joined = b"".join(records)
    (folder / "wal").mkdir(parents=True)
    (folder / NAME / "chunks").mkdir(parents=True)
    for piece in pieces:
        data = SEGMENT_HEADER + joined[piece.start : piece.stop]
        (folder / NAME / "chunks" / segment_name(piece.segment)).write_bytes(data)
    (index,) = index_files(FleetIndex(fleet_of([labels for labels, _ in series])), placed)
    (folder / NAME / "index").write_bytes(index)
    stats = BlockStats(2307, len(placed), refs.size, float_samples=2307)
    start, end = min(chunks[0][0] for chunks in placed), max(chunks[-1][1] for chunks in placed) + 1
    meta = BlockMeta(NAME, start, end, stats, sources=(NAME,))
    (folder / NAME / "meta.json").write_bytes(encode_meta(meta))
    (folder / NAME / "tombstones").write_bytes(EMPTY_TOMBSTONES)


def dump(folder: Path, *options: str) -> list[str]:
    result = run_promtool("tsdb", "dump", *options, folder)
    assert (result.returncode, result.stderr) == (0, "")
    return result.stdout.splitlines()


@pytest.mark.parametrize("segment_max", [2000, 512 << 20])
def test_the_golden_block_put_together_anew(tmp_path: Path, segment_max: int) -> None:
    shutil.copytree(GOLDEN, tmp_path / "golden" / GOLDEN.name)
    (tmp_path / "golden" / "wal").mkdir()
    write_block(tmp_path / "ours", read_reference((GOLDEN / "index").read_bytes()), segment_max)
    segments = list((tmp_path / "ours" / NAME / "chunks").iterdir())
    assert (len(segments) > 5) == (segment_max == 2000)
    theirs = dump(tmp_path / "golden")
    assert len(theirs) == 2307
    assert dump(tmp_path / "ours") == theirs
    listed = run_promtool("tsdb", "list", tmp_path / "ours")
    assert (listed.returncode, NAME in listed.stdout) == (0, True)
    analyzed = run_promtool("tsdb", "analyze", "--extended", tmp_path / "ours", NAME)
    assert analyzed.returncode == 0, analyzed.stderr
    assert "Series: 19\n" in analyzed.stdout


STRANGE: list[LabelSet] = [
    (("__name__", "m"),),
    (("__name__", "m"), ("a", "x\0"), ("long", "v" * 20_000)),
    (("__name__", "m"), ("a", "x\0\0"), ("z", "only here")),
    (("__name__", "m"), ("b", '→✓ "quoted"\n')),
    (("__name__", "m"), ("b", "left out")),
    (("__name__", "n" * 200), ("a", "x")),
]


def test_strange_labels_absent_labels_and_series_left_out(tmp_path: Path) -> None:
    chunks = sorted((chunks for _, chunks in read_reference((GOLDEN / "index").read_bytes())), key=len)
    long, short = chunks[-1], chunks[0]
    label_sets = sorted(STRANGE, key=label_order)
    series = [
        (labels, [] if ("b", "left out") in labels else long if "z" in dict(labels) else short) for labels in label_sets
    ]
    write_block(tmp_path, series, 512 << 20)
    every = len(dump(tmp_path))
    for labels, kept in series:
        matcher = ",".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in labels)
        lines = dump(tmp_path, "--match", "{" + matcher.replace("\\u0000", "\\x00") + "}")
        assert bool(lines) == bool(kept), labels
    assert len(dump(tmp_path, "--match", '{z="only here"}')) == len(dump(tmp_path, "--match", '{z!=""}'))
    assert len(dump(tmp_path, "--match", '{a=""}')) + len(dump(tmp_path, "--match", '{a!=""}')) == every
    assert len(dump(tmp_path, "--match", '{__name__="m"}')) < every
    analyzed = run_promtool("tsdb", "analyze", tmp_path, NAME)
    assert (analyzed.returncode, "Series: 5\n" in analyzed.stdout) == (0, True)
