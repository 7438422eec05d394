"""Index files from plain lists of chunks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from promfill.codecs.block.chunk_metas import ChunkMetas
from promfill.codecs.block.index_writer import FleetIndex, encode_indices
from tests.support.index_reference import Chunk

Block = Sequence[Sequence[Chunk]]
"""(min time, max time, reference) of each chunk of each series."""


def chunk_metas(series: Block) -> ChunkMetas:
    """In a table where all series have as many chunks, else flat."""
    counts = np.array(list(map(len, series)), np.int64)
    flat = np.array([chunk for chunks in series for chunk in chunks], np.int64).reshape(-1, 3)
    shape = (counts.size, -1) if len(set(counts.tolist())) == 1 else (-1,)
    return ChunkMetas(counts, *(flat[:, field].reshape(shape) for field in range(3)))


def index_files(index: FleetIndex, *blocks: Block) -> list[bytes]:
    """The index files of blocks of one fleet, encoded at once."""
    chunks = ChunkMetas.join([chunk_metas(block) for block in blocks])
    return [b"".join(pieces) for pieces in zip(*encode_indices(index, chunks), strict=True)]
