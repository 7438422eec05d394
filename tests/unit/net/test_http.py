"""The HTTP client against a receiver on loopback: deadlines, redirects, credentials, and words for every failure."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from promfill import __version__
from promfill.errors import InputError, ReceiverError, RefusedError
from promfill.net.destination import Destination, HttpConfig, Secret, Tls
from promfill.net.http import HttpClient, NoAnswerError, make_client
from promfill.net.http_answers import first_words
from promfill.net.resolve import build_destination
from tests.support.receiver import TLS_FOLDER, Answer, Receiver, Taken, server_tls
from tests.support.servers import free_port

SECRET = "hunter2-s3cret"


def destination(url: str, **options: Any) -> Destination:
    return build_destination(url, **{"environment": {"PROMFILL_PASSWORD": SECRET}, **options})


@contextmanager
def client(url: str, timeout: float = 5.0, **options: Any) -> Iterator[HttpClient]:
    with make_client(destination(url, **options), timeout) as made:
        yield made


def failure(url: str, timeout: float = 5.0, **options: Any) -> ReceiverError:
    """What a POST and a look at its answer raise."""
    with client(url, timeout, **options) as made, pytest.raises(ReceiverError) as caught:
        made.check(made.request("POST", content=b"x"))
    assert "\n" not in str(caught.value)
    assert SECRET not in str(caught.value)
    return caught.value


def test_a_request_carries_who_we_are() -> None:
    with (
        Receiver() as receiver,
        client(receiver.url, username="me", tenant="team", headers=["X-A: ä"]) as made,
    ):
        made.check(made.request("POST", content=b"body", headers={"Content-Type": "application/x-protobuf"}))
        (taken,) = receiver.taken
    assert taken.body == b"body"
    assert taken.headers["user-agent"] == f"promfill/{__version__}"
    assert taken.headers["authorization"] == "Basic bWU6aHVudGVyMi1zM2NyZXQ="
    assert taken.headers["x-scope-orgid"] == "team"
    assert taken.headers["x-a"].encode("latin-1").decode() == "ä"
    assert taken.headers["content-type"] == "application/x-protobuf"


def test_one_connection_carries_many_requests() -> None:
    with Receiver() as receiver, client(receiver.url) as made:
        for _ in range(5):
            made.check(made.request("POST", content=b"x"))
        assert receiver.connections == 1


def test_an_answer_can_be_read_piece_by_piece() -> None:
    with Receiver(lambda _: Answer(200, b"a" * 100_000)) as receiver, client(receiver.url) as made:
        with made.stream("GET", f"{receiver.url}/read") as answer:
            assert sum(map(len, answer.iter_raw(1000))) == 100_000
        assert receiver.taken[0].path.endswith("/read")


@pytest.mark.parametrize("status", [200, 202, 204])
def test_good_answers(status: int) -> None:
    with Receiver(lambda _: Answer(status)) as receiver, client(receiver.url) as made:
        made.check(made.request("POST", content=b"x"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(400, b"no\n  such\tluck\x00"), "answered 400 Bad Request: no such luck"),
        (Answer(401, b"who?"), "answered 401 Unauthorized: who?: check the user and password, or the token"),
        (Answer(403), "answered 403 Forbidden: check the permissions of these credentials, and the tenant"),
        (Answer(404, b"404 page not found\n"), "answered 404 Not Found: 404 page not found"),
        (Answer(500, b"x" * 1000), f"answered 500 Internal Server Error: {'x' * 299}…"),
        (Answer(503, f"bad password {SECRET}".encode()), "answered 503 Service Unavailable: bad password •••"),
        (Answer(400, ("é" * 295 + SECRET).encode()), f": {'é' * 295}•••"),
        (Answer(400, b"a" + b" " * 65_531 + SECRET.encode()), ": a •••"),
        (
            Answer(502, b"<!DOCTYPE html><title>Bad\n &lt;Gateway&gt;</title><p>long", {"Content-Type": "text/html"}),
            'answered 502 Bad Gateway: an HTML page, "Bad <Gateway>"',
        ),
        (Answer(200, b"\n<html><body>Sign in"), "answered 200 OK: an HTML page"),
        (Answer(400, b"no", {"Content-Type": "text/plain; charset=hex"}), "answered 400 Bad Request: no"),
        (Answer(400, b"\xff!", {"Content-Type": "text/plain; charset=undefined"}), "answered 400 Bad Request: \ufffd!"),
        (Answer(200, b"hello", {"Content-Type": "text/html; charset=utf-8"}), "answered 200 OK: an HTML page"),
    ],
)
def test_answers_that_are_not_good(answer: Answer, words: str) -> None:
    with Receiver(lambda _: answer) as receiver:
        assert words in str(failure(receiver.url, username="me"))


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(200, b"x" * 2000), "sent more than 0.001 MB"),
        (Answer(200, b"x" * 2000, {"Connection": "close"}), "sent more than 0.001 MB"),
        (Answer(200, gzip.compress(b"x" * 100_000), {"Content-Encoding": "gzip"}), "sent more than 0.001 MB"),
    ],
)
def test_an_answer_without_end_is_not_taken_into_memory(
    answer: Answer, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("promfill.net.http_answers.MOST_BYTES", 1000)
    with Receiver(lambda _: answer) as receiver:
        assert words in str(failure(receiver.url))


def test_a_packed_answer_is_unpacked() -> None:
    packed = Answer(400, gzip.compress(b"no such tenant"), {"Content-Encoding": "gzip", "X-Kept": "yes"})
    with Receiver(lambda _: packed) as receiver, client(receiver.url) as made:
        answer = made.request("POST", content=b"x")
    assert (answer.content, answer.headers["x-kept"]) == (b"no such tenant", "yes")
    assert made.explain(answer).endswith("answered 400 Bad Request: no such tenant")


def test_a_secret_that_a_page_spells_in_html_is_masked() -> None:
    page = httpx.Response(502, text="<html><title>bad pa&amp;ss&#39;word</title>")
    assert first_words(page, lambda text: text.replace("pa&ss'word", "•••")) == 'an HTML page, "bad •••"'


def moved(status: int, to: str) -> Answer:
    return Answer(status, headers={"Location": to})


@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_on_the_same_server_is_followed_with_its_body(status: int) -> None:
    def answer(taken: Taken) -> Answer:
        return moved(status, "/new") if taken.path != "/new" else Answer()

    with Receiver(answer) as receiver, client(receiver.url, username="me") as made:
        made.check(made.request("POST", content=b"body"))
        assert [(taken.path, taken.body) for taken in receiver.taken] == [("/api/v1/write", b"body"), ("/new", b"body")]
        assert "authorization" in receiver.taken[1].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_to_another_server_gets_nothing(status: int) -> None:
    with Receiver() as other, Receiver(lambda _: moved(status, f"{other.url}?key={SECRET}")) as receiver:
        error = failure(receiver.url, username="me", tenant="team", headers=[f"X-Key: {SECRET}"])
        assert f"redirects to {other.url}?… ({status} " in str(error)
        assert other.taken == []


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_redirect_that_would_lose_the_body_is_refused(status: int) -> None:
    with Receiver(lambda _: moved(status, "/new")) as receiver:
        assert f"redirects to http://127.0.0.1:{receiver.port}/new" in str(failure(receiver.url))
        assert len(receiver.taken) == 1


def test_no_redirect_is_followed_where_the_client_file_forbids_it() -> None:
    with Receiver(lambda _: moved(307, "/new")) as receiver:
        destination = Destination(receiver.url, http=HttpConfig(follow_redirects=False))
        with make_client(destination) as made, pytest.raises(ReceiverError, match="redirects to"):
            made.request("POST", content=b"x")
        assert len(receiver.taken) == 1


def test_a_circle_of_redirects_ends() -> None:
    with Receiver(lambda _: moved(307, "/api/v1/write")) as receiver:
        assert "redirects in a loop" in str(failure(receiver.url))


def no_answer(url: str, timeout: float = 5.0, **options: Any) -> NoAnswerError:
    error = failure(url, timeout, **options)
    assert isinstance(error, NoAnswerError)
    return error


def test_nothing_listens() -> None:
    error = no_answer(f"http://127.0.0.1:{free_port()}/x")
    assert "nothing listens at http://127.0.0.1:" in str(error)
    assert not error.may_have_arrived


def test_a_name_that_does_not_resolve() -> None:
    error = no_answer("http://nowhere.invalid/x")
    assert not error.may_have_arrived


@pytest.mark.parametrize(
    ("number", "words", "final"),
    [
        (socket.EAI_NONAME, "the host store.example does not exist: check the address http://store.example/x", True),
        (getattr(socket, "EAI_NODATA", -5), "the host store.example does not exist", True),
        (socket.EAI_AGAIN, "cannot resolve the host store.example at the moment (why): check the DNS server", False),
        (socket.EAI_FAIL, "cannot resolve the host store.example at the moment", False),
    ],
)
def test_a_name_that_the_resolver_denies_is_final(
    number: int, words: str, final: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "why")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    error = no_answer("http://store.example/x")
    assert str(error).startswith(words)
    assert isinstance(error, RefusedError) is final
    assert not error.may_have_arrived


def test_a_connection_that_breaks() -> None:
    with Receiver(lambda _: Answer(hang_up=True)) as receiver:
        error = no_answer(receiver.url)
    assert "was closed before an answer came" in str(error)
    assert error.may_have_arrived


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, pause=30),
        Answer(200, b"x" * 600, drip=0.05),
        Answer(200, b"x" * 600, {"Connection": "close"}, drip=0.05),  # would look whole when it is cut
    ],
)
def test_the_deadline_is_of_the_whole_request(answer: Answer) -> None:
    with Receiver(lambda _: answer) as receiver:
        start = time.monotonic()
        error = no_answer(receiver.url, timeout=0.3)
        assert time.monotonic() - start < 15
    assert "did not answer within 0.3 s" in str(error)
    assert error.may_have_arrived


def test_what_ends_while_the_connection_is_made_has_not_arrived() -> None:
    """Nobody accepts, and the line is full: the deadline passes, or Ctrl-C is pressed, before a byte is sent."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, contextlib.ExitStack() as waiting:
        for _ in range(4):
            other = waiting.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(listener.getsockname())
        with client(f"http://127.0.0.1:{listener.getsockname()[1]}/", 2.0) as made:
            threading.Timer(0.5, made.break_off).start()
            with pytest.raises(NoAnswerError) as caught:
                made.request("POST", content=b"x")
    assert not caught.value.may_have_arrived


