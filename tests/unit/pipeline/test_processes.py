"""How a worker begins and ends, with real processes that do next to nothing."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection

import pytest

from promfill.errors import InternalError, OutputError, RunError
from promfill.pipeline.processes import (
    MOST_DEATHS,
    Worker,
    as_promfill_error,
    leave_with_parent,
    next_death,
    receive,
    start_worker,
)
from tests.support.scripted_workers import ScriptedProcess


def add(channel: Connection, first: int, second: int) -> None:
    channel.send(first + second)


def echo(channel: Connection) -> None:
    channel.send(receive(channel))


def survive(channel: Connection) -> None:
    for number in (signal.SIGINT, signal.SIGHUP):
        os.kill(os.getpid(), number)
    channel.send("still here")


def wait_for_the_end(channel: Connection) -> None:
    try:
        channel.send("ready")
        time.sleep(60)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)  # a second one does not break off what is done at the end
        channel.send("tidied up")


def test_a_worker_has_its_arguments_its_pipe_and_its_share() -> None:
    worker = start_worker(add, (2, 3), share=7, deaths=1)
    assert worker.channel.recv() == 5
    assert (worker.share, worker.deaths, worker.process.daemon) == (7, 1, True)
    with pytest.raises(EOFError):
        worker.channel.recv()
    worker.join()
    assert (worker.process.exitcode, worker.channel.closed) == (0, True)


def test_words_go_both_ways() -> None:
    worker = start_worker(echo, (), 0)
    worker.channel.send({"a": 1})
    assert worker.channel.recv() == {"a": 1}
    worker.join()


def test_signals_to_the_whole_group_are_the_parents_to_pass_on() -> None:
    worker = start_worker(survive, (), 0)
    assert worker.channel.recv() == "still here"
    worker.join()
    assert worker.process.exitcode == 0


def test_sigterm_lets_it_tidy_up_once() -> None:
    worker = start_worker(wait_for_the_end, (), 0)
    assert worker.channel.recv() == "ready"
    worker.process.terminate()
    assert worker.channel.recv() == "tidied up"
    worker.join()
    assert worker.process.exitcode == 143


def test_deaths_are_counted_and_three_are_too_many() -> None:
    for deaths in range(MOST_DEATHS):
        ours, theirs = Pipe()
        theirs.close()
        worker = Worker(ScriptedProcess(), ours, 0, deaths)  # type: ignore[arg-type]
        if deaths + 1 < MOST_DEATHS:
            assert next_death(worker) == deaths + 1
        else:
            with pytest.raises(RunError, match=r"died 3 times \(exit code -9\)"):
                next_death(worker)
        assert ours.closed


def test_errors_travel_as_ours() -> None:
    error = OutputError("no room")
    assert as_promfill_error(error) is error
    assert isinstance(as_promfill_error(KeyError("x")), InternalError)


class Parent:
    """The parent process as a worker sees it."""

    def __init__(self, lives: bool) -> None:
        self.lives = lives

    def is_alive(self) -> bool:
        return self.lives


@pytest.mark.parametrize("parent", [None, Parent(True)])
def test_a_parent_that_lives_or_none_at_all(parent: Parent | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.parent_process", lambda: parent)
    leave_with_parent()


def test_a_worker_does_not_outlive_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.parent_process", lambda: Parent(False))
    with pytest.raises(SystemExit) as ended:
        leave_with_parent()
    assert ended.value.code == 1


def test_one_that_waits_for_a_word_looks_whether_its_parent_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, theirs = Pipe()
    lives = iter([True, True, False])
    monkeypatch.setattr(Connection, "poll", lambda self, seconds: False)
    monkeypatch.setattr("multiprocessing.parent_process", lambda: Parent(next(lives)))
    with pytest.raises(SystemExit):
        receive(theirs)
    assert list(lives) == []
    ours.close()
    theirs.close()
