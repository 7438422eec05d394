"""A 64-bit key for each label set, which never changes: it selects the series' noise.

A key is made of the label set's own bytes alone: BLAKE2b of each name and each value, one mixture per pair, their
sum, mixed. Other series, the order of rows and the numbering of symbols have no influence. Sums do not depend on
order, and the names of a label set differ, so two different sets are equal only by chance (2^-64 a pair of series).
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from promfill.model.batch import Fleet, RaggedBytes, freeze
from promfill.model.types import U64Array
from promfill.sources.signals.mix import mix

_ROWS = 16_384  # a block of rows whose scratch stays in the cache


def label_keys(fleet: Fleet) -> U64Array:
    """uint64 (S,): the key of each row's label set."""
    hashes = _symbol_hashes(fleet)
    names = mix(hashes[fleet.names])
    keys = np.zeros(len(fleet), np.uint64)
    for first in range(0, len(fleet), _ROWS):
        rows = slice(first, first + _ROWS)
        for name, column in zip(names, fleet.values[rows].T, strict=True):
            keys[rows] += np.where(column != 0, mix(hashes[column] ^ name), np.uint64(0))
        mix(keys[rows])
    return freeze(keys)


def _symbol_hashes(fleet: Fleet) -> U64Array:
    """uint64 (n,): the hash of each symbol that the fleet uses; 0 for the others, which may belong to another fleet."""
    used = np.zeros(len(fleet.symbols), np.bool_)
    used[fleet.names] = True
    used[fleet.values] = True
    hashes = np.zeros(used.size, np.uint64)
    hashes[used] = _blake2b(fleet.symbols, np.flatnonzero(used))
    return hashes


def _blake2b(strings: RaggedBytes, which: NDArray[np.intp]) -> U64Array:
    data = strings.buffer.tobytes()
    bounds = zip(strings.offsets[which].tolist(), strings.offsets[which + 1].tolist(), strict=True)
    digests = b"".join([hashlib.blake2b(data[a:b], digest_size=8).digest() for a, b in bounds])
    return np.frombuffer(digests, "<u8").astype(np.uint64)
