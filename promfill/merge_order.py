"""Which of several samples of one time Prometheus keeps, where blocks overlap and disagree.

Its merging queriers (storage/merge.go) stand on Go's container/heap, and of equal ones the heap takes whichever its
swaps have brought to the top: of two blocks with the same times the second's samples, of more now these, now those.
To print what it prints, its heaps are gone through step by step: scalar code, for the few series where that matters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class GoHeap(Generic[T]):
    """Go's container/heap: the same swaps, so that equal keys come out in the same order."""

    def __init__(self) -> None:
        self._items: list[tuple[int, T]] = []

    def __len__(self) -> int:
        return len(self._items)

    @property
    def key(self) -> int:
        """The least key."""
        return self._items[0][0]

    def push(self, key: int, item: T) -> None:
        """Add an item."""
        self._items.append((key, item))
        place = len(self) - 1
        while place and self._items[place][0] < self._items[(place - 1) // 2][0]:
            self._swap(place, (place - 1) // 2)
            place = (place - 1) // 2

    def pop(self) -> T:
        """Take the item with the least key."""
        last = len(self) - 1
        self._swap(0, last)
        place = 0
        while (child := 2 * place + 1) < last:
            if child + 1 < last and self._items[child + 1][0] < self._items[child][0]:
                child += 1
            if self._items[child][0] >= self._items[place][0]:
                break
            self._swap(place, child)
            place = child
        return self._items.pop()[1]

    def _swap(self, one: int, other: int) -> None:
        self._items[one], self._items[other] = self._items[other], self._items[one]


def series_orders(sets: Sequence[Sequence[int]]) -> Iterator[tuple[int, list[int]]]:
    """For each series number, rising, the sets that hold it, in the order in which Prometheus chains them.

    sets: the rising series numbers of each block, the blocks in the order of time.
    """
    cursors = [iter(numbers) for numbers in sets]
    heap: GoHeap[int] = GoHeap()
    current = list(range(len(sets)))
    while True:
        for place in current:
            number = next(cursors[place], None)
            if number is not None:
                heap.push(number, place)
        if not heap:
            return
        number, current = heap.key, []
        while heap and heap.key == number:
            current.append(heap.pop())
        yield number, current


def chain(times: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """The samples that Prometheus keeps of one series: (part, place in it), in the order of time.

    times: the rising times of each part, the parts in the order in which they are chained.
    """
    places = [0] + [0] * (len(times) - 1)
    heap: GoHeap[int] = GoHeap()
    for part in range(1, len(times)):
        if times[part]:
            heap.push(times[part][0], part)
    part, place, last = 0, -1, -(1 << 63)
    while True:
        place += 1
        if place < len(times[part]):
            time = times[part][place]
            if time == last:
                continue
            if not heap or time < heap.key:
                last = time
                yield part, place
                continue
            places[part] = place
            heap.push(time, part)
        elif not heap:
            return
        part = heap.pop()
        place = places[part]
        if times[part][place] != last:
            last = times[part][place]
            yield part, place
