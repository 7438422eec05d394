"""``promfill tsdb``: work with blocks, like ``promtool tsdb``. One file per command."""

from __future__ import annotations

import click

from promfill.cli import LazyGroup


class TsdbGroup(LazyGroup):
    """Imports `promfill.cli.tsdb.<command>` only when that command is used."""

    prefix = "promfill.cli.tsdb."
    table = {  # noqa: RUF012
        "create-blocks-from": "Make blocks from text.",
        "list": "List the blocks of a directory.",
        "dump": "Print all samples in a directory of blocks.",
        "analyze": "Show which labels take up the space in a block.",
        "verify": "Check blocks for damage, and show which stores accept them.",
    }


@click.group(cls=TsdbGroup)
def command() -> None:
    """Make blocks from text; list, dump, analyze and verify blocks.

    \b
    Example:
      promfill tsdb create-blocks-from openmetrics history.txt data
    """
