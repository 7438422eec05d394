"""What a job can tell from the exit code of a push: 1 may succeed if it is repeated, 3 never will."""

from __future__ import annotations

import pytest

from tests.support.cli import PUSH, Promfill
from tests.support.receiver import GOOD, Answer, Receiver, Taken, server_tls
from tests.support.servers import free_port

SMALL = (*PUSH, "--mode", "remote-write", "--protocol", "1.0")


def push(promfill: Promfill, url: str, *options: str) -> tuple[int, str]:
    result = promfill(*SMALL, "--remote-write-url", url, "--retry-for", "1ms", *options)
    return result.code, result.err


@pytest.mark.parametrize(
    ("status", "code"), [(400, 3), (401, 3), (403, 3), (404, 3), (405, 3), (415, 3), (429, 1), (500, 1), (503, 1)]
)
def test_a_push_that_a_receiver_refuses(promfill: Promfill, status: int, code: int) -> None:
    with Receiver(lambda _: Answer(status, b"no")) as receiver:
        left, told = push(promfill, receiver.url)
    assert (left, f"answered {status} " in told) == (code, True)
    assert "No samples were accepted" in told


def test_a_part_that_was_sent_before_a_refusal_is_told(promfill: Promfill) -> None:
    """The first request is taken."""
    taken: list[Taken] = []

    def answer(request: Taken) -> Answer:
        if request.method == "POST" and request.message:
            taken.append(request)
        return GOOD if len(taken) == 1 else Answer(403)

    with Receiver(answer) as receiver:
        code, told = push(promfill, receiver.url, "--max-samples-per-send", "10")
    assert code == 3
    assert "10 samples were accepted" in told


def test_tls_and_plain_http_mistaken_for_each_other(promfill: Promfill) -> None:
    with Receiver() as plain, Receiver(tls=server_tls()) as secure:
        first = push(promfill, plain.url.replace("http:", "https:"))
        second = push(promfill, secure.url.replace("https:", "http:"))
    assert (first[0], second[0]) == (3, 3)
    assert "try http://" in first[1]
    assert "try https://" in second[1]


def test_a_receiver_that_is_not_there_yet(promfill: Promfill) -> None:
    code, told = push(promfill, f"http://127.0.0.1:{free_port()}/api/v1/write")
    assert code == 1
    assert "nothing listens" in told


def test_check_finds_out_that_nobody_can_be_sent_anything(promfill: Promfill) -> None:
    """Where somebody may be there later it cannot know, and says so."""
    with Receiver(tls=server_tls()) as secure:
        address = secure.url.replace("https:", "http:")
        result = promfill("check", *SMALL[1:], "--remote-write-url", address, "--json")
    assert (result.code, result.json["error"]["exit_code"]) == (3, 3)
    assert "try https://" in result.err
    assert "Nothing was sent" in result.err
    later = promfill("check", *SMALL[1:], "--remote-write-url", f"http://127.0.0.1:{free_port()}/api/v1/write")
    assert later.code == 0
    assert "its limits were not checked" in later.out


def test_a_server_that_takes_no_writes_at_all(promfill: Promfill) -> None:
    """Python's http.server says 501 to a POST."""
    with Receiver(lambda _: Answer(501, b"Unsupported method ('POST')")) as receiver:
        code, told = push(promfill, receiver.url)
    assert code == 3
    assert "set --remote-write-url to the full push URL" in told
    assert "No samples were accepted" in told
    assert "may have been stored" not in told


def test_check_asks_for_the_tenant_as_a_push_does(promfill: Promfill) -> None:
    with Receiver(lambda _: Answer(401, b"no org id\n")) as receiver:
        for command in ("check", "push"):
            result = promfill(command, *SMALL[1:], "--remote-write-url", receiver.url)
            assert result.code == 3
            assert "set --tenant" in result.err
