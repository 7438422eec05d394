"""``promfill tsdb create-blocks-from openmetrics``: text to blocks, as promtool's command of this name."""

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
from promfill.cli.tsdb.blocks import block_facts
from promfill.errors import InputError
from promfill.scenario.times import DAY_MS, name_time, parse_duration

if TYPE_CHECKING:
    from promfill.operations.create_blocks import CreatedBlocks
    from promfill.promtool.create_blocks import BlocksReport, Progress

_LABEL = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)=(.*)", re.DOTALL)

EITHER_SIDE = (
    click.option("-q", "--quiet", is_flag=True, help="Print no table of blocks, and only errors."),
    click.option("-r", "--human-readable", is_flag=True, help="Times as dates, sizes with units."),
    click.option(
        "--max-block-duration",
        metavar="DURATION",
        help="Longest block: the longest of 2h, 6h, 18h, 54h, … that is not longer.  [default: 2h]",
    ),
)
"""Options that may stand before ``openmetrics`` as well, as they do in promtool."""


@click.group()
@with_options(EITHER_SIDE)
def command(**values: Any) -> None:
    """Make blocks from text that holds samples."""


@command.command(short_help="Make blocks from OpenMetrics text.")
@click.argument("text", metavar="INPUT")
@click.argument("directory", metavar="[OUTPUT]", default="data", type=click.Path(path_type=Path))
@with_options(EITHER_SIDE)
@click.option("--utc-days", is_flag=True, help="Blocks of 24h, from midnight to midnight UTC: Mimir takes no others.")
@click.option(
    "--label", "labels", multiple=True, metavar="K=V", help="Set this label on every series; may be repeated."
)
@click.option("--allow-future", is_flag=True, help="Take samples after now.")
@with_options(JSON)
@click.pass_context
def openmetrics(context: click.Context, /, **values: Any) -> None:
    """Make blocks from OpenMetrics text: a file, plain or gzip, or - for standard input.

    The blocks appear in OUTPUT (data) when the whole text has been read and is good; else nothing does.

    \b
    Example:
      promfill tsdb create-blocks-from openmetrics --utc-days history.txt data
    """
    before = context.parent.params if context.parent else {}
    given = {name: values[name] or before.get(name) for name in ("quiet", "human_readable", "max_block_duration")}
    if not values["text"]:
        raise InputError.about("text", "is empty", "name a file, or - for standard input")
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
    """Milliseconds of the longest block."""
    if utc_days and longest:
        raise InputError.about("utc_days", "makes blocks of 24h", "leave out --max-block-duration, or --utc-days")
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
    """promtool aligns each block's line by itself, the first one with the header."""
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
        console.note("the text holds no sample: there is no block to make")
    if report.exemplars:
        console.note(f"{report.exemplars:,} exemplars dropped: blocks hold none")
    if report.doubled:
        console.note(f"{report.doubled:,} samples stood there more than once, with one value: each is kept once")
    if report.late:
        console.warn(f"line {report.late.line} is the first that is after now: {name_time(report.late.time)}")
    for finding in made.findings:
        console.finding(finding)


@contextmanager
def _progress(console: Console) -> Iterator[Progress]:
    """A function that is told how far the work is; bars only where stderr is a terminal."""
    if console.verbosity < 0 or not sys.stderr.isatty():
        yield lambda _phase, _done, _total, _samples: None
        return
    bars = _Bars()
    try:
        yield bars.show
    finally:
        bars.end()


class _Bars:
    """A bar for each phase, one after the other."""

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
        self._bar.update(done - self._bar.pos, f"{size}{samples:,} samples, {samples / seconds / 1e6:.1f} M/s")

    def end(self) -> None:
        """Leave the last bar as it stands."""
        if self._bar:
            self._bar.__exit__(None, None, None)
