"""Refusals, in the words of real receivers, and the fix that each gets."""

from __future__ import annotations

import pytest

from promfill.sinks.remote_write.classify import Verdict, classify, counts_truly, find_fix, writes_what_is_good
from promfill.sinks.remote_write.tally import Tally, kind_of
from tests.support.recorded import (
    CORTEX_1_21_SERIES_LIMIT,
    MIMIR_3_0_3_BURST,
    MIMIR_3_0_3_SERIES_LIMIT,
    MIMIR_3_0_3_TOO_OLD,
    MIMIR_MAIN_BURST,
    PROMETHEUS_3_14_OUT_OF_BOUNDS,
)


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
    assert "mode=blocks" in advice
    assert "out_of_order_time_window" in advice
    assert "holds newer samples" in advice


@pytest.mark.parametrize(
    "words", ["out of order sample", "duplicate sample for timestamp 17", "err-mimir-sample-out-of-order"]
)
def test_a_receiver_that_holds_these_series_already(words: str) -> None:
    advice = find_fix(400, words)
    assert "if an earlier push sent them, nothing is missing" in advice
    # No window and no block makes room for a second value at the same time.
    assert ("out_of_order_time_window" in advice) == ("mode=blocks" in advice) == ("duplicate" not in words)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "/api/v1/write"),
        (404, "--web.enable-remote-write-receiver"),
        (405, "/api/prom/push"),
        (413, "max_bytes_per_send"),
        (415, "protocol"),
        (429, "rate"),
    ],
)
def test_statuses_that_say_enough(status: int, words: str) -> None:
    assert words in find_fix(status, "whatever")


def test_a_body_that_victoriametrics_finds_too_large() -> None:
    assert "max_bytes_per_send" in find_fix(400, "too big unpacked request; mustn't exceed")


def test_nothing_is_made_up() -> None:
    assert find_fix(400, "who knows") == find_fix(503, "") == ""


def test_labels_that_the_receiver_does_not_take() -> None:
    assert "labels" in find_fix(500, 'label name "a" is not unique: invalid sample')


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
    assert "mode=blocks" in find_fix(400, words, newest=1_000, last=1_000, now=1_000)
    ahead = find_fix(400, words, newest=1_000, last=1_001, now=1_000)
    assert "mode=blocks" not in ahead
    assert "out_of_order_time_window" in ahead


@pytest.mark.parametrize(
    "words", ["out of bounds", "sample timestamp too far in the future", "err-mimir-too-far-in-future"]
)
def test_samples_ahead_of_the_clock_are_told_from_history(words: str) -> None:
    assert "use an earlier" in find_fix(400, words, newest=1_001, last=1_001, now=1_000)
    assert "use an earlier" not in find_fix(400, words, newest=1_000, last=1_000, now=1_000)


@pytest.mark.parametrize("text", [MIMIR_3_0_3_BURST, MIMIR_MAIN_BURST])
def test_a_request_above_the_tenant_s_burst_is_too_large_and_not_early(text: str) -> None:
    words = text.format(burst=5000, items=20_000)
    assert [classify(429, words, doubt=False, version_2=False, samples=count) for count in (20_000, 5000, 4999)] == [
        Verdict.SMALLER,
        Verdict.SMALLER,  # with what is told of the metric
        Verdict.AGAIN,
    ]
    assert "max_samples_per_send=5000" in find_fix(429, words)


def test_who_counts_truly_beside_a_refusal() -> None:
    assert counts_truly(PROMETHEUS_3_14_OUT_OF_BOUNDS)
    assert not counts_truly(MIMIR_3_0_3_SERIES_LIMIT)
    assert not counts_truly(MIMIR_3_0_3_TOO_OLD + " out of bounds")
    assert not counts_truly("who knows")


@pytest.mark.parametrize("text", [MIMIR_3_0_3_SERIES_LIMIT, CORTEX_1_21_SERIES_LIMIT])
def test_a_limit_of_series_has_its_fix(text: str) -> None:
    assert "more series" in find_fix(400, text)
    assert writes_what_is_good(text, None)


def test_refusals_of_one_kind_are_one() -> None:
    """Times, labels, names in quotes and numbers differ from sample to sample."""
    told = [
        MIMIR_3_0_3_TOO_OLD.format(time=f"2023-11-14T22:{minute}:00Z", series=f'm{{a="}}{minute}\\"",b="{{"}}')
        for minute in (10, 25)
    ]
    assert len({kind_of(text) for text in told}) == 1
    assert len({kind_of(text[:-9] + "…") for text in told}) == 1
    assert kind_of("400 label value 'x1' too long") == kind_of("400 label value 'y22' too long")
    assert kind_of("400 out of bounds") != kind_of("400 out of order sample")


def test_the_first_of_a_kind_is_its_example() -> None:
    tally = Tally()
    for number in range(30):
        tally.rejected(2, f'400 out of bounds for series m{{h="{number}"}}')
    tally.rejected(1, "400 no")
    assert tally.report.details["rejected"] == {'400 out of bounds for series m{h="0"}': 60, "400 no": 1}
