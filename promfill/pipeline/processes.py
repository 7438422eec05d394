"""Worker processes: how they begin, how they are ended, and what happens when one dies.

They are forked after the imports where the system can, which shares the fleet; elsewhere each starts anew. Threads
would lose: the interpreter's lock changes hands between array calls of ten microseconds.
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

MOST_DEATHS = 3  # of one worker's share: then something is wrong that a new process does not fix


@dataclass(frozen=True, slots=True)
class Worker:
    """A process, our end of its pipe, and which share of the work it has."""

    process: BaseProcess
    channel: Connection
    share: int
    deaths: int = 0

    def join(self) -> None:
        """Wait until it is gone."""
        self.process.join()
        self.channel.close()


Work = Callable[..., None]
"""What a worker does: it is called with its end of the pipe, and then the arguments given."""


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
    """How often the worker's share has lost its process, this time included; RunError when that is too often."""
    worker.join()
    if worker.deaths + 1 == MOST_DEATHS:
        code = worker.process.exitcode
        problem = f"a worker died {MOST_DEATHS} times (exit code {code})"
        raise RunError(problem, f"try fewer {setting('workers')}, or more memory")
    return worker.deaths + 1


def as_promfill_error(error: Exception) -> PromfillError:
    """What a worker hands over instead of a traceback."""
    if isinstance(error, PromfillError):
        return error
    return InternalError.of(error)


def leave_with_parent() -> None:
    """End this worker where its parent was killed: nobody else would."""
    parent = mp.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)


def receive(channel: Connection) -> Any:
    """The parent's next word. A forked worker holds both ends of its pipe: its parent's death does not close it."""
    while not channel.poll(1.0):
        leave_with_parent()
    return channel.recv()


def _begin(work: Work, channel: Connection, arguments: tuple[Any, ...]) -> None:
    """Ctrl-C and a closed terminal reach the whole group of processes: they are the parent's to pass on, as SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(getattr(signal, "SIGHUP", signal.SIGINT), signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave_by_exception)
    work(channel, *arguments)


def _leave_by_exception(number: int, frame: object) -> None:
    signal.signal(number, signal.SIG_IGN)
    raise SystemExit(128 + number)
