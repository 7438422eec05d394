from __future__ import annotations

import numpy as np
import pytest

from promfill.model.batch import LabelSet
from promfill.model.row_finder import RowFinder
from promfill.scenario.label_patterns import parse_labels
from promfill.sources.expand_labels import build_fleet, fleet_from_label_sets

FLEET = build_fleet("m", parse_labels(["host={1..20},zone={a,b},job=x"]).patterns)
UNEVEN: list[LabelSet] = [
    (("__name__", "m"), ("a", "1")),
    (("__name__", "m"), ("a", "1"), ("b", "2")),
    (("__name__", "m"), ("b", "2")),
]


def test_every_label_set_finds_its_row_whatever_the_order_of_its_labels() -> None:
    finder = RowFinder(FLEET)
    label_sets = [FLEET.label_set(row)[::-1] for row in range(len(FLEET))]
    assert finder.find(label_sets).tolist() == list(range(40))
    assert len(finder) == 40


@pytest.mark.parametrize(
    "labels",
    [
        (),
        (("__name__", "m"), ("host", "1"), ("zone", "a")),
        (("__name__", "m"), ("host", "1"), ("job", "x"), ("zone", "c")),
        (("__name__", "m"), ("host", "21"), ("job", "x"), ("zone", "a")),
        (("__name__", "m"), ("host", "1"), ("job", "x"), ("more", "y"), ("zone", "a")),
        (("__name__", "m"), ("host", "a"), ("job", "x"), ("zone", "1")),
    ],
)
def test_a_label_set_that_is_not_there_has_no_row(labels: LabelSet) -> None:
    assert RowFinder(FLEET).find([labels]).tolist() == [-1]


def test_labels_that_the_server_adds_do_not_count_unless_they_are_the_fleets_own() -> None:
    finder = RowFinder(FLEET)
    added = [(("cluster", "c"), *FLEET.label_set(7)), (("__name__", "m"), ("host", "1"), ("zone", "a"), ("job", "y"))]
    assert finder.find(added, {"cluster", "job"}).tolist() == [7, -1]
    assert finder.find(added).tolist() == [-1, -1]


def test_labels_that_some_series_lack() -> None:
    fleet, _ = fleet_from_label_sets(UNEVEN)
    finder = RowFinder(fleet)
    assert finder.find([fleet.label_set(row) for row in range(3)]).tolist() == [0, 1, 2]
    assert finder.find([(("__name__", "m"),)]).tolist() == [-1]


def test_the_series_of_another_fleet_are_found_without_decoding_them() -> None:
    ours, _ = fleet_from_label_sets(UNEVEN)
    other, _ = fleet_from_label_sets(
        [*UNEVEN[1:], (("__name__", "m"), ("a", "1"), ("c", "3")), (("__name__", "z"), ("b", "2"))]
    )
    finder = RowFinder(ours)
    found = finder.find_fleet(other)
    np.testing.assert_array_equal(found, finder.find([other.label_set(row) for row in range(len(other))]))
    assert sorted(found.tolist()) == [-1, -1, 1, 2]
