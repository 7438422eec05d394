"""Parts of an index that are the same in every block: kept for small fleets, made each time for large ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Batches(Generic[T]):
    """``make(run)`` for each run, in order, at every pass; made once if the results are kept.

    Do not change what is made.
    """

    def __init__(self, make: Callable[[slice], T], runs: Sequence[slice], *, keep: bool) -> None:
        self._make, self._runs = make, runs
        self._kept: list[T] | None = [make(run) for run in runs] if keep else None

    def __iter__(self) -> Iterator[T]:
        return iter(self._kept) if self._kept is not None else map(self._make, self._runs)
