"""Find the rows of a fleet by label set: exactly, and many at a time."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from promfill.model.batch import Fleet, LabelSet
from promfill.model.types import I64Array, U32Array, U64Array

_UNKNOWN = np.uint32(0xFFFF_FFFF)


class RowFinder:
    """Label sets to rows of one fleet; -1 for those that are not in it.

    A label set becomes its references into the fleet's symbols, one for each label name; a hash of these finds the row,
    and the row's own references confirm it. Memory: about 150 bytes a distinct symbol, 16 a series.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._values = fleet.values
        self._symbols = {symbol.decode(): number for number, symbol in enumerate(fleet.symbols)}
        self._columns = {fleet.symbols[name].decode(): column for column, name in enumerate(fleet.names.tolist())}
        self._weights = _distinguishing_weights(fleet.values)
        hashes = _hash(fleet.values, self._weights)
        self._order = np.argsort(hashes)
        self._hashes = hashes[self._order]

    def __len__(self) -> int:
        return len(self._values)

    def find(self, label_sets: Sequence[LabelSet], foreign: Collection[str] = ()) -> I64Array:
        """int64 (n,): the row of each label set; labels may come in any order.

        foreign: names of labels that do not count, unless the fleet has them itself.
        """
        references = np.zeros((len(label_sets), len(self._columns)), np.uint32)
        for row, labels in zip(references, label_sets, strict=True):
            for name, value in labels:
                column = self._columns.get(name)
                if column is None and name in foreign:
                    continue
                if column is None:
                    row[:] = _UNKNOWN
                    break
                row[column] = self._symbols.get(value, _UNKNOWN)
        return self._lookup(references)

    def find_fleet(self, fleet: Fleet) -> I64Array:
        """int64 (n,): the row of each series of another fleet, without a loop over its series."""
        translation = np.array([self._symbols.get(symbol.decode(), _UNKNOWN) for symbol in fleet.symbols], np.uint32)
        references = np.zeros((len(fleet), len(self._columns)), np.uint32)
        foreign = np.zeros(len(fleet), np.bool_)
        for name, values in zip(fleet.names.tolist(), fleet.values.T, strict=True):
            column = self._columns.get(fleet.symbols[name].decode())
            if column is None:
                foreign |= values != 0
            else:
                references[:, column] = np.where(values == 0, 0, translation[values])
        references[foreign] = _UNKNOWN
        return self._lookup(references)

    def _lookup(self, references: U32Array) -> I64Array:
        places = np.searchsorted(self._hashes, _hash(references, self._weights))
        rows = self._order[np.minimum(places, self._order.size - 1)]
        return np.where((self._values[rows] == references).all(axis=1), rows, -1)


def _hash(references: U32Array, weights: U64Array) -> U64Array:
    hashes = np.zeros(len(references), np.uint64)
    for column, weight in zip(references.T, weights, strict=True):
        hashes += column * weight
    return hashes


def _distinguishing_weights(references: U32Array) -> U64Array:
    """uint64 (L,): random weights that give no two rows the same hash; the first draw fails with probability 2^-20."""
    random = np.random.Generator(np.random.PCG64(0))
    while True:
        weights: U64Array = random.integers(1 << 62, 1 << 63, references.shape[1], np.uint64) | np.uint64(1)
        if np.unique(_hash(references, weights)).size == len(references):
            return weights
