"""Workers for text: several processes encode and write one file.

Worker w of n encodes the tiles w, w + n, … and sends the length of each. This process answers, in tile order, with the
offset of the tile in the file, and the worker writes it there. So only integers pass through the pipes, and the file
is the same as from a single process. A worker's next message confirms that its last tile is written; if the worker
dies before that, a new one writes that tile again at the same offset.
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
    """A sink with one file, whose parts may be written in any order."""

    def encode(self, batch: SeriesBatch) -> bytes:
        """Encode a tile to bytes."""

    def begin(self) -> int:
        """Begin the file; returns the offset of the first tile."""

    def write_at(self, offset: int, data: bytes) -> None:
        """Write a tile at its offset, in any process."""

    def written(self, end: int, samples: int) -> None:
        """Everything before the offset `end` is written: `samples` more than at the last call."""


@dataclass(slots=True)
class _Turn:
    """A worker and the last (tile number, offset) sent to it. `again`: it was replaced, so send the offset again."""

    worker: Worker
    placed: tuple[int, int] | None = None
    again: bool = False

    def tell_place(self) -> None:
        """Answer a length with the offset. A dead worker is noticed at the next read, not here."""
        if self.placed:
            with suppress(OSError):
                self.worker.channel.send(self.placed[1])


class OrderedPool:
    """Pushes a source into a `PlacedSink` with `count` processes."""

    def __init__(self, source: Source, sink: PlacedSink, count: int) -> None:
        self._source, self._sink = source, sink
        self._tiles = list(sink.tiles())
        self._count = min(count, len(self._tiles))
        self._turns: list[_Turn] = []

    def push(self, progress: Progress = lambda samples: None) -> SinkReport:
        """Run to the end. An error or interrupt ends all workers and leaves no partial file."""
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
        """Send the next worker in turn the offset of its tile; returns the tile's length."""
        turn = self._turns[number % self._count]
        length = self._hear(number)
        turn.placed = (number, offset)
        turn.tell_place()
        return length

    def _hear(self, number: int) -> int:
        """The length of tile `number`, 0 after the last one. The message also confirms the worker's previous tile."""
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
    """A worker's main function: sends the length of each tile, gets its offset, and sends 0 at the end."""
    try:
        for tile in tiles:
            data = sink.encode(source.batch(tile))
            channel.send(len(data))
            sink.write_at(receive(channel), data)
        channel.send(0)
    except Exception as error:
        channel.send(as_promfill_error(error))
