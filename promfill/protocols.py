"""The interfaces between the parts: what a push needs of a source and a sink, and what verify needs of a store.

A sink takes batches in the order of the tiles that it asked for, and is then told either that all came (`commit`) or
that the push ended before (`abort`). It never sorts, and never holds more than it must. A store is asked for series in
a range of time, and yields them whole. All stores return the same arrays, in memory that does not grow with what they
hold; so there is one comparison (`promfill.operations.verify`), whatever the samples were read from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from promfill.errors import RefusedError
from promfill.model.batch import Fleet, LabelSet, SeriesBatch
from promfill.model.grid import Grid, Tile
from promfill.model.ragged_batch import RaggedBatch

if TYPE_CHECKING:
    from promfill.model.row_finder import RowFinder


@dataclass(slots=True)
class SinkReport:
    """What has arrived: samples and bytes that are complete and visible, and the paths that hold them.

    `details` is the sink's own part of the result for programs: plain values only.
    """

    samples: int = 0
    bytes: int = 0
    paths: list[Path] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    ready: deque[Path] = field(default_factory=deque)

    def take_ready(self) -> list[Path]:
        """The paths completed, or found complete, since the last call. `ready` may grow in any thread."""
        return [self.ready.popleft() for _ in range(len(self.ready))]

    def add(self, other: SinkReport) -> None:
        """Add what another worker's sink reports; details that are counts add up."""
        self.samples += other.samples
        self.bytes += other.bytes
        self.paths += other.paths
        for name, value in other.details.items():
            self.details[name] = self.details[name] + value if name in self.details else value


class Source(Protocol):
    """Makes the samples of a push, any tile alone (`promfill.testing.check_source` says what must hold)."""

    @property
    def fleet(self) -> Fleet:
        """All series, in label order."""
        ...

    @property
    def grid(self) -> Grid:
        """All times."""
        ...

    @property
    def samples(self) -> int:
        """How many samples there are in all."""
        ...

    def batch(self, tile: Tile) -> SeriesBatch:
        """The samples of a tile: the same bits at every call. Its arrays are valid until the next call."""
        ...

    def identity(self) -> bytes:
        """32 bytes that differ if any sample's label set, time or value differs."""
        ...


class Sink(Protocol):
    """A writer to the world, fed by `promfill.pipeline.push.push`."""

    report: SinkReport
    """What has arrived so far."""

    def tiles(self) -> Iterator[Tile]:
        """The tiles that are still to be written, in the order in which `write` wants them."""

    def write(self, batch: SeriesBatch) -> None:
        """Write the batch of the next tile; its arrays are valid until the next one. RunError if that fails."""

    def commit(self) -> SinkReport:
        """All batches came: make the output complete and visible."""

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """Bytes that a sample like those of the batch takes: an estimate, written nowhere."""

    def abort(self) -> None:
        """The push ended early: leave nothing half written."""


class TooMuchError(RefusedError):
    """The answer would be larger than the store gives at once; an answer for less time may fit."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples to read: series with all these labels (``__name__`` among them), start … end in ms, both included."""

    labels: LabelSet
    start: int
    end: int


@dataclass(frozen=True, slots=True, eq=False)
class Readings:
    """Some series as a store holds them, each with all its samples of the selection.

    samples:   a run for each series; rows are those of the fleet, -1 for a series that is not in the fleet.
    strangers: the label sets of the series with row -1, in order.
    """

    samples: RaggedBatch
    strangers: Sequence[LabelSet] = ()


class Store(Protocol):
    """Reads a store. Each series of the selection is in exactly one of the `Readings`.

    Samples outside the selection's range are skipped: chunks, and the ranges of Prometheus 2, may reach beyond it.
    """

    name: str
    """What the report calls the store; contains no secret."""

    keeps_bits: bool
    """False if the store rounds the values that it is given."""

    @property
    def shows_within(self) -> float:
        """Seconds until acknowledged samples can be read, 0 if they can at once; known after a read."""
        ...

    shows_markers: bool
    """False if staleness markers cannot be read: verify then says that it did not look for them."""

    unchecked: str
    """What this way of reading cannot see, in words; empty if it sees everything."""

    most_samples: int | None
    """The most samples that one `read` may cover, None if the store streams."""

    def read(self, selection: Selection, rows: RowFinder) -> Iterator[Readings]:
        """Series by series, in any order; arrays are valid until the next step. ReceiverError or FormatError.

        TooMuchError, before the first series: the store does not answer so much at once.
        """
        ...

    def pending(self) -> int:
        """Samples that the store says it has accepted, and does not show yet."""
        ...


@runtime_checkable
class TellsEmptiness(Protocol):
    """A store that is read in many spans of time, and can tell by one short answer that there is nothing to read."""

    def is_empty(self, selection: Selection) -> bool:
        """Whether it holds no sample of the selection; False if it does not tell. NoAnswerError: no answer came."""
        ...