def test_dripping_headers_meet_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def drip() -> None:
            connection, _ = listener.accept()
            with connection:
                while not ended.wait(0.05):
                    try:
                        connection.send(b"H" if not ended.is_set() else b"")
                    except OSError:
                        return

        thread = threading.Thread(target=drip)
        thread.start()
        error = failure(f"http://127.0.0.1:{listener.getsockname()[1]}/x", timeout=0.3)
        ended.set()
        thread.join()
    assert "did not answer within 0.3 s" in str(error)


def test_a_receiver_that_does_not_read_meets_the_deadline() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        client(f"http://127.0.0.1:{listener.getsockname()[1]}/", 0.3) as made,
    ):
        start = time.monotonic()
        with pytest.raises(NoAnswerError, match="did not answer within"):
            made.request("POST", content=b"x" * 50_000_000)
        assert time.monotonic() - start < 15


def test_the_client_goes_on_after_a_late_answer() -> None:
    pauses = iter([1.0, 0.0])
    with Receiver(lambda _: Answer(pause=next(pauses))) as receiver, client(receiver.url, timeout=0.3) as made:
        with pytest.raises(NoAnswerError):
            made.request("POST", content=b"x")
        made.check(made.request("POST", content=b"x"))


CA = TLS_FOLDER / "ca.pem"


