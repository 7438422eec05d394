"""``promfill tsdb list``: the blocks of a directory, as promtool lists them."""

from __future__ import annotations

from pathlib import Path

import click

from promfill.cli.console import Console


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@click.option("-r", "--human-readable", is_flag=True, help="Times as dates, sizes with units.")
def command(directory: Path, human_readable: bool) -> None:
    """List the blocks of DIR (data): name, times, what they hold and their size, byte for byte as promtool does.

    \b
    Example:
      promfill tsdb list -r data
    """
    from promfill.block_directory import block_bytes, open_blocks
    from promfill.cli.block_table import HEADER, align, block_row
    from promfill.cli.tsdb_blocks import warn_of_skipped

    console = Console()
    blocks, skipped = open_blocks(directory)
    warn_of_skipped(skipped, console)
    rows = [block_row(block.meta, block_bytes(block), human_readable) for block in blocks]
    console.result("\n".join(align([HEADER, *rows])))
