"""``promfill push``: generate series, and send or write them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.destination import CDO, DESTINATION, RETRY, UPLOAD, uploads
from promfill.cli.options import VERBOSITY, WHAT, build_console, build_scenario, refuse_misfits, with_options
from promfill.cli.resume import RESUME, find_run
from promfill.cli.targets import FITS, TARGET, Target, build_target

if TYPE_CHECKING:
    from promfill.source import Source


@click.command()
@with_options(WHAT, TARGET, UPLOAD, CDO, DESTINATION, RETRY, RESUME, VERBOSITY)
@click.pass_context
def command(context: click.Context, /, **values: Any) -> None:
    """Generate series and send or write them.

    \b
    Example:
      promfill push --metric-name vpn --labels 'instance=host-{1..40},job=vpn' --start now-21d
    """
    console = build_console(values)
    uploading = values["mode"] == "blocks" and uploads(values)
    refuse_misfits(context, values["mode"], FITS, frozenset({"--upload"} if uploading else ()))
    run = find_run(values, console) if uploading else None
    if run and run.finished:
        console.note(f"{run.path} is of a run that is finished: nothing is left to send")
        if values["as_json"]:
            console.json({"finished": True, "checkpoint": str(run.path)})
        return
    scenario = build_scenario(run.values if run else values, console)
    from promfill.cli import summary
    from promfill.source import Source

    source = Source(scenario)
    target = build_target(source, values, console, run)
    if values["dry_run"]:
        facts, text = summary.plan_facts(source, target), summary.plan_text
    else:
        seconds = run_push(source, target, console)
        facts, text = summary.push_facts(source, target, seconds), summary.push_text
    if values["as_json"]:
        console.json(facts)
    else:
        console.result(text(facts))


def run_push(source: Source, target: Target, console: Console) -> float:
    """Push with a progress bar; returns the seconds it took. What had arrived is said when it ends early."""
    from promfill.cli.summary import remains_text

    started = time.monotonic()
    try:
        with console.progress(source.samples) as progress:
            target.push(source, progress)
    except BaseException:
        console.note(remains_text(source, target))
        raise
    return time.monotonic() - started
