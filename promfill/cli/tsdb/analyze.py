"""``promfill tsdb analyze``: show which labels take up the space in a block, with promtool's figures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.shared import JSON, Between, with_options
from promfill.errors import InputError

if TYPE_CHECKING:
    from promfill.blocks.block import Block
    from promfill.promtool.analysis import Analysis

_RANKINGS = (
    "churning_label_pairs",
    "churning_label_names",
    "common_label_pairs",
    "label_value_bytes",
    "label_cardinality",
    "metric_cardinality",
)
"""The names of the rankings in the JSON, in promtool's order."""


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@click.argument("ulid", metavar="[BLOCK]", default="")
@click.option("--limit", type=Between(0), default=20, show_default=True, metavar="N", help="Number of rows per list.")
@click.option("--extended", is_flag=True, help="Also show how full the chunks are.")
@with_options(JSON)
def command(directory: Path, ulid: str, limit: int, extended: bool, as_json: bool) -> None:
    """Show which labels take up the space in BLOCK in DIR (default: data); by default in the last block.

    The figures are those of promtool. Rows with equal figures are sorted by name, while promtool's order varies from
    run to run.

    \b
    Example:
      promfill tsdb analyze --limit 5 data
    """
    from promfill.cli.text.block_table import go_duration
    from promfill.promtool.analysis import analyze, chunk_fullness, fullness_lines, lines

    console = Console()
    console.json({"directory": str(directory)})
    block = _choose(directory, ulid)
    analysis = analyze(block, limit)
    fullness = chunk_fullness(block) if extended else None
    console.json(_facts(analysis, fullness))
    if not as_json:
        text = list(lines(analysis, go_duration(analysis.range)))
        console.result("\n".join([*text, *(fullness_lines(fullness) if fullness is not None else ())]))


def _facts(analysis: Analysis, fullness: list[int] | None) -> dict[str, Any]:
    """The analysis for ``--json``."""
    return {
        "ulid": analysis.ulid,
        "range": analysis.range,
        "series": analysis.series,
        "label_names": analysis.label_names,
        "label_pairs": analysis.pairs,
        "label_pair_entries": analysis.entries,
        "rankings": {
            name: [{"name": row, "figure": figure} for figure, row in ranking.rows]
            for name, ranking in zip(_RANKINGS, analysis.rankings, strict=True)
        },
        **({} if fullness is None else {"chunk_fullness": fullness}),
    }


def _choose(directory: Path, ulid: str) -> Block:
    from promfill.blocks.directory import open_blocks

    blocks, _ = open_blocks(directory)
    found = [block for block in blocks if ulid in ("", block.meta.ulid)]
    if not found:
        fix = "run promfill tsdb list for its blocks" if ulid else "give the directory that holds the blocks"
        raise InputError(
            f"{directory} does not contain {f'the block {ulid}' if ulid else 'any block'}",
            fix,
            field="ulid" if ulid else "directory",
        )
    return found[-1] if not ulid else found[0]
