"""check, push and verify at an address that only forwards: what they say, and what they do not point to."""

from __future__ import annotations

import itertools
import json

import pytest

from tests.support.cli import PUSH, Promfill
from tests.support.receiver import GOOD, Answer, Receiver, Taken

WHAT = PUSH[1:]
NOT_FOUND = Answer(404, b"404 page not found\n")


def write_only(taken: Taken) -> Answer:
    """A gateway, or a collector: it takes what is pushed, and knows nothing else."""
    return GOOD if taken.method == "POST" else NOT_FOUND


def prometheus(taken: Taken) -> Answer:
    """As far as check asks: one that keeps five hours."""
    answers = {
        "/api/v1/status/buildinfo": {"version": "3.14.0"},
        "/api/v1/status/flags": {"agent": "false"},
        "/api/v1/status/runtimeinfo": {"storageRetention": "5h"},
    }
    said = answers.get(taken.path)
    return Answer(200, json.dumps({"status": "success", "data": said}).encode()) if said else NOT_FOUND


def posts(receiver: Receiver) -> int:
    return len([taken for taken in receiver.taken if taken.method == "POST"])


def to(receiver: Receiver, path: str = "/api/v1/write") -> tuple[str, ...]:
    return ("--mode", "remote-write", "--remote-write-url", receiver.url.removesuffix("/api/v1/write") + path)


def test_a_receiver_without_a_query_api_proves_nothing(promfill: Promfill) -> None:
    with Receiver(write_only) as receiver:
        told = promfill("check", *WHAT, *to(receiver))
        assert told.code == 0
        assert "no query API" in told.out
        assert "--query-url" in told.out
        assert posts(receiver) == 0
        pushed = promfill("push", *PUSH[1:], *to(receiver))
        assert pushed.code == 0
        assert "no query API" in pushed.err
        assert "Verify:" not in pushed.out
        assert "promfill verify" in pushed.out
        assert posts(receiver) > 0


def test_programs_are_told_so_too(promfill: Promfill) -> None:
    with Receiver(write_only) as receiver:
        checked = promfill("check", *WHAT, *to(receiver), "--json").json
        pushed = promfill("push", *WHAT, *to(receiver), "--json").json
    assert checked["forwarder"]["kind"] == "receiver without a query API"
    assert [finding["kind"] for finding in checked["findings"]] == ["forwarder"]
    assert pushed["forwarder"] == checked["forwarder"]
    assert "verify" not in pushed


def test_with_the_store_behind_it_is_judged_and_verified_there(promfill: Promfill) -> None:
    with Receiver(write_only) as receiver, Receiver(prometheus) as store:
        base = store.url.removesuffix("/api/v1/write")
        told = promfill("push", *WHAT, *to(receiver), "--query-url", base)
        assert told.code == 2
        assert "Prometheus keeps 5h" in told.err
        assert posts(receiver) == 0
        told = promfill("push", *WHAT, *to(receiver), "--query-url", base, "--accept-loss")
    assert told.code == 0
    assert f"--query-url {base}" in told.out


def test_nothing_is_sent_into_an_alloy(promfill: Promfill) -> None:
    with Receiver(write_only) as receiver:
        for command in ("check", "push"):
            told = promfill(command, *WHAT, *to(receiver, "/api/v1/metrics/write"))
            assert told.code == 2
            assert "Grafana Alloy" in told.err
        assert posts(receiver) == 0
        assert promfill("push", *WHAT, *to(receiver, "/api/v1/metrics/write"), "--accept-loss").code == 0
        assert posts(receiver) > 0


def test_a_push_that_cannot_be_verified_is_not_begun(promfill: Promfill) -> None:
    with Receiver(write_only) as receiver:
        told = promfill("push", *WHAT, *to(receiver), "--verify")
    assert told.code == 2
    assert "--verify has nothing to read" in told.err
    assert posts(receiver) == 0


def test_a_resumed_push_knows_it_too(promfill: Promfill) -> None:
    count = itertools.count()

    def breaks_once(taken: Taken) -> Answer:
        return Answer(400, b"no") if taken.method == "POST" and next(count) == 2 else write_only(taken)

    push = ("push", *WHAT, "--labels", "host={1..200}", "--max-samples-per-send", "5000")
    with Receiver(breaks_once) as receiver:
        assert promfill(*push, *to(receiver)).code != 0
        told = promfill(*push, *to(receiver), "--resume")
    assert told.code == 0, told.err
    assert "had been sent by an earlier run" in told.out
    assert "Verify:" not in told.out
    assert "only forwards" in told.out


PAGE = Answer(200, b"<html><title>Welcome</title></html>", {"Content-Type": "text/html"})


@pytest.mark.parametrize("other", [NOT_FOUND, PAGE, Answer(204), Answer(200, b"ok")])
def test_what_knows_no_query_api_is_one_of_them(other: Answer, promfill: Promfill) -> None:
    with Receiver(lambda taken: GOOD if taken.method == "POST" else other) as receiver:
        told = promfill("push", *WHAT, *to(receiver), "--json")
        assert told.json["forwarder"]["kind"] == "receiver without a query API"
        assert "verify" not in told.json
        sent = posts(receiver)
        assert promfill("push", *WHAT, *to(receiver), "--verify").code == 2
        for command in ("check", "verify", "push"):
            where = () if command == "verify" else to(receiver)
            told = promfill(command, *WHAT, *where, "--query-url", receiver.url.removesuffix("/api/v1/write"))
            assert (told.code, posts(receiver)) == (3, sent)
            assert "has no Prometheus API" in told.err


@pytest.mark.parametrize("path", ["/push", "/api/v1/receive"])
def test_beside_an_unknown_path_nothing_is_read_nor_proven(path: str, promfill: Promfill) -> None:
    with Receiver(write_only) as receiver:
        told = promfill("push", *WHAT, *to(receiver, path), "--verify")
        assert (told.code, posts(receiver)) == (2, 0)
        assert "--verify has nothing to read" in told.err
        for command in ("check", "push"):
            told = promfill(command, *WHAT, *to(receiver, path))
            assert told.code == 0
            assert "may still not be stored" in told.err + told.out
            assert "set --query-url" in told.err + told.out


def test_a_push_that_was_sent_and_cannot_be_read_back_says_so(promfill: Promfill) -> None:
    def breaks(taken: Taken) -> Answer:
        if taken.method == "POST" or "buildinfo" in taken.path or "query=vector" in taken.path:
            return GOOD if taken.method == "POST" else prometheus(taken)
        return NOT_FOUND

    with Receiver(breaks) as receiver:
        told = promfill("push", *WHAT, *to(receiver), "--verify", "--retry-for", "1s")
    assert told.code == 3
    assert "sent   " in told.out
    assert "The push itself is complete: 288 samples are in" in told.err


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_who_does_not_let_us_ask_is_not_called_a_forwarder(promfill: Promfill, status: int) -> None:
    answer = Answer(status, b"no")
    with Receiver(lambda taken: GOOD if taken.method == "POST" else answer) as receiver:
        told = promfill("check", *WHAT, *to(receiver), "--json", "--retry-for", "1s")
    assert told.json["forwarder"] is None
    assert [finding["kind"] for finding in told.json["findings"]] == ["unknown"]
