"""What the parent makes of its workers' words and silence. Real processes: tests/integration/test_workers.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from promfill.errors import InternalError, OutputError, RunError
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.pipeline import workers
from promfill.pipeline.workers import WorkerPool, _Ended, _push_share
from promfill.protocols import SinkReport
from tests.support.scripted_workers import Scripts
from tests.support.sources import source_of

SOURCE = source_of("i={1..3}", 10)


class ListSink:
    """A sink of tiles of one step each, that fails where it is told to."""

    def __init__(self, fails: Exception | None = None) -> None:
        self.report, self.fails, self.aborted = SinkReport(), fails, False

    def tiles(self) -> Iterator[Tile]:
        return (Tile(step, 1, 0, 3) for step in range(4))

    def write(self, batch: SeriesBatch) -> None:
        if self.fails and self.report.samples == 6:
            raise self.fails
        self.report.samples += batch.samples
        self.report.ready.append(Path(str(self.report.samples)))

    def commit(self) -> SinkReport:
        self.report.bytes = 77
        return self.report

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        return 1.0

    def abort(self) -> None:
        self.aborted = True


def report(samples: int, *paths: str) -> SinkReport:
    return SinkReport(samples, 10 * samples, [Path(path) for path in paths], {"blocks": len(paths)})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripts]:
    def install(words: dict[tuple[int, int], list[Any]], **more: Any) -> Scripts:
        scripts = Scripts(words, **more)
        monkeypatch.setattr(workers, "start_worker", scripts.start)
        return scripts

    return install


def pool(count: int) -> tuple[WorkerPool, list[tuple[int, int]]]:
    asked: list[tuple[int, int]] = []

    def sink_of(worker: int, workers: int) -> ListSink:
        asked.append((worker, workers))
        return ListSink()

    return WorkerPool(SOURCE, sink_of, count), asked


def test_words_are_passed_on_and_reports_add_up(scripted: Callable[..., Scripts]) -> None:
    scripts = scripted(
        {
            (0, 0): [5, [Path("b")], 7, report(12, "b", "d")],
            (1, 0): [3, [Path("c"), Path("a")], report(3, "c", "a")],
        }
    )
    (pushed, asked), told, ready = pool(2), list[int](), list[Path]()
    found = pushed.push(told.append, ready.extend)
    assert (sorted(told), sorted(ready)) == ([3, 5, 7], [Path("a"), Path("b"), Path("c")])
    assert (found.samples, found.bytes, found.details) == (15, 150, {"blocks": 4})
    assert found.paths == [Path("a"), Path("b"), Path("c"), Path("d")]
    assert asked == [(0, 2), (1, 2)]
    assert [arguments[0] for arguments in scripts.arguments] == [SOURCE, SOURCE]
    assert scripts.all_gone()


def test_a_worker_that_dies_is_replaced_with_a_sink_of_its_own(scripted: Callable[..., Scripts]) -> None:
    scripts = scripted({(0, 0): [report(1, "a")], (1, 0): [4], (1, 1): [], (1, 2): [2, report(6, "b")]})
    pushed, asked = pool(2)
    assert pushed.push().samples == 7
    assert scripts.started == [(0, 0), (1, 0), (1, 1), (1, 2)]
    assert asked == [(0, 2), (1, 2), (1, 2), (1, 2)]
    assert scripts.all_gone()


def test_what_it_had_finished_before_counts(scripted: Callable[..., Scripts]) -> None:
    """One that ended by a signal says so in its last word."""
    scripted({(0, 0): [_Ended(report(4, "a"), None)], (0, 1): [report(2, "b")]})
    found = pool(1)[0].push()
    assert (found.samples, found.paths) == (6, [Path("a"), Path("b")])


def test_a_share_that_always_dies_ends_the_push(scripted: Callable[..., Scripts]) -> None:
    scripts = scripted({(1, 0): [report(9, "x")]})
    with pytest.raises(RunError, match=r"died 3 times \(exit code -9\)"):
        pool(2)[0].push()
    assert scripts.started == [(0, 0), (1, 0), (0, 1), (0, 2)]
    assert scripts.all_gone()


def test_an_error_of_one_ends_all_and_says_what_they_had_finished(scripted: Callable[..., Scripts]) -> None:
    scripts = scripted(
        {(0, 0): [_Ended(report(5, "a"), OutputError("the disk is full"))]},
        stays=True,
        at_the_end=lambda share: [3, [Path("z")], _Ended(report(10 * share, f"s{share}"), None)],
    )
    pushed, _ = pool(3)
    with pytest.raises(OutputError, match="the disk is full"):
        pushed.push()
    assert pushed.report.samples == 5 + 10 + 20
    assert scripts.workers[0].process.done == ["join"]  # type: ignore[attr-defined]
    assert [worker.process.done for worker in scripts.workers[1:]] == [["terminate", "join"]] * 2  # type: ignore[attr-defined]
    assert scripts.all_gone()


def test_ctrl_c_ends_all_as_well(scripted: Callable[..., Scripts]) -> None:
    """One that came to its end just then is counted, one that died without a word is not."""
    last: dict[int, list[Any]] = {0: [report(4, "a")], 1: []}
    scripts = scripted({(0, 0): [1]}, stays=True, at_the_end=lambda share: last[share])

    def interrupt(samples: int) -> None:
        raise KeyboardInterrupt

    pushed, _ = pool(2)
    with pytest.raises(KeyboardInterrupt):
        pushed.push(interrupt)
    assert (pushed.report.samples, pushed.report.paths) == (4, [Path("a")])
    assert scripts.all_gone()


def words_of(sink: ListSink, work: Callable[[Connection], None]) -> list[Any]:
    """All that a worker says in its life; what it raises at the end is the caller's."""
    ours, theirs = Pipe()
    try:
        work(theirs)
    finally:
        theirs.close()
        said = []
        while ours.poll():
            try:
                said.append(ours.recv())
            except EOFError:
                break
        ours.close()
        sink.said = said  # type: ignore[attr-defined]
    return said


