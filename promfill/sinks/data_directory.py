"""A directory of blocks: what is there."""

from __future__ import annotations

import contextlib
from pathlib import Path

from promfill.errors import FormatError
from promfill.tsdb.meta import BlockMeta, decode_meta
from promfill.tsdb.ulid import is_ulid


def read_metas(directory: Path) -> dict[str, BlockMeta]:
    """The blocks of a directory by name, in order; those whose meta.json cannot be read are left out."""
    metas = {}
    for path in sorted(directory.iterdir()) if directory.is_dir() else []:
        if is_ulid(path.name):
            with contextlib.suppress(OSError, FormatError):
                metas[path.name] = decode_meta((path / "meta.json").read_bytes())
    return metas
