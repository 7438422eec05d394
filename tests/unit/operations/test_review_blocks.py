"""A directory of blocks, each reviewed: damage of one says nothing of the others, and overlaps are told by name."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from promfill.errors import InputError
from promfill.operations.review_blocks import BlockReview, review_blocks
from promfill.rules.verdicts import HOUR
from tests.support.blocks import ULID, write_block

NOW = 1_700_000_000_000
YESTERDAY = NOW // (24 * HOUR) * 24 * HOUR - 24 * HOUR
NAMES = [f"{ULID[:-1]}{digit}" for digit in "123456"]


def block(directory: Path, name: str, start: int, span: int = HOUR, labels: dict[str, str] | None = None) -> Path:
    """A block of two samples, the span apart, under its name; `labels` are external ones."""
    written = write_block(directory / "work", {(("__name__", "a"),): [[(start, 1), (start + span - 1, 2)]]})
    path = directory / "data" / name
    path.parent.mkdir(exist_ok=True)
    written.rename(path)
    document = json.loads((path / "meta.json").read_bytes())
    document["ulid"] = name
    document["compaction"]["sources"] = [name]
    document["thanos"] = {"labels": labels or {}}
    (path / "meta.json").write_text(json.dumps(document))
    return path


def by_name(reviews: Iterable[BlockReview]) -> dict[str, BlockReview]:
    return {review.path.name: review for review in reviews}


def test_blocks_that_are_right(tmp_path: Path) -> None:
    for number in range(3):
        block(tmp_path, NAMES[number], YESTERDAY + number * HOUR)
    found = list(review_blocks(tmp_path / "data", NOW))
    assert [review.path.name for review in found] == NAMES[:3]
    for review in found:
        assert review.wrong is None
        assert review.check
        assert (review.check.series, review.check.samples) == (1, {1: 2})
        assert review.stores["Mimir"].takes
        assert review.stores["Prometheus"].notes == []


def test_a_block_is_given_instead_of_the_directory(tmp_path: Path) -> None:
    path = block(tmp_path, NAMES[0], YESTERDAY)
    block(tmp_path, NAMES[1], YESTERDAY)
    (review,) = review_blocks(path, NOW)
    assert (review.path, review.wrong) == (path, None)


@pytest.mark.parametrize("name", ["index", "chunks/000001", "meta.json"])
@pytest.mark.parametrize("how", ["missing", "damaged", "empty"])
def test_damage_of_one_is_told_and_the_others_are_right(tmp_path: Path, name: str, how: str) -> None:
    paths = [block(tmp_path, NAMES[number], YESTERDAY) for number in range(2)]
    file = paths[0] / name
    content = file.read_bytes()
    file.write_bytes(
        b"" if how == "empty" else content[: len(content) // 2] + b"\xff" + content[len(content) // 2 + 1 :]
    )
    if how == "missing":
        file.unlink()
    found = by_name(review_blocks(tmp_path / "data", NOW))
    damaged, right = (found.get(name) for name in NAMES[:2])
    assert right
    assert (right.wrong, right.check is None) == (None, False)
    assert damaged
    assert damaged.wrong
    assert damaged.check is None
    assert str(paths[0]) + ": " not in damaged.wrong
    assert [verdict.takes for verdict in damaged.stores.values()] == [False] * 3


def test_samples_that_do_not_rise_are_damage(tmp_path: Path) -> None:
    """Their checksums are right: the samples themselves are looked at."""
    write_block(tmp_path, {(("__name__", "a"),): [[(0, 1), (5, 2), (5, 3), (9, 4)]]})
    (review,) = review_blocks(tmp_path, NOW)
    assert "times do not ascend" in str(review.wrong)


def test_a_block_under_another_name(tmp_path: Path) -> None:
    block(tmp_path, NAMES[0], YESTERDAY).rename(tmp_path / "data" / NAMES[4])
    (review,) = review_blocks(tmp_path / "data", NOW)
    assert review.wrong
    assert NAMES[0] in review.wrong
    assert review.check, "its samples are right"
    assert [verdict.takes for verdict in review.stores.values()] == [False] * 3


@pytest.mark.parametrize(
    ("start", "labels", "overlaps", "twins"),
    [
        (YESTERDAY + HOUR, {"a": "b"}, False, False),  # begins where the other ends
        (YESTERDAY + HOUR - 1, {"a": "b"}, True, True),
        (YESTERDAY - HOUR, {"a": "b"}, False, False),
        (YESTERDAY - HOUR + 1, {"a": "b"}, True, True),
        (YESTERDAY, {"a": "c"}, True, False),
        (YESTERDAY, {}, True, False),
    ],
)
def test_overlaps(tmp_path: Path, start: int, labels: dict[str, str], overlaps: bool, twins: bool) -> None:
    block(tmp_path, NAMES[0], YESTERDAY, labels={"a": "b"})
    block(tmp_path, NAMES[1], start, labels=labels)
    found = by_name(review_blocks(tmp_path / "data", NOW))[NAMES[0]].stores
    assert any("overlaps" in note for note in found["Prometheus"].notes) is overlaps
    assert found["Thanos"].takes is not twins
    assert all(NAMES[1] in reason for reason in found["Thanos"].reasons)


def test_the_time_is_now_where_none_is_given(tmp_path: Path) -> None:
    block(tmp_path, NAMES[0], YESTERDAY)
    (review,) = review_blocks(tmp_path / "data")
    assert any("15 days" in note for note in review.stores["Prometheus"].notes)
    (review,) = review_blocks(tmp_path / "data", YESTERDAY)
    assert not review.stores["Prometheus"].takes


def test_no_block_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no block"):
        review_blocks(tmp_path)
