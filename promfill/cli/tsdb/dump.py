"""``promfill tsdb dump``: all samples of a directory of blocks, as promtool prints them."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from promfill.cli.console import Console
from promfill.errors import InputError

_FIRST, _LAST = -(1 << 63), (1 << 63) - 1
_EVERYTHING = "{__name__=~'(?s:.*)'}"


def _check_ms(context: click.Context, parameter: click.Parameter, ms: int) -> int:
    if not _FIRST <= ms <= _LAST:
        words = f"{ms} is not a valid time"
        raise InputError.about(parameter.name or "", words, "write Unix milliseconds that fit in 64 bits")
    return ms


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@click.option("--min-time", type=int, default=_FIRST, metavar="MS", callback=_check_ms, help="First time, Unix ms.")
@click.option("--max-time", type=int, default=_LAST, metavar="MS", callback=_check_ms, help="Last time, Unix ms.")
@click.option(
    "--match", "selector", default=_EVERYTHING, metavar="SELECTOR", help="Series, such as 'up{job=~\"a|b\"}'."
)
def command(directory: Path, min_time: int, max_time: int, selector: str) -> None:
    """Print the samples of all blocks in DIR (data): a line each, byte for byte as promtool does.

    Series in label order, samples in the order of time; blocks that overlap are merged. A series ends with its first
    histogram. The write-ahead log is not read.

    \b
    Example:
      promfill tsdb dump --match 'vpn{instance="host-1"}' data
    """
    from promfill.blocks.directory import open_blocks
    from promfill.blocks.matchers import parse_selector
    from promfill.cli.tsdb.blocks import note_wal, warn_of_skipped
    from promfill.promtool.dump import Dump

    console = Console()
    matchers = parse_selector(selector)
    blocks, skipped = open_blocks(directory)
    warn_of_skipped(skipped, console)
    note_wal(directory, console)
    if min_time > max_time:
        console.warn("--min-time lies behind --max-time: no sample is between them")
    elif not blocks:
        console.note(f"{directory} holds no block that can be read: nothing is printed")
    dump = Dump(blocks, matchers, min_time=min_time, max_time=max_time)
    sys.stdout.flush()
    for piece in dump.pieces():
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    if dump.histograms:
        console.note(f"{dump.histograms:,} series end at a histogram: only floats are printed, as by promtool")
