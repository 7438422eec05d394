"""Which stores take a whole block, at the edge of each rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from promfill.rules.mimir import BlockFacts
from promfill.rules.verdicts import HOUR, STORES, THANOS_MAX_INDEX, WholeBlock, refused, verdicts

DAY = 24 * HOUR
NOW = 1_790_000_000_000
MIDNIGHT = NOW // DAY * DAY
YESTERDAY = (MIDNIGHT - DAY, MIDNIGHT - DAY + HOUR)
"""Nothing is to be said of a block of these times: it ends long before the last three hours."""


def whole(times: tuple[int, int] = YESTERDAY, index: int = 2, size: int = 100, **thanos: Any) -> WholeBlock:
    document = {"version": 1, "minTime": times[0], "maxTime": times[1], "thanos": {"labels": {"a": "b"}, **thanos}}
    return WholeBlock(BlockFacts(document, {"index": size, "chunks/000001": 9}, index), {1: 1})


def said(block: WholeBlock, store: str, now: int = NOW) -> tuple[list[str], list[str]]:
    verdict = verdicts(block, now)[store]
    assert verdict.takes is (not verdict.reasons)
    return verdict.reasons, verdict.notes


def one(texts: list[str]) -> str:
    (text,) = texts
    return text


def test_nothing_is_said_of_a_plain_block() -> None:
    assert said(whole(), "Prometheus") == said(whole(), "Thanos") == ([], [])
    assert said(whole(labels={}), "Mimir") == ([], [])
    assert list(verdicts(whole(), NOW)) == list(STORES)


def test_a_damaged_block_is_taken_nowhere() -> None:
    found = refused("it is damaged")
    assert list(found) == list(STORES)
    assert all(
        (verdict.takes, verdict.reasons, verdict.notes) == (False, ["it is damaged"], []) for verdict in found.values()
    )
    found["Mimir"].reasons.append("another")
    assert found["Thanos"].reasons == ["it is damaged"]


@pytest.mark.parametrize(
    ("end", "reasons", "notes"),
    [
        (NOW + 2, ["ends after now"], []),
        (NOW + 1, [], ["last 3 hours"]),  # its newest sample is at now
        (NOW, [], ["last 3 hours"]),
        (NOW - 3 * HOUR + 1, [], ["last 3 hours"]),
        (NOW - 3 * HOUR, [], []),
        (NOW - 15 * DAY, [], []),
        (NOW - 15 * DAY - 1, [], ["15 days"]),
    ],
)
def test_what_prometheus_does_goes_by_the_end(end: int, reasons: list[str], notes: list[str]) -> None:
    found = said(whole((end - HOUR, end)), "Prometheus")
    for texts, words in zip(found, (reasons, notes), strict=True):
        assert len(texts) == len(words)
        assert all(word in text for text, word in zip(texts, words, strict=True))


def test_what_prometheus_reads() -> None:
    assert "2.53.5" in one(said(whole(index=3), "Prometheus")[1])
    notes = said(replace(whole(), chunks={1: 1, 2: 1, 3: 1, 4: 1}), "Prometheus")[1]
    assert "XOR2" in one(notes)
    assert said(replace(whole(), chunks={1: 1, 2: 1, 3: 1}), "Prometheus") == ([], [])
    assert len(said(replace(whole(), chunks={6: 1, 5: 1, 4: 1}), "Prometheus")[1]) == 3
    assert "overlaps" in one(said(replace(whole(), overlaps=["b"]), "Prometheus")[1])


def test_mimir_takes_what_breaks_no_rule_of_its_own() -> None:
    reasons, notes = said(whole(), "Mimir")
    assert ("external label" in one(reasons), notes) == (True, [])
    reasons, notes = said(replace(whole((MIDNIGHT - 1, MIDNIGHT + 1), labels={}), has_tombstones=True), "Mimir")
    assert "midnight" in one(reasons)
    assert "tombstones" in one(notes)
    assert said(whole((NOW - 5, NOW), labels={}), "Mimir", NOW - 1)[0]


@pytest.mark.parametrize("resolution", [0, 300_000, 3_600_000])
def test_thanos_takes_its_own_resolutions(resolution: int) -> None:
    assert said(whole(downsample={"resolution": resolution}), "Thanos") == ([], [])


@pytest.mark.parametrize("section", [{"labels": {}}, {"labels": None}, {"downsample": {"resolution": 60_000}}])
def test_thanos_refuses_other_resolutions_and_blocks_without_labels(section: dict[str, Any]) -> None:
    reasons, _ = said(whole(**section), "Thanos")
    assert ("external labels" in one(reasons)) == ("labels" in section)
    assert ("60000 ms" in one(reasons)) == ("downsample" in section)


def test_thanos_halts_on_twins_alone() -> None:
    assert said(replace(whole(), overlaps=["other"]), "Thanos") == ([], [])
    assert "as twin does" in one(said(replace(whole(), overlaps=["twin"], twins=["twin", "third"]), "Thanos")[0])


def test_thanos_reads_the_old_encodings_alone() -> None:
    assert said(replace(whole(), chunks={1: 1, 2: 1, 3: 1}), "Thanos") == ([], [])
    reasons, _ = said(replace(whole(), chunks={5: 1, 4: 2, 1: 1}), "Thanos")
    assert len(reasons) == 2
    assert "XOR2" in reasons[0]


@pytest.mark.parametrize(("size", "takes"), [(THANOS_MAX_INDEX, True), (THANOS_MAX_INDEX + 1, False)])
def test_thanos_has_a_largest_index(size: int, takes: bool) -> None:
    assert verdicts(whole(size=size), NOW)["Thanos"].takes is takes
    assert said(WholeBlock(BlockFacts(whole().facts.document, {}), {1: 1}), "Thanos") == ([], [])


@pytest.mark.parametrize(
    ("times", "crosses"),
    [((0, 14 * DAY), False), ((0, 14 * DAY + 1), True), ((14 * DAY - 1, 14 * DAY + 1), True), ((-1, 1), True)],
)
def test_thanos_compacts_nothing_across_a_border_of_14_days(times: tuple[int, int], crosses: bool) -> None:
    reasons, notes = said(whole(times), "Thanos")
    assert (reasons, ["14 days" in note for note in notes]) == ([], [True] * crosses)


def test_tombstones_are_not_read_by_thanos() -> None:
    assert "tombstones" in one(said(replace(whole(), has_tombstones=True), "Thanos")[1])
    assert said(replace(whole(), has_tombstones=True), "Prometheus") == ([], [])
