"""Gather samples that arrive series by series into `Readings` of a good size."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from promfill.model.batch import LabelSet
from promfill.model.ragged_batch import RaggedBatch
from promfill.model.row_finder import RowFinder
from promfill.model.types import I64Array, U64Array
from promfill.protocols import Readings

BATCH_SAMPLES = 600_000
"""The size of one `Readings` in samples, rounded up to whole series: large enough that numpy calls cost nothing."""

SeriesSamples = tuple[LabelSet, I64Array, U64Array]
"""A series: its labels, and the times int64 (n,) and bits uint64 (n,) of all its samples."""


def gather_series(
    runs: Iterable[SeriesSamples], finder: RowFinder, foreign: Collection[str] = ()
) -> Iterator[Readings]:
    """Join whole series until a batch has at least BATCH_SAMPLES. `foreign` as in `RowFinder.find`."""
    batch: list[SeriesSamples] = []
    samples = 0
    for run in runs:
        batch.append(run)
        samples += run[1].size
        if samples >= BATCH_SAMPLES:
            yield _join(batch, finder, foreign)
            batch, samples = [], 0
    if batch:
        yield _join(batch, finder, foreign)


def _join(runs: list[SeriesSamples], finder: RowFinder, foreign: Collection[str]) -> Readings:
    label_sets = [labels for labels, _, _ in runs]
    rows = finder.find(label_sets, foreign)
    samples = RaggedBatch.of_counts(
        rows,
        counts=np.array([times.size for _, times, _ in runs], np.int64),
        times=np.concatenate([times for _, times, _ in runs]),
        bits=np.concatenate([bits for _, _, bits in runs]),
    )
    return Readings(samples, strangers(label_sets, rows))


def strangers(label_sets: list[LabelSet], rows: I64Array) -> list[LabelSet]:
    """The label sets that have no row in the fleet, each with its labels sorted."""
    return [tuple(sorted(label_sets[place])) for place in np.flatnonzero(rows < 0).tolist()]
