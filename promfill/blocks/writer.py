"""What happens to blocks after their chunks: an index, a few small files, and the way to the disk.

The indices of small blocks are encoded many at a time, and a few threads make and sync the files while the next
blocks are encoded: these threads wait for the system, without the interpreter's lock.
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
_PENDING = 3  # times as many may wait for the disk: each holds what is not written yet, or an open file
_THREADS = 8  # wait for the disk: threads that wait together share one commit of its journal


@dataclass(frozen=True, slots=True, eq=False)
class CompleteBlock:
    """A block whose chunks are all written."""

    files: BlockFiles
    meta: BlockMeta
    chunks: ChunkMetas


class BlockWriter:
    """Takes complete blocks, and passes them on in the same order once they are durable under their temporary names.

    durable: is called with them, some at a time, by a separate thread, which no signal interrupts. A later call raises
    an OSError of a thread.
    """

    def __init__(self, durable: Callable[[list[CompleteBlock]], None]) -> None:
        self._durable = durable
        self._index: FleetIndex | None = None
        self._gathered: list[CompleteBlock] = []
        self._pending: deque[Future[None]] = deque()
        self._threads: tuple[ThreadPoolExecutor, ...] = ()  # started late: a sink is sent to a worker before it is used

    def add(self, index: FleetIndex, block: CompleteBlock) -> None:
        """Take the next block, with the series of `index`."""
        if index is not self._index:
            self.flush()
            self._index = index
        self._gathered.append(block)
        if len(self._gathered) >= min(_TOGETHER, index.blocks_at_once):
            self.flush()

    def flush(self) -> None:
        """Write the indices of the gathered blocks, and give the blocks to the threads."""
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
        """Wait until all blocks are passed on."""
        self.flush()
        self._settle(0)
        self.close()

    def close(self) -> None:
        """Pass on what is under way, and take nothing more."""
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
    """Write one block after the other to disk, and note which are there."""
    for block in blocks:
        block.files.finish(block.meta)
        durable.add(block)
