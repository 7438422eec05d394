"""Further names for a block whose first name has failed on a server.

A block's name is a hash of its content, so the same push makes the same names. A Mimir remembers the names whose
validation failed, even where that was the server's own fault, and refuses them from then on. The same content then
is uploaded under the next name that has not failed; the files here keep theirs.

A name depends only on the block's own name and a generation number: after a kill, or a lost checkpoint, the
same names follow in the same order, and the server tells which of them have failed.
"""

from __future__ import annotations

import hashlib

from promfill.codecs.block.ulid import ENTROPY_BYTES, ulid, ulid_time

MOST_NAMES = 32
"""How many names one run tries on the server at most: each that has failed costs two short requests."""
MOST_UPLOADS = 3
"""How often one run sends a block at most, if validations fail one after the other."""


def name_of_generation(own: str, generation: int) -> str:
    """The block's ULID in this generation: 0 is its own; the others keep its time, with a hash of their own."""
    if generation == 0:
        return own
    content = f"{own.upper()} generation {generation}".encode()
    return ulid(ulid_time(own), hashlib.blake2b(content, digest_size=ENTROPY_BYTES).digest())
