"""Makes blocks from OpenMetrics text, and predicts what a Prometheus on the directory will do with them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from promfill.promtool.create_blocks import SHORTEST_BLOCK, BlocksReport, Progress, create_blocks
from promfill.promtool.text_pieces import open_text
from promfill.rules.directory import Arrival, Span, predict_in_directory, spans_in
from promfill.rules.finding import Finding


@dataclass(frozen=True, slots=True)
class BlocksFromText:
    """Settings of the blocks to make. duration: ms, the longest range of a block. labels: set on every series."""

    directory: Path
    duration: int = SHORTEST_BLOCK
    labels: Mapping[str, str] = field(default_factory=dict)
    allow_future: bool = False


@dataclass(frozen=True, slots=True)
class CreatedBlocks:
    """The created blocks, and what a Prometheus will do with them. seconds: the time it took."""

    report: BlocksReport
    findings: tuple[Finding, ...]
    seconds: float


def create_blocks_from_text(
    text: str,
    wanted: BlocksFromText,
    progress: Progress,
    about_to_make: Callable[[list[Path]], None] = lambda paths: None,
) -> CreatedBlocks:
    """Read a text, and make its blocks if all of it is valid. text: a file, plain or gzip; "-" is standard input.

    InputError: the text cannot be read or is not valid, and no block was made. about_to_make: called with the paths of
    the blocks just before they get their final names.
    """
    started = time.monotonic()
    with open_text(text) as source:
        report = create_blocks(
            source,
            wanted.directory,
            duration=wanted.duration,
            labels=wanted.labels,
            progress=progress,
            allow_future=wanted.allow_future,
            about_to_make=about_to_make,
        )
    return CreatedBlocks(report, tuple(_findings(report, wanted.directory)), time.monotonic() - started)


def _findings(report: BlocksReport, directory: Path) -> list[Finding]:
    metas = [block.meta for block in report.blocks]
    coming = [Span(meta.ulid, meta.min_time, meta.max_time, meta.stats.samples) for meta in metas]
    names = {span.name for span in coming}
    there = [span for span in spans_in(directory) if span.name not in names]
    return predict_in_directory(Arrival(coming, there, directory, report.metadata), int(time.time() * 1000))
