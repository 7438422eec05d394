from __future__ import annotations

from promfill.merge_order import GoHeap, chain, series_orders


def test_a_heap_gives_the_least_key_first() -> None:
    heap: GoHeap[str] = GoHeap()
    for key in (5, 3, 8, 1, 9, 3):
        heap.push(key, str(key))
    assert [heap.pop() for _ in range(len(heap))] == ["1", "3", "3", "5", "8", "9"]


def test_each_series_with_the_sets_that_hold_it() -> None:
    found = {number: sorted(order) for number, order in series_orders([[0, 2, 5], [2, 3], [], [5, 2**40]])}
    assert found == {0: [0], 2: [0, 1], 3: [1], 5: [0, 3], 2**40: [3]}


def test_of_two_with_the_same_times_the_second_wins_and_of_three_it_depends() -> None:
    assert list(chain([[1, 2, 3, 4], [1, 2, 3, 4]])) == [(1, 0), (1, 1), (1, 2), (1, 3)]
    assert [part for part, _ in chain([[1, 2, 3, 4]] * 3)] == [1, 0, 2, 1]


def test_every_time_once_and_in_order() -> None:
    times = [[1, 4, 9], [], [2, 4, 8, 9], [9, 10]]
    assert [times[part][place] for part, place in chain(times)] == [1, 2, 4, 8, 9, 10]
    assert list(chain([[]])) == list(chain([[], []])) == []
