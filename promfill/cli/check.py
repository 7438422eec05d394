"""``promfill check``: what a store would do with a push."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.options.destination import CDO, DESTINATION, RETRY, UPLOAD, goes_by_cdo, uploads
from promfill.cli.options.resume import RESUME
from promfill.cli.options.shared import VERBOSITY, WHAT, build_console, build_scenario, refuse_misfits, with_options
from promfill.cli.reruns import look_for_earlier
from promfill.cli.store import LOOK, Look, first_look
from promfill.cli.targets import DIRECTORIES, FITS, SERVERS, TARGET, block_duration, block_names, script_of
from promfill.cli.uploads import ask_for_upload, check_ranges
from promfill.errors import InputError
from promfill.net.resolve import split_url
from promfill.scenario.label_patterns import count_series
from promfill.scenario.scenario import Scenario, describe

if TYPE_CHECKING:
    from promfill.sources.generated import Source


@click.command()
@with_options(WHAT, TARGET, UPLOAD, CDO, DESTINATION, RETRY, RESUME, LOOK, VERBOSITY)
@click.pass_context
def command(context: click.Context, /, **values: Any) -> None:
    """Say what a store would do with a push: delete, refuse, round, double. Send nothing.

    Takes the options of push. Exit code 2 where samples would be lost, unless --accept-loss is given.

    \b
    Example:
      promfill check --mode remote-write --remote-write-url http://127.0.0.1:9090/api/v1/write \\
        --metric-name vpn --labels 'instance=host-{1..40},job=vpn' --start now-21d
    """
    from promfill.rules.predict import blocks_to_come

    console = build_console(values)
    uploading = values["mode"] == "blocks" and uploads(values)
    refuse_misfits(context, values["mode"], FITS, frozenset({"--upload"} if uploading else ()))
    scenario = build_scenario(values, console)
    if values["remote_write_url"]:
        split_url(values["remote_write_url"], "--remote-write-url")
    if values["mode"] == "script":
        script_of(values, scenario.grid.last)
    known = values["remote_write_url"] or values["query_url"] or goes_by_cdo(values)
    if values["mode"] == "remote-write" and not known:
        raise InputError("--remote-write-url is missing", "give the address of the server")
    directory = values["output_dir"] or Path(DIRECTORIES.get(values["mode"], "."))
    series = count_series(scenario.labels)
    console.json(_frame(scenario, series, directory, values))
    own = partial(block_names, scenario, directory, values)
    look = first_look(scenario, series, directory, values, console, own=own)
    if uploading:
        coming = blocks_to_come(scenario.grid, 1, block_duration(values))
        check_ranges([(span.start, span.end) for span in coming], int(time.time() * 1000))
    upload = ask_for_upload(values, console) if uploading else None
    if upload:  # the blocks are served by a Mimir, whose retention is not known
        look = Look(
            look.store,
            [upload, *(one for one in look.findings if look.store or one.kind not in ("retention", "displaced"))],
        )
    look = look_for_earlier(look, lambda: _open_source(scenario), directory, values, console)
    console.json(look.facts())
    if not values["as_json"]:
        console.result("\n".join(look.lines() or ["check passed: nothing would be lost or changed"]))
    look.refuse_repeat(values["again"])
    look.refuse_loss(values["accept_loss"])


def _open_source(scenario: Scenario) -> Source:
    from promfill.sources.generated import Source

    return Source(scenario)


def _frame(scenario: Scenario, series: int, directory: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """What is asked about, in the words of push. A destination that CDO names is asked for later, and not told."""
    from promfill.net.destination import show_url

    mode, url = values["mode"], values["remote_write_url"]
    where = {"destination": show_url(url) if url else None} if mode in SERVERS else {"destination": str(directory)}
    return {
        "mode": mode,
        **describe(scenario),
        "series": series,
        "samples": series * scenario.grid.steps,
        **where,
    }
