"""The arrays that flow through promfill: label sets in columns, and batches of samples.

Arrays are step-major everywhere: `values` are (T steps, S series) in C order, so a row is one step of all series and
the k-th sample of every chunk is the strided slice ``k::120``. A batch never copies the fleet: it names a
range of its rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.model.types import BoolArray, F64Array, I64Array, U8Array, U32Array

LabelSet = tuple[tuple[str, str], ...]
"""Sorted (name, value) pairs of one series, ``__name__`` included."""

STALE_NAN_BITS = 0x7FF0000000000002
"""The staleness marker (prometheus/model/value). Set it by bits, and last: arithmetic destroys its payload."""


def freeze(array: NDArray[Any]) -> NDArray[Any]:
    """The same array, read-only from now on."""
    array.flags.writeable = False
    return array


@dataclass(frozen=True, slots=True, eq=False)
class RaggedBytes:
    """n byte strings in one buffer: string i is ``buffer[offsets[i]:offsets[i + 1]]``.

    buffer: uint8 (N,). offsets: int64 (n + 1,), ascending, from 0 to N.
    """

    buffer: U8Array
    offsets: I64Array

    @classmethod
    def from_list(cls, strings: Sequence[bytes]) -> RaggedBytes:
        """Join the strings, in the order given."""
        offsets = np.zeros(len(strings) + 1, np.int64)
        np.cumsum(np.fromiter(map(len, strings), np.int64, len(strings)), out=offsets[1:])
        return cls(freeze(np.frombuffer(b"".join(strings), np.uint8)), freeze(offsets))

    def __len__(self) -> int:
        return self.offsets.size - 1

    def __getitem__(self, index: int) -> bytes:
        return self.buffer[self.offsets[index] : self.offsets[index + 1]].tobytes()

    def __iter__(self) -> Iterator[bytes]:
        data, bounds = self.buffer.tobytes(), self.offsets.tolist()
        return (data[a:b] for a, b in itertools.pairwise(bounds))

    @property
    def lengths(self) -> I64Array:
        """int64 (n,): the length of each string, in bytes."""
        return np.diff(self.offsets)


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """S label sets, in columns of references into one symbol table.

    symbols: the distinct label names and values as UTF-8, in byte order; ``symbols[0]`` is ``b""``.
    names:   uint32 (L,), references of the label names, ascending.
    values:  uint32 (S, L), references of the label values; 0 means that the series has no such label.
    Rows are distinct and in label order (names first, then values, bytewise), as a block wants them.
    """

    symbols: RaggedBytes
    names: U32Array
    values: U32Array

    def __len__(self) -> int:
        return int(self.values.shape[0])

    def label_set(self, row: int) -> LabelSet:
        """One series' labels, decoded. For messages and small things: do not loop over all rows in hot paths."""
        pairs = zip(self.names.tolist(), self.values[row].tolist(), strict=True)
        return tuple((self.symbols[n].decode(), self.symbols[v].decode()) for n, v in pairs if v)


@dataclass(frozen=True, slots=True, eq=False)
class SeriesBatch:
    """Samples of the series ``first_series`` … of a fleet.

    timestamps: int64 ms, (T,) where all series share the grid, else (T, S); ascending along T.
    values:     float64 (T, S), C order.
    present:    bool (T, S), or None where every sample is there.
    """

    fleet: Fleet
    first_series: int
    timestamps: I64Array
    values: F64Array
    present: BoolArray | None = None

    @property
    def series(self) -> range:
        """The rows of the fleet that the columns stand for."""
        return range(self.first_series, self.first_series + int(self.values.shape[1]))

    @property
    def samples(self) -> int:
        """How many samples the batch holds."""
        return int(self.values.size if self.present is None else np.count_nonzero(self.present))
