"""Waiting for samples that a store shows late: how long, what is said, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from promfill.cli.console import Console
from promfill.errors import FormatError, ReceiverError, RefusedError
from promfill.operations import waiting
from promfill.operations.comparison import Comparison
from promfill.operations.verify import VerifyReport
from promfill.operations.waiting import Patience, read_until_there

Answer = VerifyReport | Exception


class Clock:
    """Sleeps without sleeping; reading takes as long as it is told."""

    def __init__(self) -> None:
        self.now, self.reading, self.pauses = 100.0, 0.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(waiting, "time", clock)
    return clock


def report(missing: int, *, within: float = 30.0, pending: int = 0) -> VerifyReport:
    tally = Comparison(10)
    tally.missing.add(missing, np.arange(missing, dtype=np.int64) * 10)
    return VerifyReport("m", "a store", "by bits", "", 1, 100, tally, not_yet_visible=pending, shows_within=within)


def reads(clock: Clock, *answers: Answer) -> Callable[[], VerifyReport]:
    """The answers one after the other; the last one for ever."""

    def each() -> Iterator[Answer]:
        yield from answers
        while True:
            yield answers[-1]

    said = each()

    def read() -> VerifyReport:
        clock.now += clock.reading
        answer = next(said)
        if isinstance(answer, Exception):
            raise answer
        return replace(answer)

    return read


def test_what_is_there_is_not_waited_for(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    assert read_until_there(reads(clock, report(0)), Patience(), Console()).waited == 0
    assert clock.pauses == []
    assert capsys.readouterr().err == ""


def test_a_store_that_shows_at_once_is_believed_at_once(clock: Clock) -> None:
    assert read_until_there(reads(clock, report(5, within=0)), Patience(), Console()).absent == 5
    assert clock.pauses == []


@pytest.mark.parametrize("pending", [0, 40])
def test_what_comes_late_is_waited_for_and_told(clock: Clock, capsys: pytest.CaptureFixture[str], pending: int) -> None:
    found = read_until_there(reads(clock, report(40, pending=pending), report(40), report(0)), Patience(), Console())
    assert (found.absent, found.waited) == (0, 2.5)
    assert capsys.readouterr().err == "40 of 100 samples are not in a store yet; waiting up to 30s\n"


@pytest.mark.parametrize(("within", "most", "waited"), [(30, 300, 30), (30, 5, 5), (1, 300, 1), (30, 0, 0)])
def test_what_never_comes_is_missing_in_the_end(clock: Clock, within: float, most: float, waited: float) -> None:
    found = read_until_there(reads(clock, report(7, within=within)), Patience(most), Console())
    assert (found.absent, found.waited, sum(clock.pauses)) == (7, waited, waited)


@pytest.mark.parametrize(("within", "most", "waited"), [(0, 300, 20), (1, 300, 20), (30, 300, 30), (1, 5, 5)])
def test_what_a_forwarder_may_hold_back_is_given_time(clock: Clock, within: float, most: float, waited: float) -> None:
    found = read_until_there(reads(clock, report(7, within=within)), Patience(most, least=20), Console())
    assert (found.absent, found.waited) == (7, waited)


def test_progress_prolongs_the_wait_until_its_end(clock: Clock) -> None:
    fewer = [report(left, within=2) for left in range(90, 0, -1)]
    assert read_until_there(reads(clock, *fewer, report(0)), Patience(1e6), Console()).absent == 0
    some = read_until_there(reads(clock, *fewer), Patience(50), Console())
    assert 0 < some.absent < 90
    assert some.waited == 50


def test_slow_reads_are_no_more_often_than_they_take(clock: Clock) -> None:
    clock.reading = 60
    read_until_there(reads(clock, report(7)), Patience(), Console())
    assert clock.pauses == [30]


def test_blocks_have_all_of_the_time_and_errors_may_pass(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    said: list[Answer] = [
        ReceiverError("500 store consistency check failed"),
        report(100, within=0),
        ReceiverError("503"),
    ]
    found = read_until_there(reads(clock, *said, report(0)), Patience(300, blocks=True), Console())
    assert (found.absent, len(clock.pauses)) == (0, 3)
    told = "the samples cannot be read yet (500 store consistency check failed); waiting up to 5m\n"
    assert capsys.readouterr().err == told
    never = read_until_there(reads(clock, report(9, within=0)), Patience(60, blocks=True), Console())
    assert (never.absent, never.waited) == (9, 60)


@pytest.mark.parametrize("error", [RefusedError("no"), FormatError("damage")])
def test_what_cannot_pass_is_not_waited_for(clock: Clock, error: Exception) -> None:
    with pytest.raises(type(error)):
        read_until_there(reads(clock, error), Patience(300, blocks=True), Console())
    assert clock.pauses == []


def test_errors_of_other_stores_are_told_at_once_and_of_blocks_in_the_end(clock: Clock) -> None:
    with pytest.raises(ReceiverError):
        read_until_there(reads(clock, ReceiverError("503")), Patience(), Console())
    assert clock.pauses == []
    with pytest.raises(ReceiverError):
        read_until_there(reads(clock, ReceiverError("503")), Patience(20, blocks=True), Console())
    assert sum(clock.pauses) == 20
