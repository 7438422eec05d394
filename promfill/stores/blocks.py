"""Read a directory of blocks as a store: samples of one series in several blocks are joined."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from promfill.blocks.block import naming_block, open_block
from promfill.blocks.directory import blocks_at
from promfill.blocks.matchers import Matcher
from promfill.blocks.numbered_series import NumberedSeries, groups, series_at_once
from promfill.codecs.block.meta import BlockMeta, decode_meta
from promfill.errors import FormatError, InputError, setting
from promfill.model.batch import LabelSet
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.row_finder import RowFinder
from promfill.protocols import Readings, Selection
from promfill.stores.series_runs import BATCH_SAMPLES

_OPEN_BLOCKS = 16
"""How many blocks are read at once. This bounds memory, because the indexes of open blocks are held in memory."""


class BlockStore:
    """The blocks below one directory, or a single block. InputError: no block was found."""

    keeps_bits = True
    shows_within = 0.0
    shows_markers = True
    unchecked = ""

    def __init__(self, directory: Path, names: Collection[str] | None = None) -> None:
        """`names`: read only these blocks."""
        self.name = f"blocks in {directory}"
        self._metas = _read_metas(directory, names)
        self.most_samples = _samples_at_once(list(self._metas.values()))

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """As `protocols.Store.read`. FormatError, with the name of the block: the block is damaged."""
        paths = [path for path, meta in self._metas.items() if _overlaps(meta, selection)]
        parts: list[NumberedSeries] = []
        others: list[NumberedSeries] = []
        strange: dict[LabelSet, int] = {}
        for path in paths:
            ours, foreign = _open(path, selection, rows, strange)
            parts.append(ours)
            others.append(foreign)
        at_once = series_at_once(parts, BATCH_SAMPLES)
        for group in groups(parts, at_once):
            yield Readings(_joined(group, selection))
        label_sets = list(strange)
        for group in groups(others, at_once):
            found = _joined(group, selection)
            strangers = [label_sets[number] for number in found.rows.tolist()]
            yield Readings(replace(found, rows=np.full(len(found), -1)), strangers)

    def pending(self) -> int:
        """Always 0: a block appears only when it is complete."""
        return 0


_BLOCKS_FIX = f"set {setting('blocks')} to the directory that holds the blocks"


def _read_metas(directory: Path, names: Collection[str] | None = None) -> dict[Path, BlockMeta]:
    """The contents of each block's meta.json, sorted by the block's start time."""
    if not directory.is_dir():
        raise InputError(f"{directory} is not a directory", _BLOCKS_FIX, field="blocks")
    paths = [path for path in blocks_at(directory, field="blocks") if names is None or path.name in names]
    if not paths:
        raise InputError(f"{directory} holds no blocks", _BLOCKS_FIX, field="blocks")
    metas = {}
    for path in paths:
        try:
            with naming_block(path):
                metas[path] = decode_meta((path / "meta.json").read_bytes())
        except OSError as error:
            raise FormatError(f"{path / 'meta.json'} cannot be read: {error.strerror}") from error
    return dict(sorted(metas.items(), key=lambda item: item[1].min_time))


def _samples_at_once(metas: list[BlockMeta]) -> int | None:
    """The number of samples in `_OPEN_BLOCKS` blocks of median size; None if all blocks may be open at once."""
    if len(metas) <= _OPEN_BLOCKS:
        return None
    return max(1, sorted(meta.stats.samples for meta in metas)[len(metas) // 2] * _OPEN_BLOCKS)


def _overlaps(meta: BlockMeta, selection: Selection) -> bool:
    return meta.min_time <= selection.end and selection.start < meta.max_time


def _open(
    path: Path, selection: Selection, rows: RowFinder, strange: dict[LabelSet, int]
) -> tuple[NumberedSeries, NumberedSeries]:
    """The selected series of a block, split into series of the fleet and unknown series.

    Unknown series are numbered in order of first appearance; `strange` holds the numbers so far.
    """
    with naming_block(path):
        block = open_block(path)
        selected = block.select([Matcher(name, "=", value) for name, value in selection.labels])
        places = rows.find_fleet(block.fleet)[selected]
        others = selected[places < 0]
        numbers = [strange.setdefault(block.label_set(row), len(strange)) for row in others.tolist()]
    ours = places >= 0
    return (
        NumberedSeries.sorted(block, selected[ours], places[ours]),
        NumberedSeries.sorted(block, others, np.array(numbers, np.int64)),
    )


def _joined(group: Sequence[NumberedSeries], selection: Selection) -> RaggedBatch:
    """The samples of the group: one run per series, blocks in time order. `rows` holds the series numbers."""
    found = [samples for part in group for samples in part.samples(selection.start, selection.end)]
    return RaggedBatch.join(found).by_row().merged()
