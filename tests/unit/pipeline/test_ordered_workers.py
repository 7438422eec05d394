"""Whose turn it is and where its tile belongs, with workers that follow a script. Real ones: tests/integration."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from multiprocessing import Pipe
from threading import Thread
from typing import Any

import pytest

from promfill.errors import OutputError, RunError
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.pipeline import ordered_workers
from promfill.pipeline.ordered_workers import OrderedPool, _encode_share
from promfill.protocols import SinkReport
from tests.support.scripted_workers import Scripts
from tests.support.sources import source_of

SOURCE = source_of("i={1..3}", 7)
HEAD = 100
"""Where the first tile belongs."""


class TextSink:
    """A sink of one file, kept as pieces by their offsets; tile n of N steps has 10 n + 1 bytes."""

    def __init__(self, tiles: int = 7) -> None:
        self.report = SinkReport()
        self.count = tiles
        self.pieces: dict[int, bytes] = {}
        self.calls: list[str] = []

    def tiles(self) -> Iterator[Tile]:
        return (Tile(step, 1, 0, 3) for step in range(self.count))

    def encode(self, batch: SeriesBatch) -> bytes:
        step = int(batch.timestamps[0] - SOURCE.grid.start) // SOURCE.grid.step
        return bytes([step]) * length(step)

    def begin(self) -> int:
        self.calls.append("begin")
        return HEAD

    def write_at(self, offset: int, data: bytes) -> None:
        self.pieces[offset] = data

    def written(self, end: int, samples: int) -> None:
        self.calls.append(f"written {end} {samples}")

    def commit(self) -> SinkReport:
        self.calls.append("commit")
        return self.report

    def write(self, batch: SeriesBatch) -> None:
        raise AssertionError("workers write")

    def bytes_per_sample(self, batch: SeriesBatch) -> float:
        return 1.0

    def abort(self) -> None:
        self.calls.append("abort")


def length(number: int) -> int:
    return 10 * number + 1


def offset(number: int) -> int:
    return HEAD + sum(map(length, range(number)))


END = f"written {offset(7)} {SOURCE.samples}"


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Scripts]:
    """Their pipes stay open, so that it can be seen what they were told."""

    def install(words: dict[tuple[int, int], list[Any]], **more: Any) -> Scripts:
        scripts = Scripts(words, **more)
        monkeypatch.setattr(ordered_workers, "start_worker", scripts.start)
        return scripts

    return install


def lengths(first: int, step: int) -> list[int]:
    """What a worker says that encodes the tiles first, first + step …, and then its end."""
    return [*map(length, range(first, 7, step)), 0]


def told(scripts: Scripts, worker: int) -> list[int]:
    """What a worker that stays was told, before it was ended."""
    found, channel = [], scripts.theirs[worker]
    while channel.poll():
        found.append(channel.recv())
    return found


@pytest.mark.parametrize("count", [1, 2, 3, 7, 20])
def test_each_tile_is_given_its_place_in_order(scripted: Callable[..., Scripts], count: int) -> None:
    used = min(count, 7)
    scripts = scripted({(share, 0): lengths(share, used) for share in range(used)}, stays=True)
    sink, progress, places = TextSink(), list[int](), list[list[int]]()
    stop = OrderedPool._stop

    def noted_stop(pool: OrderedPool) -> None:
        if not places:
            places.extend(told(scripts, worker) for worker in range(used))
        stop(pool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(OrderedPool, "_stop", noted_stop)
        OrderedPool(SOURCE, sink, count).push(progress.append)
    assert places == [[offset(number) for number in range(share, 7, used)] for share in range(used)]
    assert progress == [3] * 7
    assert sink.calls == ["begin", END, "commit"]
    for share, (source, to, tiles) in enumerate(scripts.arguments):
        assert (source, to) == (SOURCE, sink)
        assert [tile.first_step for tile in tiles] == list(range(share, 7, used))
    assert scripts.all_gone()


@pytest.mark.parametrize("died_after", range(5))
def test_one_that_dies_is_replaced_from_the_tile_that_is_not_surely_written(
    scripted: Callable[..., Scripts], died_after: int
) -> None:
    """Its next word says that its last tile is written: without it that tile is made again, at the same place."""
    first = max(0, 2 * (died_after - 1))  # the tile that was placed last, if any was
    scripts = Scripts({(first, 1): lengths(first, 2)}, stays=True)
    dying = Scripts({(0, 0): lengths(0, 2)[:died_after]})
    other = Scripts({(1, 0): lengths(1, 2)}, stays=True)
    by_start = {(0, 0): dying, (1, 0): other}

    def start(work: object, arguments: tuple[Any, ...], share: int, deaths: int = 0) -> Any:
        return by_start.get((share, deaths), scripts).start(work, arguments, share, deaths)

    places: list[list[int]] = []
    stop = OrderedPool._stop

    def noted_stop(pool: OrderedPool) -> None:
        if not places:
            places.extend([told(scripts, 0), told(other, 0)])
        stop(pool)

    sink = TextSink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ordered_workers, "start_worker", start)
        patch.setattr(OrderedPool, "_stop", noted_stop)
        OrderedPool(SOURCE, sink, 2).push()
    assert scripts.started == [(first, 1)]
    assert [tile.first_step for tile in scripts.arguments[0][2]] == list(range(first, 7, 2))
    assert places == [[offset(number) for number in range(first, 7, 2)], [offset(number) for number in (1, 3, 5)]]
    assert sink.calls == ["begin", END, "commit"]


def test_a_tile_that_nobody_can_make_ends_the_push(scripted: Callable[..., Scripts]) -> None:
    scripts = scripted({})
    sink = TextSink()
    with pytest.raises(RunError, match="died 3 times"):
        OrderedPool(SOURCE, sink, 1).push()
    assert scripts.started == [(0, 0), (0, 1), (0, 2)]
    assert sink.calls == ["begin", "abort"]
    assert scripts.all_gone()


def test_an_error_of_one_ends_all_and_leaves_nothing(scripted: Callable[..., Scripts]) -> None:
    scripts = scripted({(0, 0): [1, OutputError("the disk is full")], (1, 0): [11]}, stays=True)
    sink = TextSink()
    with pytest.raises(OutputError, match="the disk is full"):
        OrderedPool(SOURCE, sink, 2).push()
    assert sink.calls == ["begin", "abort"]
    assert all(worker.process.done[:2] == ["terminate", "join"] for worker in scripts.workers)  # type: ignore[attr-defined]
    assert scripts.all_gone()


def test_a_file_that_cannot_be_begun(scripted: Callable[..., Scripts], monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(sink: TextSink) -> int:
        raise OutputError("no room")

    monkeypatch.setattr(TextSink, "begin", begin)
    scripts, sink = scripted({}), TextSink()
    with pytest.raises(OutputError, match="no room"):
        OrderedPool(SOURCE, sink, 2).push()
    assert (scripts.started, sink.calls) == ([], ["abort"])


def life(sink: TextSink, places: list[int]) -> list[Any]:
    """What a worker of the tiles 1, 3 and 5 says that is told these places."""
    ours, theirs = Pipe()
    for place in places:
        ours.send(place)
    thread = Thread(target=_encode_share, args=(theirs, SOURCE, sink, [Tile(step, 1, 0, 3) for step in (1, 3, 5)]))
    thread.start()
    thread.join()
    said = []
    while ours.poll():
        said.append(ours.recv())
    return said


def test_a_workers_life() -> None:
    sink = TextSink()
    assert life(sink, [500, 700, 900]) == [length(1), length(3), length(5), 0]
    assert sink.pieces == {place: bytes([step]) * length(step) for place, step in [(500, 1), (700, 3), (900, 5)]}


def test_its_error_is_its_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    def write_at(sink: TextSink, offset: int, data: bytes) -> None:
        raise OutputError("the disk is full") if offset == 700 else ZeroDivisionError

    monkeypatch.setattr(TextSink, "write_at", write_at)
    said = life(TextSink(), [700])
    assert (said[0], type(said[1])) == (length(1), OutputError)
    said = life(TextSink(), [500])
    assert "ZeroDivisionError" in str(said[1])
