"""What is said of a push at its end: a row for all that happened, and none for what did not."""

from __future__ import annotations

from typing import Any

from promfill.cli.text.remote_write import lines
from promfill.model.grid import Grid
from promfill.operations.reports import Frame, PushReport
from promfill.scenario.scenario import Scenario

QUIET: dict[str, Any] = {
    "acknowledged": 1200,
    "requests": 3,
    "protocol": "2.0",
    "already_there": 0,
    "retries": 0,
    "answers_lost": 0,
    "divided": 0,
    "rejected": {},
}


def table(**more: Any) -> list[str]:
    scenario = Scenario("m", (), Grid(0, 1000, 1200))
    report = PushReport(Frame("remote-write", scenario, 1, 1200, "http://a/"), details={**QUIET, **more})
    return lines(report, "20 kB", "1.00 s", can_verify=False)


def test_a_push_without_trouble() -> None:
    assert table() == [
        "sent   1,200 samples in 3 requests, 20 kB (1.00 s)",
        "       to http://a/, by remote write 2.0",
    ]


def test_everything_that_happened_has_its_row() -> None:
    told = table(
        sent_before=500,
        already_there=60,
        retries=4,
        answers_lost=2,
        divided=1,
        rejected={"400 no": 12, "other reasons": 3},
        not_counted=7,
        receiver="VictoriaMetrics",
    )
    assert [line[:6].strip() for line in told[2:]] == [
        "",
        "skip",
        "retry",
        "split",
        "reject",
        "reject",
        "note",
        "note",
    ]
    assert "500 samples had been sent by an earlier run" in told[2]
    assert "60 samples: already stored" in told[3]
    assert "4 retries; 2 answers were lost" in told[4]
    assert "12 samples: 400 no" in told[6]
    assert "counted 7 samples too few" in told[8]
    assert "-dedup.minScrapeInterval=1ms" in told[9]


def test_what_nobody_could_be_asked_is_told_instead() -> None:
    told = table(answers_lost=2, retries=2, perhaps_twice=60, receiver="VictoriaMetrics")
    assert [line for line in told if "note" in line] == [told[-1]]
    assert "may hold 60 samples twice" in told[-1]


def test_a_receiver_that_does_not_tell_who_it_is_is_not_called_by_a_name() -> None:
    told = table(answers_lost=2, retries=2, perhaps_twice=60)
    assert "may hold 60 samples twice if it is a VictoriaMetrics" in told[-1]
