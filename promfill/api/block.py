"""Read blocks on disk: list their series, and get their samples as arrays.

with open_block("data/01J…") as block:
    for batch in block.select('vpn{job="vpn"}').batches():
        batch.times, batch.values, batch.bounds
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from promfill.api.names import python_names
from promfill.api.series import SeriesLabels
from promfill.api.values import Time, now_ms, path, text, time_ms, to_datetime, whole
from promfill.blocks import block as blocks
from promfill.blocks.matchers import parse_selector
from promfill.errors import InputError
from promfill.model.types import F64Array, I64Array

if TYPE_CHECKING:
    from numpy.typing import NDArray

BATCH_SAMPLES = 600_000


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class RaggedBatch:
    """Samples of some series, each with its own times.

    Series i has the samples from ``bounds[i]`` up to but not including ``bounds[i + 1]``. series: the labels of the S
    series. bounds: int64 (S + 1,), from 0 to N, non-decreasing. times: int64 (N,), Unix ms, ascending within a series.
    values: float64 (N,); a staleness marker is a NaN with the bits 0x7FF0000000000002.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> with open_block(push(scenario, Blocks("data")).paths[0]) as block:
    ...     (batch,) = block.select("vpn").batches()
    >>> batch, batch.bounds, batch.times[:2]
    (RaggedBatch: 288 samples, 1 series, array([  0, 288]), array([1704067200000, 1704067500000]))
    """

    series: SeriesLabels = field(repr=False)
    bounds: I64Array
    times: I64Array
    values: F64Array

    @property
    def samples(self) -> int:
        """The number of samples in this batch."""
        return int(self.times.size)

    def __repr__(self) -> str:
        return f"RaggedBatch: {self.samples:,} samples, {len(self.series):,} series"


class Selection:
    """Some series of an open block, in label order.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> with open_block(push(scenario, Blocks("data")).paths[0]) as block:
    ...     len(block.select("vpn")), len(block.select('{__name__!="vpn"}'))
    (1, 0)
    """

    def __init__(self, block: Block, rows: NDArray[np.int64], start: int | None, end: int | None) -> None:
        self._block, self._rows, self._start, self._end = block, rows, start, end

    @property
    def series(self) -> SeriesLabels:
        """The labels of the selected series, including ``__name__``."""
        return self._block._labels(self._rows.tolist())

    def __len__(self) -> int:
        return int(self._rows.size)

    def batches(self, samples: int = BATCH_SAMPLES) -> Iterator[RaggedBatch]:
        """The samples in batches of whole series: about `samples` at most, or one series. You may keep the arrays.

        FormatError: the block is damaged, or holds histograms, which promfill cannot read yet.
        """
        return self._batches(whole(samples, "samples", 1))

    def _batches(self, samples: int) -> Iterator[RaggedBatch]:
        last = None if self._end is None else self._end - 1
        for run in self._block._reader.samples(self._rows, min_time=self._start, max_time=last, at_once=samples):
            labels = self._block._labels(run.rows.tolist())
            yield RaggedBatch(labels, run.bounds.copy(), run.times.copy(), run.values.copy())

    def __repr__(self) -> str:
        return f"Selection: {len(self):,} series of block {self._block.ulid}"


class Block(AbstractContextManager["Block"]):
    """A block on disk, open for reading; see `open_block`. Close it with `close` or by a ``with`` statement.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> with open_block(push(scenario, Blocks("data")).paths[0]) as block:
    ...     block.samples, block.label_names(), str(block.start)
    (288, ['__name__'], '2024-01-01 00:00:00+00:00')
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open: blocks.Block | None = blocks.open_block(path)
        self._meta = self._open.meta

    @property
    def ulid(self) -> str:
        """The block's identifier, which is also the name of its directory."""
        return self._meta.ulid

    @property
    def start(self) -> datetime:
        """The start of the block's time range, included."""
        return to_datetime(self._meta.min_time)

    @property
    def end(self) -> datetime:
        """The end of the block's time range, not included."""
        return to_datetime(self._meta.max_time)

    @property
    def samples(self) -> int:
        """The number of samples in the block."""
        return self._meta.stats.samples

    @property
    def series(self) -> SeriesLabels:
        """The labels of all series in the block, in label order."""
        return self._labels(range(len(self._reader)))

    def label_names(self) -> list[str]:
        """The names of all labels in the block."""
        return self._reader.label_names()

    def label_values(self, name: str) -> list[str]:
        """The values of a label; an empty list if no series has the label."""
        return self._reader.label_values(text(name, "name"))

    def select(self, selector: str = "", *, start: Time | None = None, end: Time | None = None) -> Selection:
        """The series that match a PromQL selector, such as ``vpn{instance=~"host-[12]"}``; all series without one.

        start, end: select only samples at start <= time < end. InputError: the selector or a time is not valid.
        """
        low, high = (_time(value, field) for value, field in ((start, "start"), (end, "end")))
        with python_names("selector"):
            matchers = parse_selector(text(selector, "selector")) if selector else []
            return Selection(self, self._reader.select(matchers), low, high)

    def close(self) -> None:
        """Close the files. Batches stay valid; while you keep one, its labels keep the index file mapped."""
        self._open = None

    @property
    def _reader(self) -> blocks.Block:
        if self._open is None:
            raise InputError(f"block {self.ulid} is closed", "open it again by pf.open_block")
        return self._open

    def _labels(self, rows: list[int] | range) -> SeriesLabels:
        return SeriesLabels(self._reader.label_set, rows)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        stats = self._meta.stats
        return f"Block {self.ulid}: {stats.series:,} series, {stats.samples:,} samples, from {self.start} to {self.end}"


def _time(value: Time | None, field: str) -> int | None:
    with python_names(field):
        return None if value is None else time_ms(value, field, now_ms(), 1)


def open_block(path_: str | Path) -> Block:
    """Open a block directory, written by Prometheus, promtool, promfill, or the compactors of Mimir and Thanos.

    Files are mapped into memory, not loaded. Every checksum is checked before the data that it covers is used.
    InputError: this is not a block directory. FormatError, with file and place: the block is damaged.

    >>> scenario = Scenario([Metric("vpn")], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z")
    >>> with open_block(push(scenario, Blocks("data")).paths[0]) as block:
    ...     list(block.series)
    [{'__name__': 'vpn'}]
    """
    with python_names("path"):
        return Block(path(path_, "path"))
