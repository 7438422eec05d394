import numpy as np
import pytest

from promfill.codecs.block.cut import cut_runs


def spans(runs: list[slice]) -> list[tuple[int, int]]:
    return [(run.start, run.stop) for run in runs]


@pytest.mark.parametrize(
    ("sizes", "limit", "runs"),
    [
        ([], 5, []),
        ([5], 5, [(0, 1)]),
        ([1, 2, 2, 5, 1], 5, [(0, 3), (3, 4), (4, 5)]),
        ([9, 1, 9, 9], 5, [(0, 1), (1, 2), (2, 3), (3, 4)]),
        ([0, 0, 5, 0, 1, 0], 5, [(0, 4), (4, 6)]),
    ],
)
def test_runs(sizes: list[int], limit: int, runs: list[tuple[int, int]]) -> None:
    assert spans(cut_runs(np.array(sizes, np.int64), limit)) == runs


@pytest.mark.parametrize(
    ("first_limit", "runs"),
    [(0, [(0, 0), (0, 2), (2, 3)]), (2, [(0, 1), (1, 3)]), (9, [(0, 3)]), (-3, [(0, 0), (0, 2), (2, 3)])],
)
def test_the_first_run_has_less_room(first_limit: int, runs: list[tuple[int, int]]) -> None:
    assert spans(cut_runs(np.array([2, 3, 2], np.int64), 5, first_limit)) == runs
