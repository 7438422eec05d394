import struct

import numpy as np
import pytest

from promfill.codecs.bits.checksum import crc32c
from promfill.codecs.block.postings import PostingsLists
from promfill.codecs.block.postings_table import PostingsTable
from promfill.codecs.block.symbols import SymbolRecords
from tests.support.fleets import fleet_of
from tests.support.varint import uvarint

FLEET = fleet_of([(("a", "x"),), (("a", "y" * 200),)])


@pytest.mark.parametrize("bits", [0, 7, 14, 21, 28, 35, 42, 49, 56, 62])
def test_offsets_of_every_size(bits: int) -> None:
    offsets = np.array([2**bits - 1, 2**bits, 2**bits + 1])
    table = PostingsTable(PostingsLists.of(FLEET), SymbolRecords(FLEET.symbols), keep=True)
    pairs = [b"\0\0", b"\1a\1x", b"\1a\xc8\1" + b"y" * 200]
    body = struct.pack(">I", 3) + b"".join(
        b"\2" + pair + uvarint(offset) for pair, offset in zip(pairs, offsets.tolist(), strict=True)
    )
    expected = struct.pack(">I", len(body)) + body + struct.pack(">I", crc32c(body))
    assert b"".join(piece for (piece,) in table.encode(offsets[None])) == expected
