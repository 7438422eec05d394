"""Options, environment and files to a destination; and that no secret of it can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from promfill.errors import InputError
from promfill.net.destination import BasicAuth, Destination, Secret, Tls, TokenAuth
from promfill.net.resolve import build_destination

URL = "http://receiver.test:9090/api/v1/write"
SECRET = "hunter2-s3cret"


def build(url: str = URL, **options: Any) -> Destination:
    return build_destination(url, **{"environment": {}, **options})


def refusal(url: str = URL, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        build(url, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert SECRET not in text
    return text


def secret_file(folder: Path, text: str = SECRET + "\n") -> Path:
    path = folder / "secret"
    path.write_text(text)
    return path


def test_an_address_alone() -> None:
    assert build() == Destination(URL)


def test_user_and_password_from_a_file(tmp_path: Path) -> None:
    auth = build(username="me", password_file=secret_file(tmp_path)).http.auth
    assert auth == BasicAuth("me", Secret(SECRET))
    assert auth is not None
    assert auth.header.reveal() == "Basic bWU6aHVudGVyMi1zM2NyZXQ="


def test_a_password_from_the_environment() -> None:
    auth = build(username="me", environment={"PROMFILL_PASSWORD": SECRET}).http.auth
    assert auth == BasicAuth("me", Secret(SECRET))


def test_a_password_in_the_environment_without_a_user_is_not_meant() -> None:
    assert build(environment={"PROMFILL_PASSWORD": SECRET}).http.auth is None


def test_the_file_wins_over_the_environment(tmp_path: Path) -> None:
    environment = {"PROMFILL_PASSWORD": "another"}
    auth = build(username="me", password_file=secret_file(tmp_path), environment=environment).http.auth
    assert auth == BasicAuth("me", Secret(SECRET))


def test_user_and_password_in_the_url_are_taken_out_of_it() -> None:
    destination = build(f"https://m%40e:{SECRET}%2F@receiver.test/api/prom/push?x=1#part")
    assert destination.url == "https://receiver.test/api/prom/push?x=1"
    assert destination.http.auth == BasicAuth("m@e", Secret(f"{SECRET}/"))
    assert str(destination) == "https://receiver.test/api/prom/push?…"


def test_a_user_in_the_url_with_its_password_elsewhere() -> None:
    auth = build("http://me@receiver.test/", environment={"PROMFILL_PASSWORD": SECRET}).http.auth
    assert auth == BasicAuth("me", Secret(SECRET))


@pytest.mark.parametrize("from_file", [True, False])
def test_a_bearer_token(tmp_path: Path, from_file: bool) -> None:
    if from_file:
        destination = build(bearer_token_file=secret_file(tmp_path))
    else:
        destination = build(environment={"PROMFILL_BEARER_TOKEN": SECRET})
    assert destination.http.auth == TokenAuth(Secret(SECRET))
    assert destination.http.auth.header.reveal() == f"Bearer {SECRET}"


def test_headers_and_tenant() -> None:
    destination = build(headers=["X-One: a: b", "X-Two:c", "X-Two: d"], tenant="team-1")
    assert destination.http.headers == (("X-One", Secret("a: b")), ("X-Two", Secret("c")), ("X-Two", Secret("d")))
    assert destination.tenant == "team-1"


def test_tls_options() -> None:
    tls = build(tls_ca="ca.pem", tls_cert="c.pem", tls_key="c.key").http.tls
    assert tls == Tls(Path("ca.pem"), Path("c.pem"), Path("c.key"))


def test_unchecked_certificates_come_with_a_warning() -> None:
    assert build().warnings == []
    (warning,) = build(tls_insecure=True).warnings
    assert "tls_insecure" in warning


@pytest.mark.parametrize(
    ("url", "words"),
    [
        (
            "receiver.test:9090/x",
            "remote_write_url 'receiver.test:9090/x' has no scheme: begin it with http:// or https://",
        ),
        (f"me:{SECRET}@receiver.test/x", "remote_write_url 'receiver.test/x' has no scheme"),
        ("ftp://receiver.test/x", "must begin with http:// or https://"),
        ("http://", "is not a valid URL"),
        ("http://:9090/x", "is not a valid URL"),
        ("http://receiver.test:port/x", "is not a valid URL"),
        (f"http://me:{SECRET}/x@receiver.test/x?{SECRET}", "'receiver.test/x' is not a valid URL"),
        ("http://receiver.test/a b", "is not a valid URL"),
        ("", "has no scheme"),
    ],
)
def test_addresses_that_are_none(url: str, words: str) -> None:
    assert words in refusal(url)


def test_both_basic_and_bearer(tmp_path: Path) -> None:
    options: dict[str, Any] = {
        "username": "me",
        "password_file": secret_file(tmp_path),
        "bearer_token_file": secret_file(tmp_path),
    }
    assert refusal(**options) == (
        "username (or a user in remote_write_url) and bearer_token_file (or PROMFILL_BEARER_TOKEN) "
        "exclude each other: leave one out"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"username": "me"}, "username needs a password: set password_file or PROMFILL_PASSWORD"),
        ({"password_file": "x"}, "password_file works only together with username"),
        ({"username": "a:b"}, "username must not be empty or contain a colon"),
        ({"username": "me", "password_file": "/nowhere/x"}, "password_file /nowhere/x cannot be read: No such file"),
        ({"bearer_token_file": "/nowhere/x"}, "bearer_token_file /nowhere/x cannot be read: No such file"),
        ({"headers": [SECRET]}, "headers must be 'Name: value'"),
        ({"headers": ["a b: c"]}, "headers must be 'Name: value'"),
        ({"headers": ["X-A: b\nX-C: d"]}, "headers X-A must be a single line"),
        ({"headers": ["Content-Type: text/plain"]}, "headers Content-Type: promfill sets this header itself"),
        ({"headers": ["X-Prometheus-Remote-Write-Version: 2"]}, "promfill sets this header itself"),
        ({"headers": ["x-scope-orgid: a"], "tenant": "b"}, "tenant and the header X-Scope-OrgID exclude each other"),
        ({"tenant": ""}, "tenant must be a single line"),
        ({"tls_cert": "c.pem"}, "a client certificate needs both tls_cert and tls_key"),
        ({"http_config_file": "/nowhere/x"}, "http_config_file /nowhere/x cannot be read: No such file"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], words: str) -> None:
    assert words in refusal(**options)


def test_a_user_twice() -> None:
    assert "exclude each other" in refusal("http://me:pw@receiver.test/", username="you")


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n"])
def test_a_password_file_that_holds_no_line(tmp_path: Path, text: str) -> None:
    assert "password_file" in refusal(username="me", password_file=secret_file(tmp_path, text))


def test_a_password_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"\xff\xfe")
    assert "is not text" in refusal(username="me", password_file=tmp_path / "secret")


def everything_secret() -> Destination:
    return build(
        f"https://receiver.test/push?token={SECRET}-q",
        username="me",
        headers=[f"X-Key: {SECRET}-h"],
        environment={"PROMFILL_PASSWORD": SECRET},
    )


def test_nothing_printed_shows_a_secret() -> None:
    destination = everything_secret()
    assert SECRET not in f"{destination} {destination!r} {destination.http!r} {destination.http.auth!r}"


def test_what_others_say_is_masked() -> None:
    destination = everything_secret()
    said = f"no {SECRET} and {SECRET}-q, {SECRET}-h, Basic bWU6aHVudGVyMi1zM2NyZXQ="
    assert destination.mask(said) == "no ••• and •••, •••, Basic •••"