def test_a_server_of_a_given_ca() -> None:
    with Receiver(tls=server_tls()) as receiver, client(receiver.url, tls_ca=CA) as made:
        made.check(made.request("POST", content=b"x"))
        assert receiver.taken[0].body == b"x"


def test_tls_meets_the_deadline_too() -> None:
    with Receiver(lambda _: Answer(200, b"x" * 100, drip=0.05), tls=server_tls()) as receiver:
        assert "did not answer within 0.3 s" in str(no_answer(receiver.url, timeout=0.3, tls_ca=CA))


def test_a_server_of_an_unknown_ca() -> None:
    with Receiver(tls=server_tls()) as receiver:
        error = no_answer(receiver.url, username="me")
        assert "the certificate of 127.0.0.1 is not trusted (" in str(error)
        assert str(error).endswith("set tls_ca to its CA bundle")
        assert isinstance(error, RefusedError)
        assert not error.may_have_arrived
        assert receiver.taken == []


def test_a_server_that_is_not_checked() -> None:
    with Receiver(tls=server_tls()) as receiver, client(receiver.url, tls_insecure=True) as made:
        made.check(made.request("POST", content=b"x"))


def test_a_server_under_another_name() -> None:
    with Receiver(tls=server_tls()) as receiver:
        for name, trusted in (("receiver.test", True), ("elsewhere.test", False)):
            tls = Tls(ca=CA, server_name=name)
            with make_client(Destination(receiver.url, http=HttpConfig(tls=tls)), 5) as made:
                if trusted:
                    made.check(made.request("POST", content=b"x"))
                    continue
                with pytest.raises(NoAnswerError, match="is not trusted"):
                    made.request("POST", content=b"x")


