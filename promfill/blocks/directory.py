"""A directory of blocks, opened as Prometheus's read-only database opens it (tsdb/db.go, DBReadOnly.Blocks)."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.codecs.block.meta import BlockMeta, decode_meta
from promfill.codecs.block.ulid import is_ulid
from promfill.errors import FormatError, InputError

if TYPE_CHECKING:
    from promfill.blocks.block import Block


def block_paths(directory: Path, *, field: str = "directory") -> list[Path]:
    """The names that Prometheus takes for blocks: directories named by a ULID, in order. InputError: no directory."""
    if not directory.is_dir():
        raise InputError(f"{directory} is not a directory", "name the directory that holds the blocks", field=field)
    try:
        return sorted(path for path in directory.iterdir() if is_ulid(path.name) and path.is_dir())
    except OSError as error:
        raise InputError(f"{directory} cannot be read: {error.strerror}", field=field) from None


def blocks_at(path: Path, *, field: str = "directory") -> list[Path]:
    """The block in a directory, or the blocks below it, in order. InputError: no such directory."""
    return [path] if (path / "meta.json").is_file() else block_paths(path, field=field)


def open_blocks(directory: Path) -> tuple[list[Block], list[Path]]:
    """The blocks by their first time, then by name; and those without a readable meta.json, which Prometheus skips.

    FormatError: a damaged block, which it names.
    """
    from promfill.blocks.block import naming_block, open_block

    raise_open_files()
    blocks, skipped = [], []
    for path in block_paths(directory):
        if not _has_meta(path):
            skipped.append(path)
            continue
        with naming_block(path):
            blocks.append(open_block(path))
    return sorted(blocks, key=lambda block: block.meta.min_time), skipped


def block_bytes(block: Block) -> int:
    """The size that Prometheus counts: meta.json, index, chunks and tombstones."""
    chunks = sum(segment.buffer.size for segment in block.segments)
    return chunks + block.index.buffer.size + small_bytes(block.path)


def small_bytes(path: Path) -> int:
    """The size of a block's files other than index and chunks."""
    small = [path / "meta.json", path / "tombstones"]
    return sum(one.stat().st_size for one in small if one.exists())


def raise_open_files() -> None:
    """Raise this process's limit of open files as far as allowed: each mapped file of a block is one, as in Go."""
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def read_metas(directory: Path) -> dict[str, BlockMeta]:
    """The blocks of a directory by name, in order; those whose meta.json cannot be read are left out."""
    metas = {}
    for path in block_paths(directory) if directory.is_dir() else []:
        with contextlib.suppress(OSError, FormatError):
            metas[path.name] = decode_meta((path / "meta.json").read_bytes())
    return metas


def _has_meta(path: Path) -> bool:
    try:
        decode_meta((path / "meta.json").read_bytes())
    except (OSError, FormatError):
        return False
    return True
