"""Messages and facts that all commands that read blocks share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promfill.cli.console import Console

if TYPE_CHECKING:
    from promfill.codecs.block.meta import BlockMeta


def warn_of_skipped(paths: Sequence[Path], console: Console) -> None:
    """Warn about blocks without a readable meta.json, which Prometheus skips silently."""
    if paths:
        more = f" and {len(paths) - 1} more" if paths[1:] else ""
        console.warn(f"skipped {paths[0]}{more}: meta.json cannot be read (run promfill tsdb verify for the reason)")


def block_facts(path: Path, meta: BlockMeta, size: int) -> dict[str, Any]:
    """A block for ``--json``. size: bytes of all its files."""
    return {
        "ulid": meta.ulid,
        "path": str(path),
        "min_time": meta.min_time,
        "max_time": meta.max_time,
        "samples": meta.stats.samples,
        "chunks": meta.stats.chunks,
        "series": meta.stats.series,
        "bytes": size,
    }


def note_wal(directory: Path, console: Console) -> None:
    """Tell the user that samples in the write-ahead log are not included."""
    if any((directory / "wal").glob("[0-9]*")):
        console.note(f"{directory / 'wal'} is not read: its samples are not in blocks yet")
