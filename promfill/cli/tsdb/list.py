"""``promfill tsdb list``: list the blocks of a directory, as promtool does."""

from __future__ import annotations

from pathlib import Path

import click

from promfill.cli.console import Console
from promfill.cli.options.shared import JSON, with_options


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@click.option("-r", "--human-readable", is_flag=True, help="Print times as dates and sizes with units.")
@with_options(JSON)
def command(directory: Path, human_readable: bool, as_json: bool) -> None:
    """List the blocks in DIR (default: data) with their times, counts and sizes, exactly as promtool does.

    \b
    Example:
      promfill tsdb list -r data
    """
    from promfill.blocks.directory import block_bytes, open_blocks
    from promfill.cli.text.block_table import HEADER, align, block_row
    from promfill.cli.tsdb.blocks import block_facts, warn_of_skipped

    console = Console()
    console.json({"directory": str(directory)})
    blocks, skipped = open_blocks(directory)
    warn_of_skipped(skipped, console)
    sized = [(block, block_bytes(block)) for block in blocks]
    console.json(
        {
            "blocks": [block_facts(block.path, block.meta, size) for block, size in sized],
            "skipped": [str(path) for path in skipped],
        }
    )
    if not as_json:
        rows = [block_row(block.meta, size, human_readable) for block, size in sized]
        console.result("\n".join(align([HEADER, *rows])))
