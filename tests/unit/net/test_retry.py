"""When to come again: what the server says, in either form, and what we do where it says nothing that can be used."""

from __future__ import annotations

import httpx
import pytest

from promfill.net.retry import FIRST_PAUSE, LONGEST_RETRY_AFTER, Retry, retry_after

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
