"""What a command says: results on stdout, messages and progress on stderr."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.outcome import find_outcome
from promfill.cli.spelling import in_options

if TYPE_CHECKING:
    from promfill.operations.notices import Status
    from promfill.operations.reports import SendingStatus
    from promfill.rules.finding import Finding

_WARNED = frozenset({"conflicts", "displaced", "future", "interleaves", "live", "owner", "overlap", "recent", "repeat"})
"""Findings that are warnings where nothing is lost."""


class Console:
    """Where messages go: the command line's `promfill.operations.notices.Notices`.

    verbosity: -1 nothing but errors and what is asked for by --json, 0 the usual, 1 more. on_found: what a command does
    with a part of its operation's result.
    """

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity
        self.on_found: Callable[[object], None] = lambda part: None

    def error(self, text: str) -> None:
        """One line on stderr, whatever the verbosity."""
        _tell(f"promfill: error: {' '.join(text.split())}")

    def say(self, text: str) -> None:
        """One line on stderr that belongs to an error, whatever the verbosity."""
        _tell(text)

    def warn(self, text: str) -> None:
        """One line on stderr about something the user would want to know."""
        if self.verbosity >= 0:
            _tell(f"promfill: warning: {text}")

    def note(self, text: str) -> None:
        """One line on stderr."""
        if self.verbosity >= 0:
            _tell(text)

    def detail(self, text: str) -> None:
        """One line on stderr for those who asked for more."""
        if self.verbosity > 0:
            _tell(text)

    def finding(self, finding: Finding) -> None:
        """One line on stderr. What costs others what they have is said under -q, too."""
        from promfill.rules.directory import SEVERE

        words = "; ".join(filter(None, (finding.text, finding.fix)))
        if finding.kind in SEVERE:
            self.say(f"promfill: warning: {words}")
        elif finding.kind in _WARNED and not finding.loses:
            self.warn(words)
        else:
            self.note(f"{'loss' if finding.loses else 'note'}: {words}")

    def found(self, part: object) -> None:
        """A part of the result is known."""
        self.on_found(part)

    def result(self, text: str) -> None:
        """The result for people, on stdout."""
        if self.verbosity >= 0:
            click.echo(in_options(text))

    def json(self, facts: Mapping[str, Any]) -> None:
        """A part of the result for programs, as soon as it is known: one object is printed when the command has ended.

        May be called more than once, and whether or not --json was given.
        """
        outcome = find_outcome(click.get_current_context(silent=True))
        if outcome:
            outcome.facts.update(facts)

    @contextmanager
    def progress(self, samples: int, status: Status = lambda: None) -> Iterator[Callable[[int], None]]:
        """A function that is told how many samples more are done; a bar only where stderr is a terminal.

        status: what is told behind the rate.
        """
        if self.verbosity < 0 or not sys.stderr.isatty():
            yield lambda _: None
            return
        with click.progressbar(length=samples, file=sys.stderr, item_show_func=_rate(status), show_pos=True) as bar:
            yield lambda done: bar.update(done, bar.pos + done)


def _tell(text: str) -> None:
    """A line on stderr. A log that cannot be written, on a full disk or to a reader who is gone, ends no push."""
    with contextlib.suppress(OSError):
        click.echo(in_options(text), err=True)


def open_closed_streams() -> None:
    """Stand in for standard streams that were closed before we began.

    Else the next file that we open gets their number, and what others write to it.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def settle_streams() -> None:
    """What could not be written is dropped: the interpreter would try once more, and leave with a code of its own."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _rate(status: Status) -> Callable[[int | None], str]:
    """Shows the samples per second since the start, and the status."""
    start = time.monotonic()

    def show(done: int | None) -> str:
        seconds = time.monotonic() - start
        rate = f"{(done or 0) / seconds / 1e6:.1f} M samples/s" if seconds > 0 else ""
        return ", ".join(filter(None, (rate, _status_text(status()))))

    return show


def _status_text(status: SendingStatus | None) -> str:
    """Bytes, retries and the time that is being sent."""
    if status is None:
        return ""
    from promfill.cli.text.format import size_text
    from promfill.scenario.times import format_time

    retries = f", {status.retries:,} retries" if status.retries else ""
    return f"{size_text(status.bytes)}{retries}, {format_time(status.at)}"


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """SIGTERM, and SIGHUP of a closed terminal, end the command as Ctrl-C does, through every `finally`.

    The exit code is 128 + the signal's number: 143, 129. Signals that are ignored (nohup) stay so.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # one is enough: a second must not break off the tidying up
        raise SystemExit(128 + number)

    endings = [signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)]
    before = {number: signal.getsignal(number) for number in endings}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
