"""The labels of many series, decoded only when they are accessed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

Labels = dict[str, str]
"""The labels of one series, including ``__name__``, sorted by name."""


class SeriesLabels(Sequence[Labels]):
    """A sequence of the labels of some series, each made as a dict when accessed. Slices copy nothing.

    decode: returns the label set of a row. rows: the rows of these series.

    >>> metric = Metric("vpn", labels={"instance": fan("host-{1..40}")})
    >>> series = Scenario([metric], start="2024-01-01T00:00:00Z", end="2024-01-02T00:00:00Z").series
    >>> series[:2], series[1]["instance"]
    (SeriesLabels: 2 series, 'host-10')
    """

    def __init__(self, decode: Callable[[int], tuple[tuple[str, str], ...]], rows: Sequence[int]) -> None:
        self._decode, self._rows = decode, rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Labels: ...
    @overload
    def __getitem__(self, index: slice) -> SeriesLabels: ...
    def __getitem__(self, index: int | slice) -> Labels | SeriesLabels:
        if isinstance(index, slice):
            return SeriesLabels(self._decode, self._rows[index])
        return dict(self._decode(int(self._rows[index])))

    def __repr__(self) -> str:
        return f"SeriesLabels: {len(self):,} series"
