"""What the blocks of one fleet share, though some series may be missing from some of them."""

from __future__ import annotations

import hashlib
from functools import cached_property

import numpy as np

from promfill.codecs.block.index_writer import FleetIndex
from promfill.model.batch import Fleet, RaggedBytes, freeze
from promfill.model.types import I64Array


class FleetPart:
    """The series of a block: the parts of its index that do not depend on chunks, and a digest of their labels."""

    def __init__(self, fleet: Fleet) -> None:
        self.index = FleetIndex(fleet)

    @cached_property
    def digest(self) -> bytes:
        """Another one for other label sets."""
        digest = hashlib.blake2b()
        fleet = self.index.fleet
        for array in (fleet.symbols.buffer, fleet.symbols.offsets, fleet.names, fleet.values):
            digest.update(np.ascontiguousarray(array).data)
        return digest.digest()


class FleetParts:
    """The last few sets of series are kept, with what belongs to them: they seldom differ from block to block."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._rows = np.empty(0, np.int64)
        self._part: FleetPart | None = None

    def of(self, rows: I64Array) -> FleetPart:
        """The part of the fleet with these rows: its symbols are those of these series only, as in Prometheus."""
        if self._part is None or not np.array_equal(rows, self._rows):
            fleet = self._fleet if rows.size == len(self._fleet) else take_rows(self._fleet, rows)
            self._rows, self._part = rows, FleetPart(fleet)
        return self._part


def take_rows(fleet: Fleet, rows: I64Array) -> Fleet:
    """The fleet of some rows, int64 (n,) rising, with the symbols that they use."""
    values = fleet.values[rows]
    used_names = values.any(axis=0)
    names, values = fleet.names[used_names], values[:, used_names]
    used = np.zeros(len(fleet.symbols), np.bool_)
    used[0] = used[names] = used[values] = True
    place = np.cumsum(used, dtype=np.uint32) - np.uint32(1)
    symbols = RaggedBytes.from_list([fleet.symbols[number] for number in np.flatnonzero(used).tolist()])
    return Fleet(symbols, freeze(place[names]), freeze(place[values]))
