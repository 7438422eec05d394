"""Several workers for text: one file, encoded and written by several processes.

Worker w of n encodes the tiles w, w + n, … and tells the length of each; this process answers, in the order of the
tiles, with the place in the file where it belongs, and the worker writes it there. So only integers pass through pipes,
and the file is the one that a single process would write. A worker's next word says that its last tile is written;
where it dies before, another one does that tile again, at the same place.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

from promfill.errors import PromfillError
from promfill.model.batch import SeriesBatch
from promfill.model.grid import Tile
from promfill.pipeline.processes import Worker, as_promfill_error, next_death, receive, start_worker
from promfill.pipeline.push import Progress
from promfill.pipeline.shutdown import undisturbed
from promfill.protocols import Sink, SinkReport
from promfill.sources.generated import Source


class PlacedSink(Sink, Protocol):
    """A sink of one file, whose pieces may be written in any order."""

    def encode(self, batch: SeriesBatch) -> bytes:
        """The bytes of a tile."""

    def begin(self) -> int:
        """Begin the file; the offset at which the first tile belongs."""

    def write_at(self, offset: int, data: bytes) -> None:
        """Write a tile at its place, in any process."""

    def written(self, end: int, samples: int) -> None:
        """All before the offset `end` is there: so many samples more than before."""


@dataclass(slots=True)
class _Turn:
    """A worker, and what it was last told to write: (number of the tile, offset). `again`: that is to be told anew."""

    worker: Worker
    placed: tuple[int, int] | None = None
    again: bool = False

    def tell_place(self) -> None:
        """Answer a length with the place; a worker that is gone is found out when it is listened to."""
        if self.placed:
            with suppress(OSError):
                self.worker.channel.send(self.placed[1])


class OrderedPool:
    """Pushes a source into a `PlacedSink` by `count` processes."""

    def __init__(self, source: Source, sink: PlacedSink, count: int) -> None:
        self._source, self._sink = source, sink
        self._tiles = list(sink.tiles())
        self._count = min(count, len(self._tiles))
        self._turns: list[_Turn] = []

    def push(self, progress: Progress = lambda samples: None) -> SinkReport:
        """Run to the end. Whatever ends it early ends all workers, and leaves nothing half written."""
        sink = self._sink
        try:
            offset = sink.begin()
            self._turns = [_Turn(self._start(share)) for share in range(self._count)]
            for number, tile in enumerate(self._tiles):
                offset += self._place(number, offset)
                progress(tile.samples)
            for number in range(len(self._tiles), len(self._tiles) + self._count):
                self._hear(number)
            sink.written(offset, self._source.samples)
            return sink.commit()
        except BaseException:
            with undisturbed():
                self._stop()
                sink.abort()
            raise
        finally:
            self._stop()

    def _place(self, number: int, offset: int) -> int:
        """Tell the worker whose turn it is where its tile belongs; the tile's length."""
        turn = self._turns[number % self._count]
        length = self._hear(number)
        turn.placed = (number, offset)
        turn.tell_place()
        return length

    def _hear(self, number: int) -> int:
        """The length of tile `number`, from the worker whose turn it is; 0 past the last. Its last tile is written."""
        turn = self._turns[number % self._count]
        while True:
            try:
                word = turn.worker.channel.recv()
            except (EOFError, OSError):
                first = turn.placed[0] if turn.placed else number
                turn.worker = self._start(first, next_death(turn.worker))
                turn.again = turn.placed is not None
                continue
            if isinstance(word, PromfillError):
                raise word
            if not turn.again:
                return int(word)
            turn.again = False
            turn.tell_place()

    def _start(self, first: int, deaths: int = 0) -> Worker:
        tiles = self._tiles[first :: self._count]
        return start_worker(_encode_share, (self._source, self._sink, tiles), first, deaths)

    def _stop(self) -> None:
        for turn in self._turns:
            turn.worker.process.terminate()
            turn.worker.join()
        self._turns = []


def _encode_share(channel: Connection, source: Source, sink: PlacedSink, tiles: list[Tile]) -> None:
    """A worker's life: the length of each tile for its place, and 0 at the end."""
    try:
        for tile in tiles:
            data = sink.encode(source.batch(tile))
            channel.send(len(data))
            sink.write_at(receive(channel), data)
        channel.send(0)
    except Exception as error:
        channel.send(as_promfill_error(error))
