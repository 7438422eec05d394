"""What is said of blocks that are to stand in a directory: the clock's edge, retention, neighbours, a live server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from promfill.rules.directory import SEVERE, Arrival, Span, overlapping, predict_from_text, predict_in_directory
from promfill.rules.finding import Finding
from promfill.rules.prometheus import LOG_MS, is_future
from promfill.rules.store_facts import StoreFacts
from promfill.scenario.times import DAY_MS

NOW = 1_795_000_000_000
MIDNIGHT = NOW // DAY_MS * DAY_MS
PROMETHEUS = StoreFacts("Prometheus", retention=15 * DAY_MS)
LONG = replace(PROMETHEUS, retention=1000 * DAY_MS)


def days(first: int, last: int, name: str = "") -> list[Span]:
    """Blocks of whole days, counted from the midnight before now, 10 samples in each."""
    return [
        Span(f"{name}{day}" if name else "", MIDNIGHT + day * DAY_MS, MIDNIGHT + (day + 1) * DAY_MS, 10)
        for day in range(first, last)
    ]


def ending(last: int, name: str = "") -> Span:
    """A block of one sample."""
    return Span(name, last, last + 1, 1)


def kinds(findings: Sequence[Finding]) -> dict[str, tuple[bool, int | None]]:
    return {finding.kind: (finding.loses, finding.samples) for finding in findings}


def text_of(findings: Sequence[Finding], kind: str) -> str:
    return next(f"{finding.text}; {finding.fix}" for finding in findings if finding.kind == kind)


@pytest.mark.parametrize(("last", "future"), [(NOW - 1, False), (NOW, False), (NOW + 1, True), (2**63 - 2, True)])
def test_a_sample_at_now_is_not_after_it(last: int, future: bool) -> None:
    assert is_future(last + 1, NOW) is future
    assert ("future" in kinds(predict_in_directory(Arrival([ending(last)]), NOW))) is future
    assert bool(predict_from_text(last, NOW)) is future


def test_the_future_says_what_running_and_starting_servers_do() -> None:
    found = predict_in_directory(Arrival([*days(-2, 0), ending(NOW + DAY_MS), ending(4_083_264_000_000)]), NOW)
    text = text_of(found, "future")
    assert "2 of 4 blocks end after now, the newest at 2099-05-24T00:00:00Z" in text
    assert "a running Prometheus" in text
    assert "a starting one" in text
    assert kinds(found)["future"] == (False, 2)
    assert not {"live", "recent"} & set(kinds(found))
    assert not SEVERE & set(kinds(found))  # nothing is there that could be lost


@pytest.mark.parametrize("store", [None, PROMETHEUS])
def test_a_future_end_deletes_the_blocks_that_are_there(store: StoreFacts | None) -> None:
    there = [*days(-20, -16, "old"), *days(-10, -8, "new")]
    found = predict_in_directory(Arrival([ending(NOW + 40 * DAY_MS)], there, Path("nowhere")), NOW, store)
    # The four old ones would go for a block that ends now as well: they are told of apart, and need no alarm.
    assert kinds(found)["future-deletes"] == (store is not None, 20)
    assert kinds(found)["displaced"] == (False, 40)
    assert "blocks nowhere/new-10, new-9 (20 samples)" in text_of(found, "future-deletes")
    again = Arrival([ending(NOW + 40 * DAY_MS)], [*there, ending(NOW + 50 * DAY_MS, "late")], Path("nowhere"))
    assert not {"future-deletes", "displaced"} & set(kinds(predict_in_directory(again, NOW, store)))


def test_a_longer_retention_deletes_nothing() -> None:
    found = predict_in_directory(Arrival([ending(NOW + 40 * DAY_MS)], days(-20, -16, "a")), NOW, LONG)
    assert set(kinds(found)) == {"future"}


def test_newer_blocks_push_older_ones_out() -> None:
    there = days(-60, -40, "a")
    found = predict_in_directory(Arrival(days(-20, 0), there, Path("nowhere")), NOW)
    # Five of the twenty are too old beside their own newest one already: these are not to blame for them.
    assert kinds(found)["displaced"] == (False, 150)
    assert "blocks nowhere/a-55, a-54, a-53 and 12 more (150 samples)" in text_of(found, "displaced")
    assert "displaced" not in kinds(predict_in_directory(Arrival(days(-20, 0), days(-14, 0, "a")), NOW))
    assert "displaced" not in kinds(predict_in_directory(Arrival(days(-80, -70), there), NOW))


def test_what_is_deleted_of_blocks_to_come_is_counted_by_the_newest_block_there() -> None:
    found = predict_in_directory(Arrival(days(-20, -18), [ending(NOW - DAY_MS, "new")]), NOW)
    assert kinds(found) == {"retention": (False, 20)}
    assert "20 of 20 samples (100.0 %), because the existing block new ends at 20" in text_of(found, "retention")
    assert "those before" not in text_of(found, "retention")
    assert "retention" not in kinds(predict_in_directory(Arrival(days(-20, -18)), NOW))


@pytest.mark.parametrize("store", [None, PROMETHEUS])
def test_a_future_block_there_costs_an_innocent_push(store: StoreFacts | None) -> None:
    late = Arrival(days(-3, -1), [ending(NOW + 90 * DAY_MS, "late"), ending(NOW - 1)], Path("nowhere"))
    found = predict_in_directory(late, NOW, store)
    assert kinds(found) == {"retention": (store is not None, 20), "future-deletes": (False, 20)}
    assert set(kinds(found)) & SEVERE
    text = text_of(found, "retention")
    assert "20 of 20 samples (100.0 %), because the existing block late" in text
    assert "94d" in text  # not 4d: age is counted from the newest block
    text = text_of(found, "future-deletes")
    assert "block nowhere/late (1 samples) is already there, with samples after now up to 2027-" in text
    assert "and 20 of the 20 new samples would be lost because of that" in text
    assert "remove the blocks that end after now" in text
    # Too old by itself: the block after now is named all the same, and not to blame.
    old = predict_in_directory(replace(late, coming=days(-40, -38)), NOW, store)
    assert set(kinds(old)) == {"retention", "future"}
    soon = Arrival(days(-3, -1), [ending(NOW + 1, "soon")])
    assert kinds(predict_in_directory(soon, NOW, store)) == {"future": (False, 1)}
    now = Arrival([*days(-3, -1), ending(NOW)], [ending(NOW, "now")], Path("nowhere"))
    assert "future" not in kinds(predict_in_directory(now, NOW, LONG))


def test_the_border_is_told_for_both_kinds_of_servers() -> None:
    noons = [ending(MIDNIGHT - day * DAY_MS) for day in range(40)]
    unknown = predict_in_directory(Arrival(noons), NOW)
    assert kinds(unknown)["retention"] == (False, 25)
    assert "15 remain (16 before Prometheus 2.52)" in text_of(unknown, "retention")
    old = predict_in_directory(Arrival(noons), NOW, replace(PROMETHEUS, keeps_at_border=True))
    assert kinds(old)["retention"] == (True, 24)
    assert "2.52" not in text_of(old, "retention")


def test_other_stores_have_other_retentions() -> None:
    for store in (StoreFacts("VictoriaMetrics", retention=DAY_MS), StoreFacts("Prometheus")):
        assert predict_in_directory(Arrival(days(-40, -1)), NOW, store) == []
    found = predict_in_directory(
        Arrival([ending(NOW - 1)], directory=Path("nowhere")), NOW, StoreFacts("VictoriaMetrics")
    )
    assert set(kinds(found)) == {"recent"}  # it serves no blocks


@pytest.mark.parametrize("written", [None, 4, 1])
@pytest.mark.parametrize("ends", [LOG_MS + 1, LOG_MS, 0, -DAY_MS])
def test_a_log_in_use(tmp_path: Path, written: int | None, ends: int) -> None:
    if written is not None:
        (tmp_path / "wal").mkdir()
        (tmp_path / "wal" / "00000000").write_bytes(b"x")
        os.utime(tmp_path / "wal" / "00000000", (0, NOW / 1000 - written * 3600))
    found = kinds(predict_in_directory(Arrival([ending(NOW - ends - 1)], directory=tmp_path), NOW))
    in_use = written == 1
    assert ("live" in found) == (in_use and ends in (LOG_MS - 1, 0))
    assert ("future-blinds" in found) == (in_use and ends < 0)
    assert ("recent" in found) == (written is None and 0 <= ends < LOG_MS)


def test_a_queried_server_is_live() -> None:
    assert "live" in kinds(predict_in_directory(Arrival([ending(NOW - 1)], directory=Path("nowhere")), NOW, LONG))


def test_overlaps() -> None:
    coming = [Span("", 10, 20, 1), Span("", 30, 40, 1)]
    there = [Span(f"{start}-{end}", start, end, 1) for start, end in ((0, 10), (0, 11), (20, 30), (19, 30), (29, 31))]
    assert [span.name for span in overlapping([*there, Span("all", 0, 99, 1), Span("late", 40, 50, 1)], coming)] == [
        "0-11",
        "19-30",
        "29-31",
        "all",
    ]
    found = predict_in_directory(Arrival(coming, there), NOW)
    assert "blocks 0-11, 19-30, 29-31 (3 samples)" in text_of(found, "overlap")


def test_metadata_and_nothing() -> None:
    assert "HELP, TYPE and UNIT will not be kept" in text_of(
        predict_in_directory(Arrival([ending(0)], lost=("HELP", "TYPE", "UNIT")), NOW), "metadata"
    )
    assert predict_in_directory(Arrival([], days(-60, -40)), NOW) == []
