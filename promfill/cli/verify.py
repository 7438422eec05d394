"""``promfill verify``: read back what a push sent and compare it sample by sample."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from promfill.cli.options.commands import what_words
from promfill.cli.options.destination import DESTINATION, query_from
from promfill.cli.options.shared import VERBOSITY, WHAT, build_console, build_scenario, with_options
from promfill.cli.options.store import QUERY
from promfill.errors import FormatError, InputError, ReceiverError, setting
from promfill.operations.reports import Asked
from promfill.scenario.scenario import describe
from promfill.scenario.times import format_seconds, is_relative

if TYPE_CHECKING:
    from promfill.model.grid import Grid

COULD_NOT_LOOK = 3
"""The exit code if the store could not be read, so nothing is known about what it holds."""


def _take_run(context: click.Context, parameter: click.Parameter, path: Path | None) -> Path | None:
    """Use the options and times of a run as defaults for options that are not given."""
    if path is None:
        return None
    from promfill.files.checkpoint import Checkpoint

    checkpoint = Checkpoint.load(path)
    if checkpoint is None:
        fix = f"check {setting('checkpoint')}, or use the options of the push"
        raise InputError(f"the checkpoint {path} does not exist", fix, field="checkpoint")
    options = checkpoint.options
    times = {"start": format_seconds(checkpoint.start), "end": format_seconds(checkpoint.end)}
    context.default_map = {**options, **times, "allow_future": True}
    context.default_map["query_url"] = _query_url_of(options)
    return path


def _query_url_of(options: Mapping[str, Any]) -> str | None:
    """Where the samples of a run can be queried; None if that is not known."""
    if options.get("remote_write_url"):
        from promfill.stores.find import query_url_beside

        return query_url_beside(options["remote_write_url"])
    upload = options.get("upload")
    if not upload or upload == "none":
        return None
    from promfill.operations.block_upload import beside_upload

    return beside_upload(upload)


def _choose_store(values: Mapping[str, Any]) -> tuple[str | None, Path | None]:
    """--query-url or --blocks: the command line overrides the environment, which overrides a checkpoint."""
    address, blocks = values["query_url"], values["blocks"]
    if not address or blocks is None:
        return address, blocks
    source = click.get_current_context().get_parameter_source
    ranks = [_SOURCES.index(source(name)) if source(name) in _SOURCES else 0 for name in ("query_url", "blocks")]
    if ranks[0] == ranks[1]:
        raise InputError.about("blocks", f"and {setting('query_url')} cannot be used together", "give one of them")
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
        help="Verify the run that this checkpoint describes.",
    ),
)
_CREDENTIALS = DESTINATION[1:]
_BLOCKS = (
    click.option(
        "--blocks", type=click.Path(path_type=Path), metavar="DIR", help="Read from this directory of blocks."
    ),
)


@click.command()
@with_options(WHAT, _RUN, QUERY, _BLOCKS, _CREDENTIALS, VERBOSITY)
def command(**values: Any) -> None:
    """Read back what a push sent and compare it sample by sample.

    Needs the options of the push or its checkpoint, and a Prometheus API or a directory of blocks to read from. Exits
    with 0 only if every sample is stored once with the right value and there are no other samples; with 1 if the store
    differs; with 3 if it could not be read.

    \b
    Example:
      promfill verify --metric-name vpn --labels 'instance=host-{1..40},job=vpn' \\
        --start 1700000000 --end 1701814400 --query-url http://127.0.0.1:9090
    """
    from promfill.cli.text.verify import report_facts, report_text
    from promfill.operations.read_back import read_back, refuse_wrong

    console = build_console(values)
    console.on_found = lambda part: console.json(describe(part.scenario)) if isinstance(part, Asked) else None
    values["query_url"], blocks = _choose_store(values)
    scenario = build_scenario(values, console)
    try:
        report = read_back(scenario, blocks or query_from(values), notices=console)
    except (ReceiverError, FormatError) as error:
        error.exit_code = COULD_NOT_LOOK
        raise
    console.json(report_facts(report))
    if not values["as_json"]:
        console.result(report_text(report))
    moving = [f"--{name} {values[name]}" for name in ("start", "end") if is_relative(values[name])]
    if moving and not report.right:
        console.note(
            f"{' and '.join(moving)}: 'now' has moved since the push; use the times it printed, or its --checkpoint"
        )
    refuse_wrong(report)


def verify_command(context: click.Context, grid: Grid, where: str | Path | None) -> str | None:
    """The command that verifies the push of a context, with its times resolved.

    where: a query API, or the directory that holds the blocks; None if no store is known to query. Headers are left out
    because they may contain secrets; files that contain secrets are named.
    """
    if where is None:
        return None
    if isinstance(where, Path):
        store = ["--blocks", str(where)]
    else:
        from promfill.net.destination import show_url

        store = ["--query-url", show_url(where)]
    told = {parameter.name for parameter in command.params} - {"headers", "query_url", "quiet", "verbose", "as_json"}
    shared = [parameter for parameter in context.command.params if parameter.name in told]
    return shlex.join(["promfill", "verify", *what_words(context.params, shared, grid), *store])
