"""Labels of many series, decoded where they are looked at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import overload

Labels = dict[str, str]
"""The labels of one series, ``__name__`` among them, sorted by name."""


class SeriesLabels(Sequence[Labels]):
    """The labels of some series, each a dict when it is looked at. A slice is another one, and copies nothing.

    decode: the label set of a row; rows: those of these series.

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
