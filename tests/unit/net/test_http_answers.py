"""What no repetition can change: it is not retried, and its error is a RefusedError (exit code 3)."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from promfill.errors import ReceiverError, RefusedError
from promfill.net.http import HttpClient, NoAnswerError, UnreachableError, make_client
from promfill.net.resolve import build_destination
from promfill.net.retry import Retry
from tests.support.receiver import Answer, Receiver, server_tls
from tests.support.servers import free_port


def failure(url: str, attempts: int = 3, **options: Any) -> tuple[ReceiverError, int]:
    """How a request ends that may be repeated, and how often it was sent."""
    sent = 0

    def ask(client: HttpClient) -> Callable[[], httpx.Response]:
        def send() -> httpx.Response:
            nonlocal sent
            sent += 1
            return client.request("POST", content=b"x")

        return send

    retry = Retry(60.0, attempts - 1, sleep=lambda _: None)
    destination = build_destination(url, environment={}, **options)
    with make_client(destination, 5.0) as client, pytest.raises(ReceiverError) as caught:
        client.check(retry.run(ask(client)))
    assert "\n" not in str(caught.value)
    return caught.value, sent


@pytest.mark.parametrize(
    "status", [400, 401, 402, 403, 404, 405, 406, 409, 410, 413, 415, 422, 431, 451, 501, 505, 511]
)
def test_a_final_status_is_sent_once_and_exits_3(status: int) -> None:
    with Receiver(lambda _: Answer(status, b"no")) as receiver:
        error, sent = failure(receiver.url)
    assert (type(error), error.exit_code, sent) == (RefusedError, 3, 1)


@pytest.mark.parametrize("status", [408, 425, 429, 499, 500, 502, 503, 504, 529])
def test_a_status_that_may_pass_is_repeated_and_exits_1(status: int) -> None:
    with Receiver(lambda _: Answer(status, b"no")) as receiver:
        error, sent = failure(receiver.url)
    assert (type(error), error.exit_code, sent) == (ReceiverError, 1, 3)


@pytest.mark.parametrize("answer", [Answer(301, headers={"Location": "http://elsewhere.invalid/"}), Answer(304)])
def test_a_redirect_that_is_not_followed_is_final(answer: Answer) -> None:
    with Receiver(lambda _: answer) as receiver:
        error, sent = failure(receiver.url)
    assert (error.exit_code, sent) == (3, 1)


def test_a_page_for_people_is_final() -> None:
    with Receiver(lambda _: Answer(200, b"<html><title>Sign in</title>")) as receiver:
        assert failure(receiver.url)[0].exit_code == 3


@pytest.mark.parametrize(
    "words",
    [
        b"Client sent an HTTP request to an HTTPS server.\n",
        b"<html><title>400 The plain HTTP request was sent to HTTPS port</title>",
    ],
)
def test_a_tls_port_that_says_so_to_plain_http(words: bytes) -> None:
    """Go's servers, and nginx."""
    with Receiver(lambda _: Answer(400, words)) as receiver:
        error, sent = failure(receiver.url)
    assert (error.fix, error.exit_code, sent) == ("this port expects TLS: try https://", 3, 1)


def test_a_tls_port_that_breaks_off_plain_http() -> None:
    with Receiver(tls=server_tls()) as receiver:
        error, sent = failure(receiver.url.replace("https://", "http://"))
    assert isinstance(error, UnreachableError)
    assert (error.fix, error.exit_code, error.may_have_arrived, sent) == (
        "this port expects TLS: try https://",
        3,
        False,
        1,
    )


def test_a_plain_port_that_is_asked_for_tls() -> None:
    with Receiver() as receiver:
        error, sent = failure(receiver.url.replace("http://", "https://"))
    assert isinstance(error, UnreachableError)
    assert (error.fix, error.exit_code, sent) == ("it seems to speak plain HTTP: try http://", 3, 1)


def test_a_server_that_wants_a_certificate_of_ours() -> None:
    with Receiver(tls=server_tls(ask_for_certificate=True)) as receiver:
        error, sent = failure(receiver.url, tls_insecure=True)
    assert (error.exit_code, sent) == (3, 1)


@contextmanager
def closing_server(greeting: bytes = b"") -> Iterator[int]:
    """A server that takes connections and closes them at once, as one does that restarts; perhaps it greets first."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            while True:
                try:
                    with listener.accept()[0] as connection:
                        if greeting:
                            connection.recv(1)
                            connection.sendall(greeting)
                            connection.shutdown(socket.SHUT_WR)
                            while connection.recv(65_536):
                                pass
                except OSError:
                    return

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_breaks_may_pass(scheme: str) -> None:
    with closing_server() as port:
        error, sent = failure(f"{scheme}://127.0.0.1:{port}/")
    assert isinstance(error, NoAnswerError)
    assert (error.exit_code, sent) == (1, 3)


def test_a_grpc_port_does_not_speak_http() -> None:
    """Its first bytes are a frame of settings."""
    with closing_server(b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64") as port:
        error, sent = failure(f"http://127.0.0.1:{port}/")
    assert isinstance(error, UnreachableError)
    assert "does not speak HTTP" in str(error)
    assert (error.exit_code, error.may_have_arrived, sent) == (3, False, 1)


def test_nothing_listens_yet() -> None:
    error, sent = failure(f"http://127.0.0.1:{free_port()}/")
    assert (error.exit_code, sent) == (1, 3)


def test_a_server_that_answered_before_is_given_time() -> None:
    """Whatever breaks later may be repaired: the address was right."""
    answers = iter([Answer(500)])
    with Receiver(lambda _: next(answers, Answer(hang_up=True))) as receiver:
        error, sent = failure(receiver.url)
    assert (error.exit_code, sent) == (1, 3)


@pytest.mark.parametrize("status", [400, 401])
def test_a_server_of_several_tenants_wants_one(status: int) -> None:
    with Receiver(lambda _: Answer(status, b"no org id\n")) as receiver:
        error, _ = failure(receiver.url)
    assert error.fix == "this server has several tenants: set tenant"
