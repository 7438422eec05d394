"""``promfill verify``: read back what a push sent, and compare it sample by sample."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from promfill.cli.options.destination import DESTINATION
from promfill.cli.options.shared import VERBOSITY, WHAT, build_console, build_scenario, with_options
from promfill.cli.store import QUERY, open_a_store, query_address
from promfill.cli.text.commands import what_words
from promfill.errors import DiffersError, FormatError, InputError, ReceiverError
from promfill.scenario.scenario import describe
from promfill.scenario.times import format_seconds, format_time, is_relative

if TYPE_CHECKING:
    from promfill.cli.console import Console
    from promfill.cli.verify_wait import Patience
    from promfill.model.grid import Grid
    from promfill.operations.time_ranges import TimeRanges
    from promfill.operations.verify import VerifyReport
    from promfill.sources.generated import Source

COULD_NOT_LOOK = 3
"""The exit code where the store could not be read: nothing is known of what it holds."""
RANGES = 10
"""Ranges of time that are told of each fault."""

VERIFY = (
    click.option(
        "--verify",
        is_flag=True,
        help="Read back afterwards, as `promfill verify` does; what a store shows late is waited for (--retry-for).",
    ),
)


def _take_run(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """The options of a run, with its times, stand in for those that are not given."""
    if path is None:
        return None
    from promfill.files.checkpoint import Checkpoint

    checkpoint = Checkpoint.load(path)
    if checkpoint is None:
        raise InputError(f"there is no checkpoint {path}", "mend --checkpoint, or give the push's options")
    options = checkpoint.options
    times = {"start": format_seconds(checkpoint.start), "end": format_seconds(checkpoint.end)}
    context.default_map = {**options, **times, "allow_future": True}
    context.default_map["query_url"] = _query_url_of(options)
    return path


def _query_url_of(options: Mapping[str, Any]) -> str | None:
    """Where the samples of a run can be queried, None where that is not known."""
    if options.get("remote_write_url"):
        from promfill.stores.find import query_url_beside

        return query_url_beside(options["remote_write_url"])
    upload = options.get("upload")
    if not upload or upload == "none":
        return None
    from promfill.cli.uploads import beside_upload

    return beside_upload(upload)


def _choose_store(values: Mapping[str, Any]) -> tuple[str | None, Path | None]:
    """--query-url and --blocks, at most one of them: what was typed goes before the environment and a checkpoint."""
    address, blocks = values["query_url"], values["blocks"]
    if not address or blocks is None:
        return address, blocks
    source = click.get_current_context().get_parameter_source
    ranks = [_SOURCES.index(source(name)) if source(name) in _SOURCES else 0 for name in ("query_url", "blocks")]
    if ranks[0] == ranks[1]:
        raise InputError("--blocks and --query-url exclude each other", "read one store at a time")
    return (address, None) if ranks[0] < ranks[1] else (None, blocks)


_SOURCES = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT, ParameterSource.DEFAULT_MAP)


_RUN = (
    click.option(
        "--checkpoint",
        type=click.Path(path_type=Path, dir_okay=False),
        metavar="FILE",
        is_eager=True,
        expose_value=False,
        callback=_take_run,
        help="What was pushed is that of this run.",
    ),
)
_CREDENTIALS = DESTINATION[1:]
_BLOCKS = (
    click.option("--blocks", type=click.Path(path_type=Path), metavar="DIR", help="Read this directory of blocks."),
)


@click.command()
@with_options(WHAT, _RUN, QUERY, _BLOCKS, _CREDENTIALS, VERBOSITY)
def command(**values: Any) -> None:
    """Read back what a push sent, and compare it sample by sample.

    Takes the options that say what was pushed, or a run's checkpoint; and a Prometheus API, or a directory of blocks.
    Exit code 0 only where every sample is there, once and with its value, and no other beside them; 1 where the store
    differs, 3 where it could not be read.

    \b
    Example:
      promfill verify --metric-name vpn --labels 'instance=host-{1..40},job=vpn' \\
        --start 1700000000 --end 1701814400 --query-url http://127.0.0.1:9090
    """
    console = build_console(values)
    values["query_url"], values["blocks"] = _choose_store(values)
    scenario = build_scenario(values, console)
    from promfill.sources.generated import Source

    console.json(describe(scenario))
    try:
        report = verify_push(Source(scenario), values, values["blocks"], console)
    except (ReceiverError, FormatError) as error:
        error.exit_code = COULD_NOT_LOOK
        raise
    console.json(report_facts(report))
    if not values["as_json"]:
        console.result(report_text(report))
    moving = [f"--{name} {values[name]}" for name in ("start", "end") if is_relative(values[name])]
    if moving and not report.right:
        console.note(f"{' and '.join(moving)}: now moves on; give the times that the push printed, or its --checkpoint")
    refuse_wrong(report)


def verify_command(
    parameters: Sequence[click.Parameter], grid: Grid, values: Mapping[str, Any], blocks: Path | None
) -> str | None:
    """The command that proves a push of these options, with its times resolved; None where no store is known to ask.

    blocks: the directory where blocks of the push stay. Headers may hold secrets and are left out; files of secrets
    are named.
    """
    address = query_address(values)
    if address:
        from promfill.net.destination import show_url

        store = ["--query-url", show_url(address)]
    elif blocks is not None:
        store = ["--blocks", str(blocks)]
    else:
        return None
    told = {parameter.name for parameter in command.params} - {"headers", "query_url", "quiet", "verbose", "as_json"}
    shared = [parameter for parameter in parameters if parameter.name in told]
    return shlex.join(["promfill", "verify", *what_words(values, shared, grid), *store])


def verify_push(
    source: Source,
    values: Mapping[str, Any],
    blocks: Path | None,
    console: Console,
    patience: Patience | None = None,
) -> VerifyReport:
    """Read the store, or the directory of blocks, with a progress bar, and compare.

    What a store shows with a delay is read again until it is there or `patience` is over.
    """
    from promfill.cli.verify_wait import Patience, read_until_there

    return read_until_there(lambda: _verify_once(source, values, blocks, console), patience or Patience(), console)


def _verify_once(source: Source, values: Mapping[str, Any], blocks: Path | None, console: Console) -> VerifyReport:
    from promfill.operations.verify import verify

    store = open_a_store(values, blocks, console)
    with console.progress(source.samples) as progress:
        return verify(source, store, progress)


def refuse_wrong(report: VerifyReport) -> None:
    """DiffersError where the store does not hold the push as it was made."""
    if not report.right:
        wrong = [f"{count:,} {name.replace('_', ' ')}" for name, count in report.wrong.items() if count]
        waited = f", after waiting {report.waited:.0f} s" if report.waited >= 1 else ""
        text = f"{report.store} does not hold {report.metric} as it was pushed: {', '.join(wrong)} samples"
        raise DiffersError(f"{text}{waited}")


def report_facts(report: VerifyReport) -> dict[str, Any]:
    """The report for ``--json``."""
    return {
        "metric": report.metric,
        "store": _store_facts(report.store),
        "rule": report.rule,
        "unchecked": report.unchecked,
        "series": report.series,
        "expected": report.expected,
        "found": report.tally.found,
        "rounded": report.tally.rounded,
        "not_checked": report.not_checked,
        **report.wrong,
        "right": report.right,
        "waited_seconds": round(report.waited, 3),
        "ranges": {name: _ranges_facts(_ranges_of(report, name)) for name in report.wrong},
        "unexpected_series": report.stranger_count,
        "unexpected_series_examples": [dict(labels) for labels in report.strangers],
    }


def _store_facts(name: str) -> dict[str, str]:
    """The store as `check` tells it. name: ``Prometheus at URL``, or ``blocks in DIR``."""
    kind, _, where = name.partition(" in " if name.startswith("blocks in ") else " at ")
    return {"name": kind, "where": where}


def report_text(report: VerifyReport) -> str:
    """The report for people."""
    lines = [
        f"{report.metric} in {report.store}, compared {report.rule}",
        f"expected    {report.expected:,} samples of {report.series:,} series",
        f"found       {report.tally.found:,}",
    ]
    if report.tally.rounded:
        lines.append(f"            {report.tally.rounded:,} of them rounded by the store")
    if report.not_checked:
        lines.append(f"not checked {report.not_checked:,} staleness markers, which this way of reading does not show")
    for name, count in report.wrong.items():
        if count or name in report.faults:
            lines.append(f"{name.replace('_', ' '):11} {count:,}{_when(report, name)}")
    lines += [f"            {_selector(labels)} is none of the push's series" for labels in report.strangers]
    if report.stranger_count > len(report.strangers):
        lines.append(f"            and {report.stranger_count - len(report.strangers):,} series more")
    return "\n".join([*lines, *([report.unchecked] if report.unchecked else [])])


def _ranges_of(report: VerifyReport, name: str) -> TimeRanges | None:
    """When the samples of a fault are; None where there are none. All missing ones may be not yet visible."""
    if not report.wrong[name] or (name == "not_yet_visible" and report.missing):
        return None
    return report.faults["missing" if name == "not_yet_visible" else name].ranges


def _ranges_facts(ranges: TimeRanges | None) -> list[dict[str, str]]:
    told = ranges.first(RANGES) if ranges else []
    return [{"first": format_time(first), "last": format_time(last)} for first, last in told]


def _when(report: VerifyReport, name: str) -> str:
    """The ranges of time of a fault, in words."""
    ranges = _ranges_of(report, name)
    if ranges is None:
        return ""
    told = [
        format_time(first) if first == last else f"{format_time(first)} to {format_time(last)}"
        for first, last in ranges.first(RANGES)
    ]
    more = f" and {len(ranges) - RANGES} ranges more" if len(ranges) > RANGES else ""
    return f": {', '.join(told)}{more}"


def _selector(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