def test_a_client_certificate() -> None:
    with Receiver(tls=server_tls(ask_for_certificate=True)) as receiver:
        options: dict[str, Any] = {
            "tls_ca": CA,
            "tls_cert": TLS_FOLDER / "client.pem",
            "tls_key": TLS_FOLDER / "client.key",
        }
        with client(receiver.url, **options) as made:
            made.check(made.request("POST", content=b"x"))
        no_answer(receiver.url, tls_ca=CA)
        assert len(receiver.taken) == 1


def test_https_to_a_server_of_plain_http() -> None:
    with Receiver() as receiver:
        assert "it seems to speak plain HTTP: try http://" in str(failure(receiver.url.replace("http:", "https:")))


@pytest.mark.parametrize("version", ["TLS10", "TLS12", "TLS13"])
def test_the_oldest_tls_that_may_be_spoken(version: str) -> None:
    context = server_tls()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with Receiver(tls=context) as receiver:
        tls = Tls(ca=CA, min_version=version)
        with make_client(Destination(receiver.url, http=HttpConfig(tls=tls)), 5) as made:
            if version != "TLS13":
                made.check(made.request("POST", content=b"x"))
                return
            with pytest.raises(NoAnswerError, match="TLS with"):
                made.request("POST", content=b"x")


@pytest.mark.parametrize(
    ("tls", "words"),
    [
        (Tls(ca=TLS_FOLDER / "nowhere.pem"), "tls_ca .*nowhere.pem is not a file"),
        (Tls(ca=TLS_FOLDER / "README.md"), "the TLS files .*README.md cannot be used"),
        (Tls(cert=CA, key=TLS_FOLDER / "client.key"), "cannot be used .*use PEM files that belong together"),
    ],
)
def test_tls_files_that_cannot_be_used(tls: Tls, words: str) -> None:
    with pytest.raises(InputError, match=words):
        make_client(Destination("https://127.0.0.1/", http=HttpConfig(tls=tls)))


def test_a_proxy_of_the_client_file_is_used() -> None:
    with Receiver() as proxy:
        http = HttpConfig(proxy=Secret(f"http://me:{SECRET}@127.0.0.1:{proxy.port}"))
        with make_client(Destination("http://receiver.test/x", http=http), 5) as made:
            made.check(made.request("POST", content=b"x"))
        assert proxy.taken[0].path == "http://receiver.test/x"
        assert "proxy-authorization" in proxy.taken[0].headers


def test_a_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver() as proxy:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("no_proxy", "")
        with client("http://receiver.test/x") as made:
            made.check(made.request("POST", content=b"x"))
        assert proxy.taken[0].path == "http://receiver.test/x"


def test_a_proxy_of_the_environment_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"gopher://me:{SECRET}@127.0.0.1")
    with pytest.raises(InputError, match="cannot be used") as caught:
        make_client(Destination("http://receiver.test/x"))
    assert SECRET not in str(caught.value)
