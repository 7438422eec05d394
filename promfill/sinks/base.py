"""What a sink is: the world's side of a push.

A sink takes batches in the order of the tiles that it asked for, and is then told either that all came
(`commit`) or that the push ended before (`abort`). It never sorts, and never holds more than it must.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from promfill.model import SeriesBatch
from promfill.plan import Tile


@dataclass(slots=True)
class SinkReport:
    """What has arrived: samples and bytes that are whole and visible, and the paths that hold them.

    `details` is the sink's own part of ``--json``: plain values only.
    """

    samples: int = 0
    bytes: int = 0
    paths: list[Path] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    ready: deque[Path] = field(default_factory=deque)

    def take_ready(self) -> list[Path]:
        """The paths that have become whole, or were found so, since the last call. `ready` may grow in any thread."""
        return [self.ready.popleft() for _ in range(len(self.ready))]

    def add(self, other: SinkReport) -> None:
        """Take in what another worker's sink reports; details that are counts add up."""
        self.samples += other.samples
        self.bytes += other.bytes
        self.paths += other.paths
        for name, value in other.details.items():
            self.details[name] = self.details[name] + value if name in self.details else value


class Sink(Protocol):
    """A writer to the world, fed by `promfill.push.push`."""

    report: SinkReport
    """What has arrived so far."""

    def tiles(self) -> Iterator[Tile]:
        """The tiles that are still to be written, in the order in which `write` wants them."""

    def write(self, batch: SeriesBatch) -> None:
        """Take the batch of the next tile; its arrays hold until the next one. RunError where the world refuses it."""

    def commit(self) -> SinkReport:
        """All came: make it whole and visible."""

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        """What a sample like those of the batch takes: an estimate, written nowhere."""

    def abort(self) -> None:
        """The push ended early: leave nothing half written."""
