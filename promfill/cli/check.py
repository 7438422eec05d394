"""``promfill check``: predict what a store will do with a push."""

from __future__ import annotations

from typing import Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import CDO, DESTINATION, RETRY, UPLOAD, uploads
from promfill.cli.options.resume import RESUME
from promfill.cli.options.shared import (
    VERBOSITY,
    WHAT,
    build_console,
    build_scenario,
    reject_unused_options,
    with_options,
)
from promfill.cli.options.store import LOOK, how_from
from promfill.cli.options.targets import FITS, TARGET, target_from
from promfill.cli.text.look import look_facts, look_lines
from promfill.operations.look import Look
from promfill.operations.reports import Frame


@click.command()
@with_options(WHAT, TARGET, UPLOAD, CDO, DESTINATION, RETRY, RESUME, LOOK, VERBOSITY)
@click.pass_context
def command(context: click.Context, /, **values: Any) -> None:
    """Predict what a store will do with a push: delete, reject, round or duplicate samples. Sends nothing.

    Takes the same options as push. Exits with 2 if samples would be lost, unless --accept-loss is given.

    \b
    Example:
      promfill check --mode remote-write --remote-write-url http://127.0.0.1:9090/api/v1/write \\
        --metric-name vpn --labels 'instance=host-{1..40},job=vpn' --start now-21d
    """
    from promfill.operations.check import check

    console = build_console(values)
    console.on_found = lambda part: _tell(part, console)
    uploading = values["mode"] == "blocks" and uploads(values)
    reject_unused_options(context, values["mode"], FITS, frozenset({"--upload"} if uploading else ()))
    scenario = build_scenario(values, console)
    how = how_from(values)
    look = check(scenario, target_from(values, console), how, console).look
    if not values["as_json"]:
        console.result("\n".join(look_lines(look) or ["check passed: nothing would be lost or changed"]))
    look.refuse_repeat(how.again)
    look.refuse_loss(how.accept_loss)


def _tell(part: object, console: Console) -> None:
    """Add a part of the result to the JSON."""
    match part:
        case Frame():
            from promfill.cli.text.push import frame_facts

            console.json(frame_facts(part))
        case Look():
            console.json(look_facts(part))
