"""What blocks have in common once their chunks are there: an index, a few small files, and the way to the disk.

The indices of small blocks are encoded many at a time, and the files made and synced by a few threads while the next
blocks are encoded: those threads wait for the system, which the interpreter's lock does not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from promfill.blocks.files import BlockFiles
from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex, encode_indices
from promfill.codecs.block.meta import BlockMeta

_TOGETHER = 32  # blocks whose indices are encoded at once, at most: each may hold an open file
_PENDING = 3  # times as many that may wait for the disk: each holds what is not written yet, or an open file
_THREADS = 8  # that wait for the disk: those that wait together share one commit of its journal


@dataclass(frozen=True, slots=True, eq=False)
class CompleteBlock:
    """A block whose chunks are all written."""

    files: BlockFiles
    meta: BlockMeta
    chunks: ChunkMetas


class BlockWriter:
    """Takes complete blocks, and hands them on in the same order once they are durable under their temporary names.

    durable: is called with them, some at a time, by a thread of its own, which no signal breaks off. OSError of a
    thread is raised by a later call.
    """

    def __init__(self, durable: Callable[[list[CompleteBlock]], None]) -> None:
        self._durable = durable
        self._index: FleetIndex | None = None
        self._gathered: list[CompleteBlock] = []
        self._pending: deque[Future[None]] = deque()
        self._threads: tuple[ThreadPoolExecutor, ...] = ()  # begun late: a sink is handed to a worker before it is used

    def add(self, index: FleetIndex, block: CompleteBlock) -> None:
        """Take the next block, of the series of `index`."""
        if index is not self._index:
            self.flush()
            self._index = index
        self._gathered.append(block)
        if len(self._gathered) >= min(_TOGETHER, index.blocks_at_once):
            self.flush()

    def flush(self) -> None:
        """Write the indices of what has gathered, and hand it over to the threads."""
        if self._index is None or not self._gathered:
            return
        blocks, self._gathered = self._gathered, []
        for pieces in encode_indices(self._index, ChunkMetas.join([block.chunks for block in blocks])):
            for block, piece in zip(blocks, pieces, strict=True):
                block.files.write_index(piece)
        self._settle(_PENDING - 1)
        self._threads = self._threads or (ThreadPoolExecutor(_THREADS, "disk"), ThreadPoolExecutor(1, "durable"))
        disk, order = self._threads
        durable: set[CompleteBlock] = set()
        shares = [disk.submit(_make_durable, blocks[first::_THREADS], durable) for first in range(_THREADS)]
        self._pending.append(order.submit(self._hand_on, blocks, durable, shares))

    def finish(self) -> None:
        """Wait until all blocks are handed on."""
        self.flush()
        self._settle(0)
        self.close()

    def close(self) -> None:
        """Hand on what is on its way, and take nothing more."""
        for threads in self._threads:
            threads.shutdown()

    def _hand_on(self, blocks: list[CompleteBlock], durable: set[CompleteBlock], shares: list[Future[None]]) -> None:
        wait(shares)
        self._durable([block for block in blocks if block in durable])
        for share in shares:
            share.result()

    def _settle(self, most: int) -> None:
        while len(self._pending) > most:
            self._pending.popleft().result()


def _make_durable(blocks: Sequence[CompleteBlock], durable: set[CompleteBlock]) -> None:
    """Write one block after the other to the disk, and note which are there."""
    for block in blocks:
        block.files.finish(block.meta)
        durable.add(block)
