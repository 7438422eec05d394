"""``promfill tsdb analyze``: which labels fill a block, as promtool counts it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from promfill.cli.console import Console
from promfill.errors import InputError

if TYPE_CHECKING:
    from promfill.block import Block


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@click.argument("ulid", metavar="[BLOCK]", default="")
@click.option("--limit", type=click.IntRange(0), default=20, show_default=True, metavar="N", help="Rows of a list.")
@click.option("--extended", is_flag=True, help="How full the chunks are, too.")
def command(directory: Path, ulid: str, limit: int, extended: bool) -> None:
    """Say which labels fill the BLOCK of DIR (data), the last one if none is named.

    The figures of promtool's analyze. Of figures of one size the names are in order, where promtool's order changes
    from run to run.

    \b
    Example:
      promfill tsdb analyze --limit 5 data
    """
    from promfill.analysis import analyze, chunk_fullness, fullness_lines, lines
    from promfill.cli.block_table import go_duration

    block = _choose(directory, ulid)
    analysis = analyze(block, limit)
    text = list(lines(analysis, go_duration(analysis.range)))
    if extended:
        text += fullness_lines(chunk_fullness(block))
    Console().result("\n".join(text))


def _choose(directory: Path, ulid: str) -> Block:
    from promfill.block_directory import open_blocks

    blocks, _ = open_blocks(directory)
    found = [block for block in blocks if ulid in ("", block.meta.ulid)]
    if not found:
        mend = "promfill tsdb list names those there" if ulid else "name the directory that holds the blocks"
        raise InputError(f"{directory} holds no block {ulid}".rstrip() + f": {mend}")
    return found[-1] if not ulid else found[0]
