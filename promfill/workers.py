"""``--workers N``: a push shared out to processes, each with a sink of its own.

Possible since a block depends on nothing but its tile: worker w of n makes the blocks w, w + n, … and the files are
those that one process would make. Threads would lose: the interpreter's lock changes hands between array calls of ten
microseconds.

A worker tells its progress through a pipe, and at the end its report. One that dies before (the kernel's out-of-memory
killer, say) is replaced: what it had finished is found, whole and right, and not made again.
"""

from __future__ import annotations

import multiprocessing as mp
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

from promfill.errors import PromfillError, RunError
from promfill.push import Progress, push
from promfill.sinks.base import Sink, SinkReport
from promfill.source import Source

SinkOf = Callable[[int, int], Sink]
"""The sink of worker w of n. It is called in this process, and its sink used in another: nothing is open in it yet."""

if TYPE_CHECKING:
    from multiprocessing.context import ForkContext, SpawnContext

    _Context = ForkContext | SpawnContext

MOST_DEATHS = 3  # of one worker's share: then something is wrong that a new process does not mend


@dataclass(frozen=True, slots=True)
class _Ended:
    """A worker's last word where it did not come to its end: what it had finished, and its error if it had one."""

    report: SinkReport
    error: PromfillError | None


@dataclass(slots=True)
class _Worker:
    """A process, our end of its pipe, and which share it works on."""

    process: BaseProcess
    channel: Connection
    share: int
    deaths: int


class WorkerPool:
    """Runs a push in `count` processes; `report` holds what the finished ones made."""

    def __init__(self, source: Source, sink_of: SinkOf, count: int) -> None:
        self.report = SinkReport()
        self._source, self._sink_of, self._count = source, sink_of, count
        # fork shares the fleet and the imports; where a system cannot, each worker starts anew
        fork = "fork" in mp.get_all_start_methods()
        self._context: _Context = mp.get_context("fork") if fork else mp.get_context("spawn")
        self._running: list[_Worker] = []

    def push(self, progress: Progress = lambda samples: None) -> SinkReport:
        """Run all workers to the end. Whatever ends it early ends them all, and each leaves nothing half written."""
        try:
            for share in range(self._count):
                self._start(share, 0)
            while self._running:
                for worker in self._ready():
                    self._hear(worker, progress)
        finally:
            self._stop()
        self.report.paths.sort()
        return self.report

    def _start(self, share: int, deaths: int) -> None:
        ours, theirs = self._context.Pipe(duplex=False)
        sink = self._sink_of(share, self._count)
        process = self._context.Process(target=_work, args=(self._source, sink, theirs), daemon=True)
        process.start()
        theirs.close()
        self._running.append(_Worker(process, ours, share, deaths))

    def _ready(self) -> list[_Worker]:
        channels = wait([worker.channel for worker in self._running])
        return [worker for worker in self._running if worker.channel in channels]

    def _hear(self, worker: _Worker, progress: Progress) -> None:
        try:
            message = worker.channel.recv()
        except EOFError:
            self._leave(worker)
            self._replace(worker)
            return
        if isinstance(message, int):
            progress(message)
            return
        self._leave(worker)
        if isinstance(message, SinkReport):
            self.report.add(message)
            return
        self.report.add(message.report)
        if message.error:
            raise message.error
        self._replace(worker)

    def _replace(self, worker: _Worker) -> None:
        if worker.deaths + 1 == MOST_DEATHS:
            code = worker.process.exitcode
            raise RunError(f"a worker died {MOST_DEATHS} times (exit code {code}): try fewer --workers, or more memory")
        self._start(worker.share, worker.deaths + 1)

    def _leave(self, worker: _Worker) -> None:
        worker.process.join()
        worker.channel.close()
        self._running.remove(worker)

    def _stop(self) -> None:
        """End what still runs; its last word tells what it had finished."""
        for worker in self._running:
            worker.process.terminate()
        for worker in self._running:
            with suppress(EOFError, OSError):
                while isinstance(message := worker.channel.recv(), int):
                    pass
                self.report.add(message.report if isinstance(message, _Ended) else message)
            worker.process.join()


def _work(source: Source, sink: Sink, channel: Connection) -> None:
    """A worker's life. Ctrl-C reaches the whole group of processes: here it is the parent's to pass on, as SIGTERM."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave_by_exception)
    word: SinkReport | _Ended = _Ended(sink.report, None)
    try:
        word = push(source, sink, lambda samples: _tell(channel, samples))
    except PromfillError as error:
        word = _Ended(sink.report, error)
    except Exception as error:
        word = _Ended(sink.report, RunError(f"a defect of promfill: {type(error).__name__}: {error}"))
    finally:
        with suppress(OSError):
            channel.send(word)


def _tell(channel: Connection, samples: int) -> None:
    """Progress to the parent. Where that was killed nobody else would end us."""
    parent = mp.parent_process()
    if parent is not None and not parent.is_alive():
        raise SystemExit(1)
    channel.send(samples)


def _leave_by_exception(number: int, frame: object) -> None:
    raise SystemExit(128 + number)
