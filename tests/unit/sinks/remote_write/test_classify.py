"""Refusals, in the words of real receivers, and the fix that each gets."""

from __future__ import annotations

import pytest

from promfill.sinks.remote_write.classify import Verdict, classify, find_fix


@pytest.mark.parametrize("status", [400, 422, 500])
@pytest.mark.parametrize(
    "words",
    [
        "out of bounds",
        "too old sample",
        "the sample has been rejected because its timestamp is too old (err-mimir-sample-timestamp-too-old)",
    ],
)
def test_a_receiver_that_refuses_history(status: int, words: str) -> None:
    advice = find_fix(status, words)
    assert "--mode blocks" in advice
    assert "out_of_order_time_window" in advice
    assert "holds newer samples" in advice


@pytest.mark.parametrize(
    "words", ["out of order sample", "duplicate sample for timestamp 17", "err-mimir-sample-out-of-order"]
)
def test_a_receiver_that_holds_these_series_already(words: str) -> None:
    assert "if they are of an earlier push, it is there" in find_fix(400, words)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "/api/v1/write"),
        (404, "--web.enable-remote-write-receiver"),
        (405, "/api/prom/push"),
        (413, "--max-bytes-per-send"),
        (415, "--protocol"),
        (429, "rate"),
    ],
)
def test_statuses_that_say_enough(status: int, words: str) -> None:
    assert words in find_fix(status, "whatever")


def test_a_body_that_victoriametrics_finds_too_large() -> None:
    assert "--max-bytes-per-send" in find_fix(400, "too big unpacked request; mustn't exceed")


def test_nothing_is_made_up() -> None:
    assert find_fix(400, "who knows") == find_fix(503, "") == ""


def test_labels_that_the_receiver_does_not_take() -> None:
    assert "--labels" in find_fix(500, 'label name "a" is not unique: invalid sample')


@pytest.mark.parametrize(
    ("status", "words", "doubt", "verdict"),
    [
        (200, "", False, Verdict.WRITTEN),
        (204, "", True, Verdict.WRITTEN),
        (500, "busy", False, Verdict.AGAIN),
        (503, "", True, Verdict.AGAIN),
        (429, "slow down", False, Verdict.AGAIN),
        (400, "out of order sample", False, Verdict.REFUSED),
        (400, "out of order sample", True, Verdict.HELD),
        (400, "duplicate sample for timestamp", True, Verdict.HELD),
        (400, "out of bounds", True, Verdict.REFUSED),
        (500, "too old sample", False, Verdict.REFUSED),
        (500, "label name is not unique: invalid sample", False, Verdict.REFUSED),
        (413, "", False, Verdict.SMALLER),
        (400, "too big packed request; mustn't exceed `-maxInsertRequestSize=20000` bytes", False, Verdict.SMALLER),
        (500, "out of order sample", False, Verdict.AGAIN),
        (401, "", True, Verdict.REFUSED),
        (307, "", False, Verdict.REFUSED),
    ],
)
def test_verdicts(status: int, words: str, doubt: bool, verdict: Verdict) -> None:
    assert classify(status, words, doubt=doubt, version_2=False) is verdict


def test_a_media_type_that_is_not_taken() -> None:
    assert classify(415, "", doubt=False, version_2=True) is Verdict.OLDER
    assert classify(415, "", doubt=False, version_2=False) is Verdict.REFUSED


@pytest.mark.parametrize("words", ["out of bounds", "too old sample", "out of order sample"])
def test_no_fix_leads_into_blocks_that_end_after_now(words: str) -> None:
    assert "--mode blocks" in find_fix(400, words, newest=1_000, last=1_000, now=1_000)
    ahead = find_fix(400, words, newest=1_000, last=1_001, now=1_000)
    assert "--mode blocks" not in ahead
    assert "out_of_order_time_window" in ahead


@pytest.mark.parametrize(
    "words", ["out of bounds", "sample timestamp too far in the future", "err-mimir-too-far-in-future"]
)
def test_samples_ahead_of_the_clock_are_told_from_history(words: str) -> None:
    assert "end the push now" in find_fix(400, words, newest=1_001, last=1_001, now=1_000)
    assert "end the push now" not in find_fix(400, words, newest=1_000, last=1_000, now=1_000)
