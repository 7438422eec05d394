"""Workers that are no processes: each says what its script holds, and then nothing more, as one that died."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

from promfill.pipeline.processes import Worker


class ScriptedProcess:
    """Notes what is done to it."""

    exitcode = -9

    def __init__(self) -> None:
        self.done: list[str] = []

    def terminate(self) -> None:
        self.done.append("terminate")

    def join(self) -> None:
        self.done.append("join")


@dataclass
class Scripts:
    """Stands in for ``start_worker``.

    words: what the worker of a share says after so many deaths, by (share, deaths). It then ends, unless it `stays`:
    then its last words are those of `at_the_end`, once it is told to terminate.
    """

    words: Mapping[tuple[int, int], Sequence[Any]]
    stays: bool = False
    at_the_end: Callable[[int], Sequence[Any]] = lambda share: ()
    workers: list[Worker] = field(default_factory=list)
    arguments: list[tuple[Any, ...]] = field(default_factory=list)
    theirs: list[Connection] = field(default_factory=list)

    def start(self, work: object, arguments: tuple[Any, ...], share: int, deaths: int = 0) -> Worker:
        ours, theirs = Pipe()
        process = ScriptedProcess()
        for word in self.words.get((share, deaths), ()):
            theirs.send(word)
        if self.stays:
            ended = process.terminate

            def terminate() -> None:
                ended()
                for word in self.at_the_end(share):
                    theirs.send(word)
                theirs.close()

            process.terminate = terminate  # type: ignore[method-assign]
            self.theirs.append(theirs)
        else:
            theirs.close()
        worker = Worker(process, ours, share, deaths)  # type: ignore[arg-type]
        self.workers.append(worker)
        self.arguments.append(arguments)
        return worker

    @property
    def started(self) -> list[tuple[int, int]]:
        """(share, deaths) of every worker, in the order of their starts."""
        return [(worker.share, worker.deaths) for worker in self.workers]

    def all_gone(self) -> bool:
        """Whether each was waited for, and its pipe closed."""
        return all("join" in worker.process.done and worker.channel.closed for worker in self.workers)  # type: ignore[attr-defined]
