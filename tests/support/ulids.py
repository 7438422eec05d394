"""Several blocks in one directory, from writers that know one name only."""

from __future__ import annotations

import json
from pathlib import Path

from promfill.codecs.block.ulid import ulid


def place_block(block: Path, directory: Path, number: int) -> Path:
    """Move the block into the directory under a name of its own; its new path."""
    name = ulid(1_700_000_000_000 + number, bytes(9) + bytes([number]))
    meta = json.loads((block / "meta.json").read_text())
    (block / "meta.json").write_text(json.dumps({**meta, "ulid": name}))
    return block.rename(directory / name)
