"""Worker processes: how they start, how they end, and what happens when one dies.

They are forked after the imports if the system supports it, which shares the series labels; otherwise each starts from
scratch. Threads would be slower: the array calls take about ten microseconds, and the interpreter's lock would have to
switch threads between them.
"""

from __future__ import annotations

import multiprocessing as mp
import signal
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any

from promfill.errors import InternalError, PromfillError, RunError, setting

MOST_DEATHS = 3  # of one worker's share: after that, starting another process will not help


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, our end of its pipe, and its share of the work."""

    process: BaseProcess
    channel: Connection
    share: int
    deaths: int = 0

    def join(self) -> None:
        """Wait until the process has ended."""
        self.process.join()
        self.channel.close()


Work = Callable[..., None]
"""A worker's main function, called with its end of the pipe and the given arguments."""


def start_worker(work: Work, arguments: tuple[Any, ...], share: int, deaths: int = 0) -> Worker:
    """Start a process that runs ``work(channel, *arguments)``; it ends with this one."""
    fork = "fork" in mp.get_all_start_methods()
    context = mp.get_context("fork") if fork else mp.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_begin, args=(work, theirs, arguments), daemon=True)
    process.start()
    theirs.close()
    return Worker(process, ours, share, deaths)


def next_death(worker: Worker) -> int:
    """How often the worker's share has lost its process, including now. RunError if that is too often."""
    worker.join()
    if worker.deaths + 1 == MOST_DEATHS:
        code = worker.process.exitcode
        problem = f"a worker died {MOST_DEATHS} times (exit code {code})"
        raise RunError(problem, f"use fewer {setting('workers')}, or add memory")
    return worker.deaths + 1


def as_promfill_error(error: Exception) -> PromfillError:
    """The error that a worker sends to its parent instead of printing a traceback."""
    if isinstance(error, PromfillError):
        return error
    return InternalError.of(error)


def leave_with_parent() -> None:
    """End this worker if its parent was killed: nothing else would end it."""
    parent = mp.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)


def receive(channel: Connection) -> Any:
    """The parent's next message. A forked worker holds both ends of its pipe, so it never closes by itself."""
    while not channel.poll(1.0):
        leave_with_parent()
    return channel.recv()


def _begin(work: Work, channel: Connection, arguments: tuple[Any, ...]) -> None:
    """Ignore Ctrl-C and a closed terminal, which reach all processes: the parent passes them on as SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(getattr(signal, "SIGHUP", signal.SIGINT), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave_by_exception)
    work(channel, *arguments)


def _leave_by_exception(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)
