"""What a command prints: results on stdout, messages and progress on stderr."""

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
from promfill.cli.text.format import rate_text
from promfill.errors import plural

if TYPE_CHECKING:
    from promfill.operations.notices import Status
    from promfill.operations.reports import SendingStatus
    from promfill.rules.finding import Finding

_WARNED = frozenset({"conflicts", "displaced", "future", "interleaves", "live", "owner", "overlap", "recent", "repeat"})
"""Findings that are shown as warnings if no samples are lost."""


class Console:
    """Where messages go: the command line's `promfill.operations.notices.Notices`.

    verbosity: -1 prints only errors and JSON, 0 is normal, 1 prints more. on_found: what a command does with each part
    of its operation's result.
    """

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity
        self.on_found: Callable[[object], None] = lambda part: None

    def error(self, text: str) -> None:
        """Print one line on stderr, at every verbosity."""
        _tell(f"promfill: error: {' '.join(text.split())}")

    def say(self, text: str) -> None:
        """Print a line that belongs to an error on stderr, at every verbosity."""
        _tell(text)

    def warn(self, text: str) -> None:
        """Print a warning on stderr, unless -q is given."""
        if self.verbosity >= 0:
            _tell(f"promfill: warning: {text}")

    def note(self, text: str) -> None:
        """Print one line on stderr, unless -q is given."""
        if self.verbosity >= 0:
            _tell(text)

    def detail(self, text: str) -> None:
        """Print one line on stderr if -v is given."""
        if self.verbosity > 0:
            _tell(text)

    def finding(self, finding: Finding) -> None:
        """Print one line on stderr. Findings that damage existing data are printed even with -q."""
        from promfill.rules.directory import SEVERE

        words = "; ".join(filter(None, (finding.text, finding.fix)))
        if finding.kind in SEVERE:
            self.say(f"promfill: warning: {words}")
        elif finding.kind in _WARNED and not finding.loses:
            self.warn(words)
        else:
            self.note(f"{'loss' if finding.loses else 'note'}: {words}")

    def found(self, part: object) -> None:
        """Take a part of the result, as soon as it is known."""
        self.on_found(part)

    def result(self, text: str) -> None:
        """Print the result for people on stdout."""
        if self.verbosity >= 0:
            click.echo(in_options(text))

    def json(self, facts: Mapping[str, Any]) -> None:
        """Add a part of the result for programs. One object is printed when the command ends.

        May be called more than once, with or without --json.
        """
        outcome = find_outcome(click.get_current_context(silent=True))
        if outcome:
            outcome.facts.update(facts)

    @contextmanager
    def progress(self, samples: int, status: Status = lambda: None) -> Iterator[Callable[[int], None]]:
        """Yields a function to call with the number of samples just done. Shows a bar if stderr is a terminal.

        status: gives what is shown after the rate.
        """
        if self.verbosity < 0 or not sys.stderr.isatty():
            yield lambda _: None
            return
        with click.progressbar(length=samples, file=sys.stderr, item_show_func=_rate(status), show_pos=True) as bar:
            yield lambda done: bar.update(done, bar.pos + done)


def _tell(text: str) -> None:
    """Print a line on stderr. A push goes on if that fails, on a full disk or with a closed pipe."""
    with contextlib.suppress(OSError):
        click.echo(in_options(text), err=True)


def open_closed_streams() -> None:
    """Replace standard streams that were already closed when we started.

    Otherwise the next file that we open gets their number, and output meant for the stream ends up in the file.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, open(number, mode, closefd=False))  # noqa: SIM115


def settle_streams() -> None:
    """Drop output that cannot be written: the interpreter would try again and change the exit code."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _rate(status: Status) -> Callable[[int | None], str]:
    """Returns a function that shows the samples per second since the start, and the status."""
    start = time.monotonic()

    def show(done: int | None) -> str:
        seconds = time.monotonic() - start
        return ", ".join(filter(None, (rate_text(done or 0, seconds), _status_text(status()))))

    return show


def _status_text(status: SendingStatus | None) -> str:
    """Bytes sent, retries, and the time of the samples that are being sent."""
    if status is None:
        return ""
    from promfill.cli.text.format import size_text
    from promfill.scenario.times import format_time

    retries = f", {plural(status.retries, 'retry', 'retries')}" if status.retries else ""
    return f"{size_text(status.bytes)}{retries}, {format_time(status.at)}"


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Let SIGTERM, and SIGHUP from a closed terminal, end the command as Ctrl-C does: every `finally` runs.

    The exit code is 128 + the signal number: 143, 129. Signals that are ignored (nohup) stay ignored.
    """

    def leave(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)  # one is enough: a second one must not interrupt the cleanup
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
