"""Number the series of several blocks together, in label order: a series has the same number in every block.

Blocks of one writer mostly hold the same series, so tables of labels are compared by a hash, and equal tables are read
once. The symbols of all tables are sorted together and ranked. A label set becomes a row of ranks: name, value, name,
value, and so on. Sorting these rows as bytes sorts the label sets: by name, then by value, and a shorter set before a
longer one that begins with it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promfill.blocks.block import Block, naming_block
from promfill.model.ragged import ragged_range
from promfill.model.types import I64Array, U32Array
from promfill.promtool.go_numbers import quote

Ranks = U32Array


def number_series(blocks: Sequence[Block]) -> list[I64Array]:
    """For each block, the numbers of its series, int64 (n,). They ascend if the block's series are in label order."""
    tables = [_digest(block) for block in blocks]
    first = dict(zip(reversed(tables), reversed(blocks), strict=True))
    numbers = dict(zip(first, _numbers(list(first.values())), strict=True))
    return [numbers[table] for table in tables]


def label_texts(block: Block, rows: I64Array) -> list[bytes]:
    """The label sets of these series as Prometheus prints them: ``{name="value", …}``, as UTF-8."""
    entries, symbols = block.series, block.index.symbols
    starts, stops = entries.label_bounds[rows], entries.label_bounds[rows + 1]
    places = ragged_range(starts, stops)
    pairs = entries.names[places].astype(np.uint64) << np.uint64(32) | entries.values[places]
    distinct, which = np.unique(pairs, return_inverse=True)
    texts = [
        f"{symbols[pair >> 32].decode()}={quote(symbols[pair & 0xFFFF_FFFF].decode())}".encode()
        for pair in distinct.tolist()
    ]
    words = [texts[number] for number in which.tolist()]
    ends = np.cumsum(stops - starts).tolist()
    return [b"{%b}" % b", ".join(words[start:stop]) for start, stop in zip([0, *ends], ends, strict=False)]


def _digest(block: Block) -> bytes:
    """A hash of a block's label tables: equal for blocks with the same symbols and label sets in the same order."""
    digest = hashlib.blake2b(digest_size=16)
    with naming_block(block.path):
        entries, symbols = block.series, block.index.symbols
    for array in (symbols.buffer, symbols.offsets, entries.names, entries.values, entries.label_bounds):
        digest.update(array.size.to_bytes(8))
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


def _numbers(blocks: Sequence[Block]) -> list[I64Array]:
    if len(blocks) < 2:
        return [np.arange(len(block)) for block in blocks]
    width = 2 * max(int(np.diff(block.series.label_bounds).max(initial=0)) for block in blocks)
    keys = [_keys(block, ranks, width) for block, ranks in zip(blocks, _symbol_ranks(blocks), strict=True)]
    _, numbers = np.unique(np.concatenate(keys), return_inverse=True)
    bounds = np.cumsum([len(block) for block in blocks])
    return np.split(numbers.astype(np.int64), bounds[:-1])


def _symbol_ranks(blocks: Sequence[Block]) -> list[Ranks]:
    """For each block, the ranks of its symbols among the sorted symbols of all blocks, uint32, counted from 1."""
    order = {text: rank for rank, text in enumerate(sorted({t for b in blocks for t in b.index.symbols}), 1)}
    return [np.fromiter(map(order.__getitem__, block.index.symbols), np.uint32) for block in blocks]


def _keys(block: Block, ranks: Ranks, width: int) -> NDArray[np.bytes_]:
    """The label sets as byte strings (n,) of equal length: big-endian ranks of names and values, zero-padded."""
    entries = block.series
    counts = np.diff(entries.label_bounds)
    rows = np.repeat(np.arange(len(entries)), counts)
    columns = 2 * (np.arange(rows.size) - np.repeat(entries.label_bounds[:-1], counts))
    keys = np.zeros((len(entries), max(1, width)), ">u4")
    keys[rows, columns] = ranks[entries.names]
    keys[rows, columns + 1] = ranks[entries.values]
    return keys.view(f"S{keys.shape[1] * 4}").ravel()
