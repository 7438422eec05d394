"""Workers for blocks: a push split between processes, each with its own sink.

A block depends only on its tile, so worker w of n makes every n-th group of blocks, and the files are the same as from
one process. A worker sends its progress, the blocks that are complete, and at the end its report through a pipe. A
worker that dies (because of the kernel's out-of-memory killer, for example) is replaced: the blocks that it had
finished are checked and not made again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait

from promfill.errors import PromfillError
from promfill.pipeline.processes import Worker, as_promfill_error, leave_with_parent, next_death, start_worker
from promfill.pipeline.push import Progress, Ready, push
from promfill.pipeline.shutdown import undisturbed
from promfill.protocols import Sink, SinkReport
from promfill.sources.generated import Source

SinkOf = Callable[[int, int], Sink]
"""Makes the sink of worker w of n. Called in this process, used in another, so the sink has nothing open yet."""


@dataclass(frozen=True, slots=True)
class _Ended:
    """The last message of a worker that ended early: what it had finished, and its error if it had one."""

    report: SinkReport
    error: PromfillError | None


class WorkerPool:
    """Runs a push in `count` processes; `report` holds the results of the finished ones."""

    def __init__(self, source: Source, sink_of: SinkOf, count: int) -> None:
        self.report = SinkReport()
        self._source, self._sink_of, self._count = source, sink_of, count
        self._running: list[Worker] = []

    def push(self, progress: Progress = lambda samples: None, ready: Ready = lambda paths: None) -> SinkReport:
        """Run all workers to the end. An error or interrupt ends all of them, and none leaves partial files."""
        try:
            for share in range(self._count):
                self._start(share, 0)
            while self._running:
                for worker in self._ready():
                    self._hear(worker, progress, ready)
        finally:
            with undisturbed():
                self._stop()
        self.report.paths.sort()
        return self.report

    def _start(self, share: int, deaths: int) -> None:
        sink = self._sink_of(share, self._count)
        self._running.append(start_worker(_push_share, (self._source, sink), share, deaths))

    def _ready(self) -> list[Worker]:
        channels = wait([worker.channel for worker in self._running])
        return [worker for worker in self._running if worker.channel in channels]

    def _hear(self, worker: Worker, progress: Progress, ready: Ready) -> None:
        try:
            message = worker.channel.recv()
        except (EOFError, OSError):
            message = _Ended(SinkReport(), None)
        if isinstance(message, int):
            progress(message)
            return
        if isinstance(message, list):
            ready(message)
            return
        self._running.remove(worker)
        if isinstance(message, SinkReport):
            worker.join()
            self.report.add(message)
            return
        self.report.add(message.report)
        if message.error:
            worker.join()
            raise message.error
        self._start(worker.share, next_death(worker))

    def _stop(self) -> None:
        """End the workers that still run; the last message of each says what it had finished."""
        for worker in self._running:
            worker.process.terminate()
        for worker in self._running:
            with suppress(EOFError, OSError):
                while isinstance(message := worker.channel.recv(), int | list):
                    pass
                self.report.add(message.report if isinstance(message, _Ended) else message)
            worker.join()


def _push_share(channel: Connection, source: Source, sink: Sink) -> None:
    """A worker's main function, with its own sink."""

    def progress(samples: int) -> None:
        leave_with_parent()
        channel.send(samples)

    word: SinkReport | _Ended = _Ended(sink.report, None)
    try:
        word = push(source, sink, progress, channel.send)
    except Exception as error:
        word = _Ended(sink.report, as_promfill_error(error))
    finally:
        with suppress(OSError):
            channel.send(word)
