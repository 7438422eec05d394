"""CDO: which address, which answer, and one clear line for everything that is wrong with it."""

from __future__ import annotations

from typing import Any

import pytest

from promfill.errors import InputError, ReceiverError
from promfill.net.destination import Secret
from promfill.vendors.cdo import Stack, base_url, fetch_stack
from tests.support.cdo import PASSWORD, TOKEN, USER, Cdo
from tests.support.receiver import Answer

BUSY = Answer(503, b"busy")


def ask(cdo: Cdo, pauses: list[float] | None = None, token: str = TOKEN, timeout: float = 5.0) -> Stack:
    pauses = [] if pauses is None else pauses
    return fetch_stack(cdo.url, Secret(token), timeout=timeout, sleep=pauses.append)


@pytest.mark.parametrize(
    ("environment", "url", "expected"),
    [
        ("scale", None, "https://edge.scale.cdo.cisco.com"),
        ("STAGING", None, "https://edge.staging.cdo.cisco.com"),
        ("ci", "", "https://edge.ci.cdo.cisco.com"),
        ("prod", None, "https://www.prod.cdo.cisco.com"),
        ("Eu-1", None, "https://www.eu-1.cdo.cisco.com"),
        ("scale", "http://127.0.0.1:8/", "http://127.0.0.1:8"),
        (None, "https://cdo.example.com/a", "https://cdo.example.com/a"),
    ],
)
def test_base_address(environment: str | None, url: str | None, expected: str) -> None:
    assert base_url(environment, url) == expected


@pytest.mark.parametrize(
    ("environment", "url", "says"),
    [
        (None, None, "set env"),
        ("evil.com/x", None, "not a valid CDO environment"),
        ("/etc/profile", None, "not a valid CDO environment"),
        (None, "localhost:80", "has no scheme"),
        (None, "ftp://a", "must begin with http"),
        (None, "http://[::1", "is not a valid URL"),
        (None, "http://a:99999", "is not a valid URL"),
        (None, "https://me:s3cret@a", "'https://a' must be an address only"),
        (None, "https://a/?token=s3cret", "must be an address only"),
    ],
)
def test_addresses_that_are_none(environment: str | None, url: str | None, says: str) -> None:
    with pytest.raises(InputError, match=says) as error:
        base_url(environment, url)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("suffix", ["", "/", "/api/prom/push", "/api/prom/push/", "/api/prom", "/api/prom/", "//"])
@pytest.mark.parametrize("user", [USER, str(USER)])
def test_answers_in_all_their_forms(suffix: str, user: int | str) -> None:
    with Cdo(f"https://gcm.example.com{suffix}", hmInstancePromId=user, more={"a": 1}) as cdo:
        stack = ask(cdo)
    assert stack == Stack("https://gcm.example.com", str(USER), Secret(PASSWORD))
    assert stack.push_url == "https://gcm.example.com/api/prom/push"
    assert stack.query_url == "https://gcm.example.com/api/prom"


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (Answer(401, b"no"), "401 Unauthorized: CDO_TOKEN is not valid"),
        (Answer(403, b"no"), "403 Forbidden: CDO_TOKEN has no permission to read"),
        (Answer(404, b"no"), "404 Not Found: this tenant has no timeseries stack"),
        (Answer(400, b"strange request"), "400 Bad Request: strange request"),
        (Answer(200, b"<html><title>Sign in</title>", {"Content-Type": "text/html"}), 'an HTML page, "Sign in"'),
        (Answer(200, b"secret-looking text"), "is not JSON"),
        (Answer(200, b"[1]"), "is not a JSON object"),
        (Answer(302, b"", {"Location": "https://elsewhere.example.com/"}), "redirects to https://elsewhere"),
    ],
)
def test_answers_that_stand_are_asked_for_once(answer: Answer, says: str) -> None:
    with Cdo("", answer) as cdo, pytest.raises(ReceiverError) as error:
        ask(cdo)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
    assert "secret-looking" not in str(error.value)
    assert len(cdo.asked) == 1


@pytest.mark.parametrize("value", [None, "", " ", True, ["a"], 1.5])
@pytest.mark.parametrize("name", ["hmInstancePromUrl", "hmInstancePromId", "prometheusToken"])
def test_missing_fields_are_named(name: str, value: Any) -> None:
    with Cdo(**{"stack": "https://a", name: value}) as cdo, pytest.raises(ReceiverError, match=f"lacks {name}"):
        ask(cdo)


@pytest.mark.parametrize("address", ["gcm.example.com", "https://[::1", "https://", "file:///etc/passwd"])
def test_an_address_that_is_none_is_refused(address: str) -> None:
    with Cdo(address) as cdo, pytest.raises(ReceiverError, match="hmInstancePromUrl is not a valid URL"):
        ask(cdo)


@pytest.mark.parametrize("trouble", [BUSY, Answer(429, b"slow"), Answer(hang_up=True)])
def test_what_may_pass_is_tried_three_times_more(trouble: Answer) -> None:
    pauses: list[float] = []
    with Cdo("https://a", trouble, trouble, trouble) as cdo:
        assert ask(cdo, pauses).user == str(USER)
    assert len(pauses) == 3
    assert pauses == sorted(pauses)
    with Cdo("https://a", *[trouble] * 4) as cdo, pytest.raises(ReceiverError, match="CDO: "):
        ask(cdo)
    assert len(cdo.asked) == 4


def test_retry_after_is_heeded() -> None:
    pauses: list[float] = []
    with Cdo("https://a", Answer(429, b"", {"Retry-After": "7"})) as cdo:
        ask(cdo, pauses)
    assert pauses == [7.0]


def test_a_time_out_is_one_line() -> None:
    with Cdo("https://a", *[Answer(pause=0.3)] * 4) as cdo, pytest.raises(ReceiverError, match="did not answer within"):
        ask(cdo, timeout=0.05)


def test_the_token_is_in_no_error() -> None:
    echo = Answer(400, f"bad header Bearer {TOKEN}".encode())
    with Cdo("https://a", echo) as cdo, pytest.raises(ReceiverError) as error:
        ask(cdo)
    assert TOKEN not in str(error.value)