def test_a_workers_life() -> None:
    sink = ListSink()
    said = words_of(sink, lambda channel: _push_share(channel, SOURCE, sink))
    assert [word for word in said if isinstance(word, int)] == [3] * 4
    assert [path for word in said if isinstance(word, list) for path in word] == [
        Path(n) for n in ("3", "6", "9", "12")
    ]
    assert isinstance(said[-1], SinkReport)
    assert (said[-1].samples, said[-1].bytes) == (12, 77)


@pytest.mark.parametrize(
    ("error", "kind"), [(OutputError("no room"), OutputError), (ZeroDivisionError("x"), InternalError)]
)
def test_its_error_is_its_last_word_with_what_it_had_finished(error: Exception, kind: type[Exception]) -> None:
    sink = ListSink(error)
    said = words_of(sink, lambda channel: _push_share(channel, SOURCE, sink))
    assert isinstance(said[-1], _Ended)
    assert (said[-1].report.samples, type(said[-1].error)) == (6, kind)
    assert sink.aborted


def test_sigterm_lets_it_say_what_it_had_finished() -> None:
    """The handler raises SystemExit: it goes on to the process's end, after the last word."""
    sink = ListSink()
    sink.fails = SystemExit(143)  # type: ignore[assignment]
    with pytest.raises(SystemExit):
        words_of(sink, lambda channel: _push_share(channel, SOURCE, sink))
    last = sink.said[-1]  # type: ignore[attr-defined]
    assert isinstance(last, _Ended)
    assert (last.report.samples, last.error) == (6, None)


def test_a_parent_that_is_gone_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = ListSink()
    asked = 0

    def gone() -> None:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise SystemExit(1)

    monkeypatch.setattr(workers, "leave_with_parent", gone)
    with pytest.raises(SystemExit):
        words_of(sink, lambda channel: _push_share(channel, SOURCE, sink))
    assert sink.aborted


def test_a_pipe_that_is_closed_does_not_hide_how_it_ended() -> None:
    sink, (ours, theirs) = ListSink(OutputError("no room")), Pipe()
    ours.close()
    _push_share(theirs, SOURCE, sink)
    theirs.close()
    assert sink.aborted
