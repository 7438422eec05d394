"""Prometheus's client file: what it may say, and the name of whatever it says that we do not act on."""

from __future__ import annotations

from pathlib import Path

import pytest

from promfill.errors import InputError
from promfill.net.destination import BasicAuth, HttpConfig, Secret, Tls, TokenAuth
from promfill.net.http_config import read_http_config
from promfill.net.resolve import build_destination

SECRET = "hunter2-s3cret"


def write(folder: Path, text: str) -> Path:
    path = folder / "http.yml"
    path.write_text(text)
    (folder / "secret").write_text(f"{SECRET}\n")
    return path


def read(folder: Path, text: str) -> HttpConfig:
    return read_http_config(write(folder, text))


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        read(folder, text)
    words = str(caught.value)
    assert "\n" not in words
    assert SECRET not in words
    assert "http.yml" in words
    return words


def test_an_empty_file_says_nothing(tmp_path: Path) -> None:
    assert read(tmp_path, "") == read(tmp_path, "# nothing\n") == read(tmp_path, "basic_auth:\n") == HttpConfig()


@pytest.mark.parametrize(
    ("text", "auth"),
    [
        (f"basic_auth: {{username: me, password: {SECRET}}}", BasicAuth("me", Secret(SECRET))),
        ("basic_auth: {username: me, password_file: secret}", BasicAuth("me", Secret(SECRET))),
        ("basic_auth: {username: 007, password: 0123}", BasicAuth("007", Secret("0123"))),
        ("basic_auth: {username: me}", BasicAuth("me", Secret(""))),
        (f"authorization: {{credentials: {SECRET}}}", TokenAuth(Secret(SECRET))),
        ("authorization: {type: Token, credentials_file: secret}", TokenAuth(Secret(SECRET), "Token")),
        (f"bearer_token: {SECRET}", TokenAuth(Secret(SECRET))),
        ("bearer_token_file: secret", TokenAuth(Secret(SECRET))),
    ],
)
def test_credentials(tmp_path: Path, text: str, auth: BasicAuth | TokenAuth) -> None:
    assert read(tmp_path, text).auth == auth


def test_tls_with_paths_relative_to_the_file(tmp_path: Path) -> None:
    text = """
    tls_config:
      ca_file: certs/ca.pem
      cert_file: /etc/c.pem
      key_file: c.key
      server_name: receiver.test
      insecure_skip_verify: true
      min_version: TLS12
    """
    expected = Tls(tmp_path / "certs/ca.pem", Path("/etc/c.pem"), tmp_path / "c.key", "receiver.test", True, "TLS12")
    assert read(tmp_path, text).tls == expected


def test_headers_proxy_and_redirects(tmp_path: Path) -> None:
    text = """
    http_headers:
      X-One: {values: [a, b]}
      X-Two: {secrets: [c], files: [secret]}
    proxy_url: http://me:pw@proxy.test:3128
    follow_redirects: false
    enable_http2: true
    """
    config = read(tmp_path, text)
    assert [(name, value.reveal()) for name, value in config.headers] == [
        ("X-One", "a"),
        ("X-One", "b"),
        ("X-Two", "c"),
        ("X-Two", SECRET),
    ]
    assert config.proxy == Secret("http://me:pw@proxy.test:3128")
    assert not config.follow_redirects


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("oauth2: {client_id: x}", "oauth2 is not supported: get a token"),
        ("sigv4: {}", "sigv4 is not supported: send through a signing proxy"),
        ("no_proxy: localhost", "no_proxy is not supported: remove it"),
        ("tls_config: {max_version: TLS13}", "tls_config.max_version is not supported"),
        ("basic_auth: {user: me}", "basic_auth.user is not supported"),
        ("http_headers: {X-A: {value: [b]}}", "http_headers.X-A.value is not supported"),
        ("basic_auth: [a]", "basic_auth must be a mapping"),
        ("- a", "the file must be a mapping"),
        ("basic_auth: {username: [a]}", "basic_auth.username must be text"),
        ("basic_auth: {password: x}", "basic_auth.username must be a single line"),
        ("authorization: {type: Bearer}", "authorization.credentials are missing"),
        (f"authorization: {{type: basic, credentials: {SECRET}}}", "authorization.type must not be Basic"),
        ('authorization: {credentials: "two\\nlines"}', "authorization.credentials must be a single line"),
        ('authorization: {type: "two\\nlines", credentials: a}', "authorization.type must be a single line"),
        ('bearer_token: "two\\nlines"', "bearer_token must be a single line"),
        (
            "authorization: {credentials: a, credentials_file: b}",
            "authorization.credentials and credentials_file exclude",
        ),
        ("bearer_token: a\nbasic_auth: {username: b}", "basic_auth, authorization and bearer_token exclude each other"),
        ("follow_redirects: perhaps", "follow_redirects must be true or false"),
        ("tls_config: {min_version: SSL3}", "tls_config.min_version must be one of TLS10"),
        ("proxy_url: socks5://p", "proxy_url must begin with http"),
        ("http_headers: {X-A: {values: b}}", "http_headers.X-A.values must be a list of texts"),
        ("http_headers: {Host: {values: [b]}}", "http_headers.Host: promfill sets this header itself"),
        (f"a: [{SECRET}", "is not valid YAML at line"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, words: str) -> None:
    assert words in refusal(tmp_path, text)


def test_a_password_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"password_file .*/nowhere cannot be read: No such file"):
        read(tmp_path, "basic_auth: {username: me, password_file: nowhere}")


def test_options_go_before_the_file(tmp_path: Path) -> None:
    file = write(tmp_path, "tls_config: {ca_file: a}\nhttp_headers: {x-one: {values: [a]}, X-Two: {values: [b]}}")
    made = build_destination(
        "http://receiver.test/", http_config_file=file, tls_ca="b", headers=["X-One: c"], environment={}
    )
    assert made.http.tls == Tls(ca=Path("b"))
    assert made.http.headers == (("X-Two", Secret("b")), ("X-One", Secret("c")))


@pytest.mark.parametrize("options", [{"username": "me"}, {"headers": ["Authorization: Token x"]}])
def test_credentials_in_the_file_and_beside_it(tmp_path: Path, options: dict[str, object]) -> None:
    file = write(tmp_path, f"bearer_token: {SECRET}")
    environment = {"PROMFILL_PASSWORD": "pw"}
    with pytest.raises(InputError, match="exclude each other"):
        build_destination("http://r.test/", http_config_file=file, environment=environment, **options)  # type: ignore[arg-type]
