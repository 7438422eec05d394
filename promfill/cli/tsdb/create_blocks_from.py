"""``promfill tsdb create-blocks-from openmetrics``: make blocks from text, like the promtool command."""

from __future__ import annotations

import itertools
import re
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.shared import JSON, with_options
from promfill.cli.text.format import rate_text
from promfill.cli.tsdb.blocks import block_facts
from promfill.errors import InputError, plural
from promfill.scenario.times import DAY_MS, name_time, parse_duration

if TYPE_CHECKING:
    from promfill.operations.create_blocks import CreatedBlocks
    from promfill.promtool.create_blocks import BlocksReport, Progress

_LABEL = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)=(.*)", re.DOTALL)

EITHER_SIDE = (
    click.option("-q", "--quiet", is_flag=True, help="Print only errors, and no table of blocks."),
    click.option("-r", "--human-readable", is_flag=True, help="Print times as dates and sizes with units."),
    click.option(
        "--max-block-duration",
        metavar="DURATION",
        help="Maximum block duration, rounded down to 2h, 6h, 18h, 54h, …  [default: 2h]",
    ),
)
"""Options that may also be given before ``openmetrics``, as in promtool."""


@click.group()
@with_options(EITHER_SIDE)
def command(**values: Any) -> None:
    """Make blocks from text."""


@command.command(short_help="Make blocks from OpenMetrics text.")
@click.argument("text", metavar="INPUT")
@click.argument("directory", metavar="[OUTPUT]", default="data", type=click.Path(path_type=Path))
@with_options(EITHER_SIDE)
@click.option(
    "--utc-days", is_flag=True, help="Make blocks of 24h aligned to UTC days, the only ones that Mimir accepts."
)
@click.option("--label", "labels", multiple=True, metavar="K=V", help="Label to set on every series; may be repeated.")
@click.option("--allow-future", is_flag=True, help="Accept samples in the future.")
@with_options(JSON)
@click.pass_context
def openmetrics(context: click.Context, /, **values: Any) -> None:
    """Make blocks from OpenMetrics text: a plain or gzip file, or - for standard input.

    The blocks appear in OUTPUT (default: data) when the whole text has been read without an error.

    \b
    Example:
      promfill tsdb create-blocks-from openmetrics --utc-days history.txt data
    """
    before = context.parent.params if context.parent else {}
    given = {name: values[name] or before.get(name) for name in ("quiet", "human_readable", "max_block_duration")}
    if not values["text"]:
        raise InputError.about("text", "is empty", "give a file, or - for standard input")
    console = Console(-1 if given["quiet"] else 0)
    duration = _duration(given["max_block_duration"], values["utc_days"])
    labels = _labels(values["labels"])
    console.json({"destination": str(values["directory"])})
    from promfill.files import generated_list
    from promfill.operations.create_blocks import BlocksFromText, create_blocks_from_text

    wanted = BlocksFromText(values["directory"], duration, labels, values["allow_future"])
    with _progress(console) as progress:
        made = create_blocks_from_text(values["text"], wanted, progress, lambda paths: generated_list.record(*paths))
    console.json(_facts(made, wanted.directory))
    if made.report.blocks and not values["as_json"]:
        console.result("\n".join(_table(made.report, bool(given["human_readable"]))))
    _warn(made, console)


def _duration(longest: str | None, utc_days: bool) -> int:
    """The maximum block duration in milliseconds."""
    if utc_days and longest:
        raise InputError.about("utc_days", "and --max-block-duration cannot be used together", "leave one of them out")
    if utc_days:
        return DAY_MS
    from promfill.promtool.create_blocks import SHORTEST_BLOCK, block_duration

    return block_duration(parse_duration(longest, "max_block_duration")) if longest else SHORTEST_BLOCK


def _labels(texts: Sequence[str]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for text in texts:
        parts = _LABEL.fullmatch(text)
        if not parts:
            raise InputError.about("labels", f"{text!r} is not a valid label", "write it as name=value")
        name, value = parts.groups()
        if name in labels or name == "__name__":
            what = "is given twice" if name in labels else "would rename every metric"
            raise InputError.about("labels", f"{name} {what}", "leave it out")
        labels[name] = value
    return labels


def _table(report: BlocksReport, human: bool) -> Iterator[str]:
    """The table of blocks. Like promtool, align each row separately, and the header with the first row."""
    from promfill.cli.text.block_table import HEADER, align, block_row

    first, *rest = (block_row(block.meta, block.bytes, human) for block in report.blocks)
    yield from align([HEADER, first])
    yield from (align([row])[0] for row in rest)


def _facts(made: CreatedBlocks, directory: Path) -> dict[str, Any]:
    from dataclasses import asdict

    report, seconds = made.report, made.seconds
    blocks = [block_facts(directory / block.meta.ulid, block.meta, block.bytes) for block in report.blocks]
    return {
        "destination": str(directory),
        "samples": report.samples,
        "series": report.series,
        "lines": report.lines,
        "doubled": report.doubled,
        "exemplars": report.exemplars,
        "overlapping": list(report.overlapping),
        "findings": [asdict(finding) for finding in made.findings],
        "seconds": round(seconds, 3),
        "samples_per_second": round(report.samples / seconds) if seconds > 0 else 0,
        "blocks": blocks,
    }


def _warn(made: CreatedBlocks, console: Console) -> None:
    report = made.report
    if not report.blocks:
        console.note("the text contains no samples, so no block was made")
    if report.exemplars:
        console.note(f"{plural(report.exemplars, 'exemplar')} dropped: blocks cannot hold exemplars")
    if report.doubled:
        are = "sample appears" if report.doubled == 1 else "samples appear"
        console.note(f"{report.doubled:,} duplicate {are} in the text: each is kept once")
    if report.late:
        console.warn(f"line {report.late.line} is the first one in the future: {name_time(report.late.time)}")
    for finding in made.findings:
        console.finding(finding)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """Yields a function to call with the progress. Shows bars if stderr is a terminal."""
    if console.verbosity < 0 or not sys.stderr.isatty():
        yield lambda _phase, _done, _total, _samples: None
        return
    bars = _Bars()
    try:
        yield bars.show
    finally:
        bars.end()


class _Bars:
    """One progress bar per phase, one after the other."""

    def __init__(self) -> None:
        self._phase = ""
        self._bar: Any = None
        self._start = 0.0

    def show(self, phase: str, done: int, total: int | None, samples: int) -> None:
        if phase != self._phase:
            self.end()
            self._phase, self._start = phase, time.monotonic()
            forever = None if total else itertools.repeat("")
            self._bar = click.progressbar(forever, total, phase, item_show_func=lambda text: text, file=sys.stderr)
            self._bar.__enter__()
        seconds = max(time.monotonic() - self._start, 1e-3)
        size = f"{done / 1e6:,.0f} MB, " if phase == "reading" else ""
        rate = rate_text(samples, seconds)
        self._bar.update(done - self._bar.pos, ", ".join(filter(None, (f"{size}{plural(samples, 'sample')}", rate))))

    def end(self) -> None:
        """End the last bar."""
        if self._bar:
            self._bar.__exit__(None, None, None)
