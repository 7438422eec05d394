"""When to come again: what the server says, in either form, and what we do where it says nothing that can be used."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from promfill.net.http import NoAnswerError
from promfill.net.retry import FIRST_PAUSE, LONGEST_PAUSE, LONGEST_RETRY_AFTER, Retry, retry_after

NOW = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


def answer(value: str) -> httpx.Response:
    return httpx.Response(429, headers={"Retry-After": value})


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("100000", LONGEST_RETRY_AFTER),
        ("9" * 400, LONGEST_RETRY_AFTER),
        ("Tue, 14 Nov 2023 22:13:31 GMT", 11.0),
        ("Tue, 14 Nov 2023 22:13:31", 11.0),
        ("Wed, 15 Nov 2023 22:13:31 GMT", LONGEST_RETRY_AFTER),
    ],
)
def test_what_the_server_wants(value: str, seconds: float) -> None:
    assert retry_after(answer(value), NOW) == seconds


@pytest.mark.parametrize(
    "value",
    [
        *("", "soon", "-1", "1e3", "\u0663", "Mon, 01 Jan 99999 00:00:00 GMT"),
        "Mon, 01 Jan 2024 00:00:00 +99999999999999999999",
        "0",
        "Tue, 14 Nov 2023 22:13:20 GMT",
        "Wed, 21 Oct 2015 07:28:00 GMT",
    ],
)
def test_what_says_nothing_that_can_be_used(value: str) -> None:
    """A moment that has passed is none to wait for: to come at once, again and again, would be a flood."""
    assert retry_after(httpx.Response(429, headers=[(b"Retry-After", value.encode())]), NOW) is None


def test_a_server_that_says_zero_is_not_flooded() -> None:
    waits: list[float] = []
    clock = [0.0]

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        assert len(waits) < 20
        clock[0] += seconds

    Retry(60.0, clock=lambda: clock[0], sleep=sleep).run(lambda: answer("0"))
    assert min(waits) > FIRST_PAUSE / 2


class Clock:
    """Time that passes while somebody sleeps, and at no other moment."""

    def __init__(self) -> None:
        self.now, self.pauses = 50.0, list[float]()

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def retry(self, seconds: float = 1e9, times: int | None = None, **more: Any) -> Retry:
        return Retry(seconds, times, clock=lambda: self.now, wall=lambda: NOW, sleep=self.sleep, **more)


def pauses(times: int = 9, **more: Any) -> list[float]:
    """How long a client waits before each further attempt while the server fails."""
    clock = Clock()
    clock.retry(times=times, **more).run(lambda: httpx.Response(503))
    assert len(clock.pauses) == times
    return clock.pauses


def test_pauses_double_up_to_the_longest_within_a_quarter() -> None:
    for pause, middle in zip(pauses(12), [0.25, 0.5, 1, 2, 4, 8, 10, 10, 10, 10, 10, 10], strict=True):
        assert 0.75 * middle <= pause <= 1.25 * middle
    assert max(pauses(40)) <= 1.25 * LONGEST_PAUSE
    assert all(0.75 * 3 <= pause <= 1.25 * 3 for pause in pauses(1, first_pause=3.0))


def test_clients_that_fail_together_come_again_apart() -> None:
    """A server that comes back would otherwise be met by all of them at once, and again after each failure."""
    clients = [pauses() for _ in range(200)]
    for attempt in zip(*clients, strict=True):
        middle = sum(attempt) / len(attempt)
        assert len(set(attempt)) == len(attempt)
        assert min(attempt) < 0.85 * middle
        assert max(attempt) > 1.15 * middle
    assert len({second / first for first, second, *_ in clients}) == len(clients), "drawn anew for each attempt"


def test_what_the_server_wants_has_no_jitter() -> None:
    clock = Clock()
    clock.retry(times=3).run(lambda: answer("7"))
    assert clock.pauses == [7.0] * 3


def test_the_time_is_over_before_the_pause_that_would_pass_it() -> None:
    clock = Clock()
    last = clock.retry(20.0).run(lambda: answer("7"))
    assert (clock.pauses, last.status_code) == ([7.0, 7.0], 429)
    clock = Clock()
    clock.retry(21.0).run(lambda: answer("7"))
    assert clock.pauses == [7.0] * 3


def test_the_time_begins_later_where_something_has_arrived_since() -> None:
    clock = Clock()
    clock.retry(20.0, since=lambda: 60.0).run(lambda: answer("7"))
    assert clock.pauses == [7.0] * 4


@pytest.mark.parametrize("times", [0, 1, 3])
def test_so_many_attempts_and_no_more(times: int) -> None:
    clock, asked, told = Clock(), 0, 0

    def ask() -> httpx.Response:
        nonlocal asked
        asked += 1
        raise NoAnswerError("nobody answers", may_have_arrived=False)

    def count() -> None:
        nonlocal told
        told += 1

    with pytest.raises(NoAnswerError, match="nobody answers"):
        clock.retry(times=times, on_retry=count).run(ask)
    assert (asked, told, len(clock.pauses)) == (times + 1, times, times)


def test_what_stands_is_the_callers_to_say() -> None:
    clock = Clock()
    answers = iter([httpx.Response(200, text="not yet"), httpx.Response(200, text="there")])
    last = clock.retry(stands=lambda response: response.text == "there").run(lambda: next(answers))
    assert (last.text, len(clock.pauses)) == ("there", 1)
