"""Refusals, in the words of real receivers, and the mend that each gets."""

from __future__ import annotations

import pytest

from promfill.sinks.remote_write.classify import mend


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
    advice = mend(status, words)
    assert "--mode blocks" in advice
    assert "out_of_order_time_window" in advice
    assert "holds newer samples" in advice


@pytest.mark.parametrize(
    "words", ["out of order sample", "duplicate sample for timestamp 17", "err-mimir-sample-out-of-order"]
)
def test_a_receiver_that_holds_these_series_already(words: str) -> None:
    assert "if they are of an earlier push, it is there" in mend(400, words)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (200, "/api/v1/write"),
        (404, "--web.enable-remote-write-receiver"),
        (405, "/api/prom/push"),
        (413, "--max-bytes-per-send"),
        (415, "remote write 1.0"),
        (429, "rate"),
    ],
)
def test_statuses_that_say_enough(status: int, words: str) -> None:
    assert words in mend(status, "whatever")


def test_nothing_is_made_up() -> None:
    assert mend(400, "label name is not unique") == mend(503, "") == ""
