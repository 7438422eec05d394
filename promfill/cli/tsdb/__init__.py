"""``promfill tsdb``: work on blocks, as promtool's group of this name does. A file per command."""

from __future__ import annotations

import click

from promfill.cli import LazyGroup


class TsdbGroup(LazyGroup):
    """Imports `promfill.cli.tsdb.<command>` when that command is asked for."""

    prefix = "promfill.cli.tsdb."
    table = {  # noqa: RUF012
        "create-blocks-from": "Make blocks from text that holds samples.",
        "list": "List the blocks of a directory.",
        "dump": "Print all samples of a directory of blocks.",
        "analyze": "Say which labels fill a block.",
        "verify": "Check all of every block, and say who would take it.",
    }


@click.group(cls=TsdbGroup)
def command() -> None:
    """Make blocks from text, and look into blocks.

    \b
    Example:
      promfill tsdb create-blocks-from openmetrics history.txt data
    """
