"""The table of blocks exactly as promtool prints it (cmd/promtool/tsdb.go: printBlocks)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from promfill.codecs.block.meta import BlockMeta

HEADER = ("BLOCK ULID", "MIN TIME", "MAX TIME", "DURATION", "NUM SAMPLES", "NUM CHUNKS", "NUM SERIES", "SIZE")

_NARROWEST, _GAP = 13, 2  # column width and gap of promtool's tabwriter
_CYCLE_YEARS = 400
_CYCLE = 146_097 * 86_400  # seconds after which the calendar repeats
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def block_row(meta: BlockMeta, size: int, human: bool) -> tuple[str, ...]:
    """The cells for one block. size: bytes of all its files."""
    stats = meta.stats
    return (
        meta.ulid,
        _time(meta.min_time, human),
        _time(meta.max_time, human),
        go_duration(meta.max_time - meta.min_time),
        str(stats.samples),
        str(stats.chunks),
        str(stats.series),
        binary_size(size) if human else str(size),
    )


def align(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with aligned columns; the last column is not padded."""
    widths = [max(_NARROWEST, max(map(len, column)) + _GAP) for column in zip(*rows, strict=True)]
    return [
        "".join(cell.ljust(width) for cell, width in zip(row[:-1], widths[:-1], strict=True)) + row[-1] for row in rows
    ]


def go_duration(ms: int) -> str:
    """A duration in whole ms as Go prints it: ``1h59m45.001s``, ``0s``, ``17ms``."""
    if 0 < ms < 1000:
        return f"{ms}ms"
    minutes, rest = divmod(ms, 60_000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest / 1000:.3f}".rstrip("0").rstrip(".")
    text = f"{hours}h" if hours else ""
    return f"{text}{minutes}m{seconds}s" if hours or minutes else f"{seconds}s"


def binary_size(size: int) -> str:
    """Bytes in units of powers of 1024, one number per unit: ``2KiB52B``."""
    parts: list[str] = []
    for unit in _UNITS:
        size, count = divmod(size, 1024)
        if count or (not size and not parts):
            parts.append(f"{count}{unit}")
        if not size:
            break
    return "".join(reversed(parts))


def _time(ms: int, human: bool) -> str:
    if not human:
        return str(ms)
    cycles, seconds = divmod(ms // 1000, _CYCLE)  # Go has years after 9999, Python has not
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment.year + _CYCLE_YEARS * cycles:04d}-{moment:%m-%d %H:%M:%S} +0000 UTC"
