"""``promfill tsdb dump``: print all samples in a directory of blocks, as promtool does."""

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
        raise InputError.about(parameter.name or "", words, "give Unix milliseconds that fit in 64 bits")
    return ms


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@click.option(
    "--min-time", type=int, default=_FIRST, metavar="MS", callback=_check_ms, help="First time to print, Unix ms."
)
@click.option(
    "--max-time", type=int, default=_LAST, metavar="MS", callback=_check_ms, help="Last time to print, Unix ms."
)
@click.option(
    "--match", "selector", default=_EVERYTHING, metavar="SELECTOR", help="Series to print, such as 'up{job=~\"a|b\"}'."
)
def command(directory: Path, min_time: int, max_time: int, selector: str) -> None:
    """Print the samples of all blocks in DIR (default: data), one per line, exactly as promtool does.

    Series are in label order and samples in time order; overlapping blocks are merged. A series ends before its first
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
        console.warn("--min-time is after --max-time: no samples are in this range")
    elif not blocks:
        console.note(f"{directory} contains no readable block, so nothing is printed")
    dump = Dump(blocks, matchers, min_time=min_time, max_time=max_time)
    sys.stdout.flush()
    for piece in dump.pieces():
        sys.stdout.buffer.write(piece)
    sys.stdout.buffer.flush()
    if dump.histograms:
        end = "series ends" if dump.histograms == 1 else "series end"
        console.note(f"{dump.histograms:,} {end} at a histogram: like promtool, dump prints only floats")
