"""Further names for a block whose own name has failed on a server.

A block's name is a hash of what it holds, so the same push makes the same names. A Mimir remembers the names whose
validation failed, even where it failed by the server's own fault, and refuses them from then on. The same content then
goes up under the next name that has not failed; the files here keep theirs.

A name depends on nothing but the block's own and a generation number: after a kill, or where a checkpoint is lost, the
same names follow in the same order, and the server tells which of them have failed.
"""

from __future__ import annotations

import hashlib

from promfill.codecs.block.ulid import ENTROPY_BYTES, ulid, ulid_time

MOST_NAMES = 32
"""Names that one run asks the server for, at most: each that has failed costs two short requests."""
MOST_UPLOADS = 3
"""How often one run sends a block, at most, where validations fail one after the other."""


def name_of_generation(own: str, generation: int) -> str:
    """The block's ULID in this generation: 0 is its own, every other keeps its time, and has a hash of its own."""
    if generation == 0:
        return own
    content = f"{own.upper()} generation {generation}".encode()
    return ulid(ulid_time(own), hashlib.blake2b(content, digest_size=ENTROPY_BYTES).digest())
