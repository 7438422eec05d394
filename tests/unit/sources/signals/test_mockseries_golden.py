"""The default signal against what mockseries made once: the proof where its environment cannot be had."""

from __future__ import annotations

from tests.support.mockseries import CASES, golden, ours, summary


def test_the_golden_file_holds_every_case() -> None:
    assert [entry["case"] for entry in golden()] == CASES


def test_every_case_equals_the_golden_series_by_bits() -> None:
    for entry in golden():
        assert {"case": entry["case"]} | summary(ours(entry["case"])) == entry
