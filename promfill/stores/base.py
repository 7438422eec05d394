"""What a store is to `promfill.verify`: something that is asked for series of a range of time, and yields them whole.

All stores hand out the same arrays, in memory that does not grow with what they hold; so there is one comparison,
whatever the samples were read from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from promfill.errors import RefusedError
from promfill.model import LabelSet

if TYPE_CHECKING:
    from promfill.stores.rows import RowFinder

BATCH_SAMPLES = 600_000
"""Samples of one `Readings`, as far as whole series allow: large enough that array calls cost nothing."""


class TooMuchError(RefusedError):
    """The answer would be larger than the store gives at once: that of less time may not be."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples to read: series with all these labels (``__name__`` among them), start … end in ms, both included."""

    labels: LabelSet
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Some series as a store holds them, each with all its samples of the selection, one after the other.

    rows:      int64 (n,), the fleet's row that each series is, -1 where it is none of the fleet's.
    counts:    int64 (n,), samples of each series.
    times:     int64 (N,) ms; N is the sum of the counts.
    bits:      uint64 (N,), the float64 values by bits.
    strangers: the label sets of the series whose row is -1, in order.
    """

    rows: NDArray[np.int64]
    counts: NDArray[np.int64]
    times: NDArray[np.int64]
    bits: NDArray[np.uint64]
    strangers: Sequence[LabelSet] = ()


class Store(Protocol):
    """A reader of the world. Each series of the selection stands in one of the `Readings`, and only there.

    Samples beside the selection's range are looked over: chunks, and the ranges of Prometheus 2, may reach beyond it.
    """

    name: str
    """What the report calls it; no secret in it."""

    keeps_bits: bool
    """False where the store rounds what it is given."""

    @property
    def shows_within(self) -> float:
        """Seconds that acknowledged samples may take to be readable, 0 where they are at once; known after a read."""
        ...

    shows_markers: bool
    """False where staleness markers cannot be read: verify then says that it did not look for them."""

    unchecked: str
    """What this way of reading cannot see, in words; empty where it sees all."""

    most_samples: int | None
    """Samples that one `read` may cover in all, None where the store streams."""

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """Series by series, in any order; arrays are valid until the next step. ReceiverError or FormatError.

        TooMuchError, before the first of them: so much is not answered at once.
        """
        ...

    def pending(self) -> int:
        """Samples that the store says it has taken and does not show yet."""
        ...


@runtime_checkable
class TellsEmptiness(Protocol):
    """A store that is read in many spans of time, and can say by one short answer that there is nothing to read."""

    def is_empty(self, selection: Selection) -> bool:
        """Whether it holds no sample of the selection; False where it does not tell. NoAnswerError: nobody answers."""
        ...
