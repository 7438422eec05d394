"""A directory of blocks, read as a store: the series of all blocks of a range of time, each in one piece."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from promfill.blocks.block import Block, open_block, ragged_range
from promfill.blocks.matchers import Matcher
from promfill.codecs.block.meta import BlockMeta, decode_meta
from promfill.codecs.block.ulid import is_ulid
from promfill.errors import FormatError, InputError
from promfill.model.batch import LabelSet
from promfill.model.row_finder import RowFinder
from promfill.model.types import I64Array, U64Array
from promfill.protocols import Readings, Selection
from promfill.stores.series_runs import BATCH_SAMPLES

_OPEN_BLOCKS = 16
"""Blocks read at once: their indexes are in memory."""


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """Some series of a block: their rows in it, and the number, rising, that each has in all blocks alike."""

    block: Block
    rows: I64Array
    numbers: I64Array


class BlockStore:
    """Block directories below one directory, or a single one. InputError: there is none."""

    keeps_bits = True
    shows_within = 0.0
    shows_markers = True
    unchecked = ""

    def __init__(self, directory: Path, names: Collection[str] | None = None) -> None:
        """`names`: read these blocks alone."""
        self.name = f"blocks in {directory}"
        self._metas = _read_metas(directory, names)
        self.most_samples = _samples_at_once(list(self._metas.values()))

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """As `protocols.Store.read`. FormatError names the block."""
        paths = [path for path, meta in self._metas.items() if _overlaps(meta, selection)]
        parts: list[_Part] = []
        others: list[_Part] = []
        strange: dict[LabelSet, int] = {}
        for path in paths:
            ours, foreign = _open(path, selection, rows, strange)
            parts.append(ours)
            others.append(foreign)
        at_once = _series_at_once([self._metas[path] for path in paths])
        for group in _groups(parts, len(rows), at_once):
            yield _joined(group, selection)
        label_sets = list(strange)
        for group in _groups(others, len(strange), at_once):
            found = _joined(group, selection)
            strangers = [label_sets[number] for number in found.rows.tolist()]
            yield Readings(np.full(len(strangers), -1), found.counts, found.times, found.bits, strangers)

    def pending(self) -> int:
        """A block appears when it is whole."""
        return 0


def _read_metas(directory: Path, names: Collection[str] | None = None) -> dict[Path, BlockMeta]:
    """The blocks by time."""
    if not directory.is_dir():
        raise InputError(f"{directory} is no directory: give the one that holds the blocks by --blocks")
    own = [directory] if (directory / "meta.json").is_file() else []
    paths = own or sorted(path for path in directory.iterdir() if is_ulid(path.name))
    if names is not None:
        paths = [path for path in paths if path.name in names]
    if not paths:
        raise InputError(f"{directory} holds no block: give the directory that holds the blocks by --blocks")
    metas = {}
    for path in paths:
        try:
            metas[path] = decode_meta((path / "meta.json").read_bytes())
        except OSError as error:
            raise FormatError(f"{path / 'meta.json'} cannot be read: {error.strerror}") from error
        except FormatError as error:
            raise _of_block(path, error) from error
    return dict(sorted(metas.items(), key=lambda item: item[1].min_time))


def _samples_at_once(metas: list[BlockMeta]) -> int | None:
    """As many samples as the blocks that may be open at once hold; None where that is all."""
    if len(metas) <= _OPEN_BLOCKS:
        return None
    return max(1, sorted(meta.stats.samples for meta in metas)[len(metas) // 2] * _OPEN_BLOCKS)


def _series_at_once(metas: list[BlockMeta]) -> int:
    """Series whose samples make about one batch."""
    each = sum(meta.stats.samples / max(1, meta.stats.series) for meta in metas)
    return max(1, int(BATCH_SAMPLES / max(1.0, each)))


def _of_block(path: Path, error: FormatError) -> FormatError:
    """The error with the block's name before the place in it."""
    return FormatError(error.what, section=f"{path} {error.section}".rstrip(), offset=error.offset)


def _overlaps(meta: BlockMeta, selection: Selection) -> bool:
    return meta.min_time <= selection.end and selection.start < meta.max_time


def _open(path: Path, selection: Selection, rows: RowFinder, strange: dict[LabelSet, int]) -> tuple[_Part, _Part]:
    """The block's series of the selection: those of the fleet, and the others, numbered as they are met."""
    try:
        block = open_block(path)
        selected = block.select([Matcher(name, "=", value) for name, value in selection.labels])
        places = rows.find_fleet(block.fleet)[selected]
        others = selected[places < 0]
        numbers = [strange.setdefault(block.label_set(row), len(strange)) for row in others.tolist()]
    except FormatError as error:
        raise _of_block(path, error) from error
    return _part(block, selected[places >= 0], places[places >= 0]), _part(block, others, np.array(numbers, np.int64))


def _part(block: Block, rows: I64Array, numbers: I64Array) -> _Part:
    order = np.argsort(numbers, kind="stable")
    return _Part(block, rows[order], numbers[order])


def _groups(parts: list[_Part], count: int, at_once: int) -> Iterator[list[_Part]]:
    """The parts cut at the same numbers."""
    for first in range(0, count, at_once):
        group = []
        for part in parts:
            low, high = np.searchsorted(part.numbers, [first, first + at_once])
            if low < high:
                group.append(_Part(part.block, part.rows[low:high], part.numbers[low:high]))
        if group:
            yield group


def _joined(group: list[_Part], selection: Selection) -> Readings:
    """The samples of the group, series by series, in each the blocks in the order of time; rows are the numbers."""
    numbers, counts, times, bits = (np.concatenate(arrays) for arrays in zip(*_runs(group, selection), strict=True))
    order = np.argsort(numbers, kind="stable")
    stops = np.cumsum(counts)
    samples = ragged_range((stops - counts)[order], stops[order])
    firsts = np.flatnonzero(np.diff(numbers[order], prepend=-1))
    return Readings(numbers[order][firsts], np.add.reduceat(counts[order], firsts), times[samples], bits[samples])


def _runs(group: list[_Part], selection: Selection) -> Iterator[tuple[I64Array, I64Array, I64Array, U64Array]]:
    """Numbers, counts, times and bits of some series of one block."""
    for part in group:
        done = 0
        try:
            for run in part.block.samples(part.rows, min_time=selection.start, max_time=selection.end):
                yield part.numbers[done : done + len(run)], run.counts, run.times, run.bits
                done += len(run)
        except FormatError as error:
            raise _of_block(part.block.path, error) from error
