"""What the commands that read blocks say alike."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promfill.cli.console import Console

if TYPE_CHECKING:
    from promfill.codecs.block.meta import BlockMeta


def warn_of_skipped(paths: Sequence[Path], console: Console) -> None:
    """Prometheus reads over a block without a readable meta.json, and says nothing."""
    if paths:
        more = f" and {len(paths) - 1} more" if paths[1:] else ""
        console.warn(f"{paths[0]}{more}: skipped, for lack of a readable meta.json (promfill tsdb verify tells why)")


def block_facts(path: Path, meta: BlockMeta, size: int) -> dict[str, Any]:
    """A block for ``--json``; size: bytes of all its files."""
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
    """Samples of a write-ahead log are in no block."""
    if any((directory / "wal").glob("[0-9]*")):
        console.note(f"{directory / 'wal'} is not read: what it holds is in no block yet")
