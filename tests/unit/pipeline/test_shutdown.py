"""Signals while a push tidies up: none breaks it off, and every handler is afterwards what it was."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

from promfill.pipeline.shutdown import ENDINGS, undisturbed


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in ENDINGS]


def test_signals_are_ignored_inside_and_heard_again_afterwards() -> None:
    before = handlers()
    with undisturbed():
        os.kill(os.getpid(), signal.SIGINT)
        assert handlers() == [signal.SIG_IGN] * len(ENDINGS)
    assert handlers() == before


def test_handlers_are_what_they_were_after_an_error() -> None:
    before = handlers()
    with pytest.raises(LookupError), undisturbed():
        raise LookupError
    assert handlers() == before


def test_a_handler_that_is_not_pythons_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    real, set_handler, changed = signal.getsignal, signal.signal, set()

    def change(number: int, handler: Any) -> Any:
        changed.add(number)
        return set_handler(number, handler)

    monkeypatch.setattr(signal, "getsignal", lambda number: None if number == signal.SIGTERM else real(number))
    monkeypatch.setattr(signal, "signal", change)
    with undisturbed():
        pass
    assert signal.SIGTERM not in changed
    assert signal.SIGINT in changed


def test_other_threads_change_no_handler() -> None:
    seen: list[list[object]] = []

    def tidy_up() -> None:
        with undisturbed():
            seen.append(handlers())

    before = handlers()
    thread = threading.Thread(target=tidy_up)
    thread.start()
    thread.join()
    assert seen == [before]
