"""Whatever befalls the files of a block, its reader says FormatError or reads on; it never does anything else."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from promfill.blocks.block import open_block
from promfill.blocks.check import check_block
from promfill.blocks.matchers import parse_selector
from promfill.codecs.block.index_check import check_index
from promfill.codecs.block.index_reader import IndexReader
from promfill.errors import FormatError
from tests.support.golden import FOLDER

SETTINGS = settings(max_examples=250, suppress_health_check=[HealthCheck.function_scoped_fixture])
GOLDEN = next((FOLDER / "block_floats").iterdir())
FILES = ["index", "chunks/000001", "tombstones", "meta.json"]


@pytest.fixture
def block(tmp_path: Path) -> Path:
    return shutil.copytree(GOLDEN, tmp_path / GOLDEN.name, copy_function=shutil.copyfile)


def damaged(good: bytes, data: Any) -> bytes:
    at = data.draw(st.integers(0, len(good) - 1), label="at")
    kind = data.draw(st.sampled_from(["flip", "cut", "insert", "overwrite", "end"]))
    if kind == "flip":
        return good[:at] + bytes([good[at] ^ 1 << data.draw(st.integers(0, 7))]) + good[at + 1 :]
    if kind == "end":
        return good[:at]
    put = b"" if kind == "cut" else data.draw(st.binary(min_size=1, max_size=40))
    gone = 0 if kind == "insert" else len(put) or data.draw(st.integers(1, 300))
    return good[:at] + put + good[at + gone :]


def read_everything(path: Path) -> None:
    block = open_block(path)
    assert len(block.fleet) == len(block)
    assert block.label_names() or not block.label_values("case")
    block.select(parse_selector('{case=~".*1.*",n!="3"}'))
    for run in block.samples(at_once=500):
        assert run.bounds[-1] == run.times.size == run.bits.size


@SETTINGS
@given(st.sampled_from(FILES), st.data())
def test_damage_of_any_file_is_found_or_harmless(block: Path, name: str, data: Any) -> None:
    good = (GOLDEN / name).read_bytes()
    bad = damaged(good, data)
    (block / name).write_bytes(bad)
    try:
        for decode in (False, True):
            try:
                check_block(block, decode=decode)
            except FormatError:
                continue
            if name in ("index", "chunks/000001"):
                assert _harmless(good, bad, name)
        with contextlib.suppress(FormatError):
            read_everything(block)
    finally:
        (block / name).write_bytes(good)


def _harmless(good: bytes, bad: bytes, name: str) -> bool:
    """Only padding, or the version's other value."""
    if len(good) != len(bad):
        return False
    changed = np.flatnonzero(np.frombuffer(good, np.uint8) != np.frombuffer(bad, np.uint8)).tolist()
    padding = range(5, 8) if name.startswith("chunks") else [4, *_padding(good)]
    return set(changed) <= set(padding)


def _padding(index: bytes) -> list[int]:
    """Bytes of the index between series entries, and between its sections."""
    reader = IndexReader(np.frombuffer(index, np.uint8))
    covered = set(range(4)) | set(range(len(index) - 52, len(index)))
    for start in (reader.toc.symbols, reader.toc.postings_table):
        covered |= set(range(start, start + 8 + int.from_bytes(index[start : start + 4])))
    for start in reader.postings_offsets.offsets.tolist():
        covered |= set(range(start, start + 8 + int.from_bytes(index[start : start + 4])))
    for start in (reader.series.ids * 16).tolist():
        size = index[start] & 127 | (index[start + 1] << 7 if index[start] > 127 else 0)
        covered |= set(range(start, start + size + 5 + (index[start] > 127)))
    return [place for place in range(len(index)) if place not in covered]


INDEX = (GOLDEN / "index").read_bytes()


@SETTINGS
@given(st.data())
def test_damage_under_right_checksums_is_found_or_read(data: Any) -> None:
    """As before, but every checksum of the index matches: the decoders themselves are asked."""
    with pytest.MonkeyPatch.context() as patch:
        for module in ("index_reader", "series_reader"):
            patch.setattr(f"promfill.codecs.block.{module}.crc32c_many", _agreeing)
        patch.setattr("promfill.codecs.block.index_reader.crc32c", lambda _: _Any())
        with contextlib.suppress(FormatError):
            index = IndexReader(np.frombuffer(damaged(INDEX, data), np.uint8))
            index.postings(index.postings_offsets.offsets)
            check_index(index)


class _Any(int):
    def __ne__(self, other: object) -> bool:
        return False


class _Same(np.ndarray[Any, Any]):
    def __ne__(self, other: object) -> Any:
        return np.zeros(self.shape, np.bool_)


def _agreeing(buffer: Any, starts: Any, ends: Any) -> Any:
    assert ((starts >= 0) & (ends <= buffer.size) & (starts <= ends)).all()
    assert (ends - starts).sum() <= buffer.size
    return np.zeros(starts.size, np.uint32).view(_Same)
