"""``promfill push``: generate series and send or write them."""

from __future__ import annotations

from typing import Any

import click

from promfill.cli.console import Console
from promfill.cli.options.commands import resolved_times, typed_command
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
from promfill.cli.options.store import LOOK, VERIFY, how_from
from promfill.cli.options.targets import FITS, TARGET, target_from
from promfill.cli.text.look import look_facts
from promfill.cli.verify import verify_command
from promfill.operations.look import Look
from promfill.operations.reports import Asked, Begun, Frame, KeptRun, PushReport, Remains
from promfill.scenario.scenario import describe


@click.command()
@with_options(WHAT, TARGET, UPLOAD, CDO, DESTINATION, RETRY, RESUME, LOOK, VERIFY, VERBOSITY)
@click.pass_context
def command(context: click.Context, /, **values: Any) -> None:
    """Generate series and send or write them.

    \b
    Example:
      promfill push --metric-name vpn --labels 'instance=host-{1..40},job=vpn' --start now-21d
    """
    console = build_console(values)
    console.on_found = lambda part: _tell(part, context, console)
    uploading = values["mode"] == "blocks" and uploads(values)
    reject_unused_options(context, values["mode"], FITS, frozenset({"--upload"} if uploading else ()))
    scenario = build_scenario(values, console)
    target, how = target_from(values, console), how_from(values)
    from promfill.cli.text.push import plan_facts, plan_text
    from promfill.operations.push import plan, push

    if values["dry_run"]:
        planned = plan(scenario, target, how, console)
        console.json(plan_facts(planned))
        if not values["as_json"]:
            console.result(plan_text(planned))
        return
    report = push(scenario, target, how, console)
    if report.verified:
        from promfill.cli.text.verify import report_text
        from promfill.operations.read_back import refuse_wrong

        if not values["as_json"]:
            console.result("\n" + report_text(report.verified))
        refuse_wrong(report.verified)


def _tell(part: object, context: click.Context, console: Console) -> None:
    """Add a part of the result to the JSON; print what was pushed, even if verifying it fails afterwards.

    Records the files that the push will make before the first byte is written, so the list is complete even after a
    crash. Blocks that existed before are not recorded: they belong to somebody else.
    """
    from promfill.cli.text import push as text
    from promfill.files import generated_list

    match part:
        case KeptRun(path=path, finished=finished):
            console.json({"checkpoint": str(path)} | ({} if finished else {"resume": _resume(context)}))
        case Asked(mode=mode, scenario=scenario):
            console.json({"mode": mode, **describe(scenario)})
        case Frame():
            console.json(text.frame_facts(part))
        case Look():
            console.json(look_facts(part))
        case Begun(paths=paths):
            generated_list.record(*(path for path in paths if not path.exists()))
        case PushReport(finished_before=True):
            console.json(text.finished_facts(part))
        case PushReport():
            generated_list.record(*part.paths)
            command_line = _verify_command(part, context)
            console.json(text.push_facts(part, command_line))
            if not context.params["as_json"]:
                console.result(text.push_text(part, command_line))
        case Remains():
            generated_list.record(*part.report.paths)
            console.say(text.remains_text(part))
            console.json({**text.arrived_facts(part.report), "resume": _go_on(part, context)})
        case _:
            from promfill.cli.text.verify import report_facts
            from promfill.operations.verify import VerifyReport

            if isinstance(part, VerifyReport):
                console.json({"verified": report_facts(part)})


def _verify_command(report: PushReport, context: click.Context) -> str | None:
    """The command that verifies a push; None if no store is known to query."""
    return verify_command(context, report.frame.scenario.sampled, report.verify_at)


def _go_on(remains: Remains, context: click.Context) -> str:
    """The command that continues. Existing blocks are skipped if the times are the same."""
    if remains.resumable:
        return _resume(context)
    return typed_command(context, **resolved_times(remains.report.frame.scenario.sampled))


def _resume(context: click.Context) -> str:
    return typed_command(context, resume=True)
