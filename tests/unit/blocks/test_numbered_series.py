"""Series of several blocks under common numbers, read some at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from promfill.blocks.block import Block, open_block
from promfill.blocks.numbered_series import NumberedSeries, groups, series_at_once
from promfill.errors import FormatError
from promfill.model.batch import LabelSet
from tests.support.blocks import write_block

SERIES: list[LabelSet] = [(("n", f"{number}"),) for number in range(4)]


@pytest.fixture
def block(tmp_path: Path) -> Block:
    """Series n has n + 1 samples."""
    return open_block(
        write_block(tmp_path, {one: [[(10 * place, n) for place in range(n + 1)]] for n, one in enumerate(SERIES)})
    )


def numbered(block: Block, *numbers: int) -> NumberedSeries:
    """Its first series under these numbers."""
    return NumberedSeries.sorted(block, np.arange(len(numbers)), np.array(numbers, np.int64))


def told(part: NumberedSeries) -> list[tuple[int, int]]:
    return list(zip(part.rows.tolist(), part.numbers.tolist(), strict=True))


def test_they_are_sorted_by_their_numbers(block: Block) -> None:
    assert told(numbered(block, 9, 2, 5)) == [(1, 2), (2, 5), (0, 9)]


@pytest.mark.parametrize(
    ("first", "stop", "kept"),
    [(0, 10, [(1, 2), (2, 5), (0, 9)]), (2, 9, [(1, 2), (2, 5)]), (3, 6, [(2, 5)]), (6, 9, []), (9, 10, [(0, 9)])],
)
def test_a_cut_has_the_first_and_not_the_stop(block: Block, first: int, stop: int, kept: list[tuple[int, int]]) -> None:
    assert told(numbered(block, 9, 2, 5).cut(first, stop)) == kept


@pytest.mark.parametrize("most", [1, 2, 3, 5, 100])
def test_groups_hold_all_cut_at_the_same_numbers(block: Block, most: int) -> None:
    parts = [numbered(block, 0, 3, 7), numbered(block, 1, 3, 4, 12), numbered(block)]
    for group in groups(parts, most):
        numbers = [number for part in group for number in part.numbers.tolist()]
        assert len({number // most for number in numbers}) == 1, "of one stretch"
        assert all(part.rows.size == part.numbers.size > 0 for part in group)
    joined = sorted(row for group in groups(parts, most) for part in group for row in told(part))
    assert joined == sorted(told(parts[0]) + told(parts[1]))


def test_no_series_make_no_group(block: Block) -> None:
    assert list(groups([], 5)) == list(groups([numbered(block)], 5)) == []


def test_samples_have_the_numbers_as_their_rows(block: Block) -> None:
    (samples,) = numbered(block, 9, 2, 5, 7).samples(0, 10)
    assert samples.rows.tolist() == [2, 5, 7, 9]
    assert np.diff(samples.bounds).tolist() == [2, 2, 2, 1]
    ((samples, stops),) = numbered(block, 9, 2).samples_until_histograms(0, 100)
    assert (samples.rows.tolist(), np.diff(samples.bounds).tolist(), stops.size) == ([2, 9], [2, 1], 2)


def test_numbers_go_on_in_the_next_batch(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("promfill.blocks.block._CHUNKS_AT_ONCE", 1)
    rows = [samples.rows.tolist() for samples in numbered(block, 9, 2, 5, 7).samples(0, 100)]
    assert rows == [[2], [5], [7], [9]]
    found = [(one.rows.tolist(), stops.size) for one, stops in numbered(block, 9, 2).samples_until_histograms(0, 100)]
    assert found == [([2], 1), ([9], 1)]


def test_damage_names_the_block(block: Block) -> None:
    segment = block.path / "chunks" / "000001"
    segment.write_bytes(segment.read_bytes()[:-3] + b"\0\0\0")
    part = numbered(open_block(block.path), 0, 1, 2, 3)
    for read in (part.samples, part.samples_until_histograms):
        with pytest.raises(FormatError, match=str(block.path)):
            list(read(0, 100))


@pytest.mark.parametrize(("samples", "series"), [(10, 4), (9, 3), (2, 1), (0, 1), (1000, 400)])
def test_how_many_series_hold_so_many_samples(block: Block, samples: int, series: int) -> None:
    """The block holds 10 samples of 4 series; two blocks hold twice as many of each."""
    assert series_at_once([numbered(block, 0)], samples) == series
    assert series_at_once([numbered(block, 0)] * 2, 2 * samples) == series
    assert series_at_once([], samples) == max(1, samples)
