"""``promfill push``: generate series, and send or write them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import CDO, DESTINATION, RETRY, UPLOAD, seconds, uploads
from promfill.cli.options.resume import RESUME, find_run
from promfill.cli.options.shared import VERBOSITY, WHAT, build_console, build_scenario, refuse_misfits, with_options
from promfill.cli.reruns import CONFLICTS, look_for_earlier
from promfill.cli.store import LOOK, Look, can_be_read, find_receiver, first_look, say_findings
from promfill.cli.targets import FITS, TARGET, Target, build_target, directory_of
from promfill.cli.uploads import query_url_beside_upload
from promfill.cli.verify import VERIFY, refuse_wrong, report_facts, report_text, verify_command, verify_push
from promfill.errors import InputError, RunError
from promfill.scenario.scenario import describe

if TYPE_CHECKING:
    from promfill.operations.verify import VerifyReport
    from promfill.rules.forwarders import Forwarder
    from promfill.sources.generated import Source

Facts = Mapping[str, Any]

LOOKED_AT = ("blocks", "remote-write")
"""The modes whose samples reach a store by this push itself."""


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
    uploading = values["mode"] == "blocks" and uploads(values)
    refuse_misfits(context, values["mode"], FITS, frozenset({"--upload"} if uploading else ()))
    keeps_state = (uploading or values["mode"] == "remote-write") and not values["dry_run"]
    run = find_run(values, console) if keeps_state else None
    if run and run.finished:
        console.note(f"{run.path} is of a run that is finished: nothing is left to send")
        console.json({"mode": values["mode"], **run.facts(), "finished": True})
        return
    scenario = build_scenario(run.values if run else values, console)
    console.json({"mode": values["mode"], **describe(scenario)})
    from promfill.cli.text import summary
    from promfill.sources.generated import Source

    source = Source(scenario)
    target = build_target(source, values, console, run)
    if values["dry_run"]:
        _look_first(source, target, values, console)
        _show(summary.plan_facts(source, target), summary.plan_text, values, console)
        return
    console.json(summary.frame(source, target))
    look = None if run and run.earlier else _look_first(source, target, values, console)
    forwarder = look.forwarder if look else find_receiver(values, console)
    _refuse_blind_verify(forwarder, values, console)
    target.know(look.store if look else None, forwarder)
    if run and run.overwritten and not (look and look.has_all):
        console.note(f"{run.path} is of a run that is finished: it is overwritten")
    command_line = verify_command(context.command.params, scenario.sampled, *_what_to_read(target, values))
    if command_line and not (forwarder and not values["query_url"]):
        target.facts["verify"] = command_line
    if look and look.has_all:
        target.facts["there_before"], seconds = source.samples, 0.0
    else:
        seconds = run_push(source, target, console)
    facts = summary.push_facts(source, target, seconds)
    _show(facts, summary.push_text, values, console)
    if values["verify"]:
        try:
            report = _verify(source, values, console, forwarded=forwarder is not None)
        except RunError as error:
            error.note = error.note or f"The push itself is finished: {source.samples:,} samples are in {target.where}"
            raise
        console.json({"verified": report_facts(report)})
        if not values["as_json"]:
            console.result("\n" + report_text(report))
        refuse_wrong(report)


def _what_to_read(target: Target, values: Facts) -> tuple[Facts, Path | None]:
    """The options, and the directory of blocks, by which the push can be verified: what went up is read there."""
    upload = target.upload
    if upload is None or upload.keep or values["query_url"]:
        return values, directory_of(values) if values["mode"] == "blocks" else None
    if not values["upload"]:  # what CDO names wants a password that CDO alone tells
        return values, None
    return {**values, "query_url": query_url_beside_upload(upload.destination, values)}, None


def _show(
    facts: dict[str, Any], text: Callable[[Mapping[str, Any]], str], values: dict[str, Any], console: Console
) -> None:
    """The result, for programs or for people."""
    console.json(facts)
    if not values["as_json"]:
        console.result(text(facts))


def _look_first(source: Source, target: Target, values: dict[str, Any], console: Console) -> Look | None:
    """Say what the store will do with the push, and holds of it; InputError where it would lose or spoil samples."""
    if values["mode"] not in LOOKED_AT or (values["dry_run"] and values["mode"] != "blocks"):
        return None
    stays = values["mode"] != "blocks" or not uploads(values)
    look = first_look(
        source.scenario,
        len(source.fleet),
        directory_of(values),
        values,
        console,
        own=target.block_names,
        ask=not values["dry_run"] and bool(stays or values["query_url"]),
    )
    unsaid = {"recent", *(() if stays or look.store else ("retention", "displaced"))}  # those of a Mimir are not known
    look = look.without(unsaid)
    look = look_for_earlier(look, lambda: source, directory_of(values), values, console)
    console.json(look.facts())
    conflicts = [one for one in look.findings if one.kind in CONFLICTS]
    if not values["dry_run"]:
        say_findings([one for one in conflicts if values["again"] or not one.spoils], console)
        look.refuse_repeat(values["again"])
        look.refuse_loss(values["accept_loss"])
        conflicts = []
    say_findings([*conflicts, *(one for one in look.findings if one.kind not in CONFLICTS)], console)
    return look


def _refuse_blind_verify(forwarder: Forwarder | None, values: Facts, console: Console) -> None:
    """InputError where a push is to be verified, and nothing says which store can be read."""
    if values["mode"] != "remote-write" or not values["verify"] or values["query_url"]:
        return
    if forwarder:
        raise InputError(
            f"--verify has nothing to read: {forwarder.where} is {forwarder.name}",
            "set --query-url to the store behind it, or leave --verify out",
        )
    if not can_be_read(values, console):
        raise InputError(
            "--verify has nothing to read: no query API is known beside the push address",
            "set --query-url to the store, or leave --verify out",
        )


def _verify(source: Source, values: dict[str, Any], console: Console, *, forwarded: bool) -> VerifyReport:
    """Read back what was pushed: the blocks themselves, unless a store is named."""
    from promfill.cli.verify_wait import FORWARDED_SECONDS, LOADED_SECONDS, Patience

    blocks, most = values["mode"] == "blocks", seconds(values, "retry_for")
    local = blocks and not values["query_url"]
    most = most if uploads(values) or not blocks else LOADED_SECONDS
    patience = Patience(most, blocks and not local, FORWARDED_SECONDS if forwarded else 0.0)
    return verify_push(source, values, directory_of(values) if local else None, console, patience)


def run_push(source: Source, target: Target, console: Console) -> float:
    """Push with a progress bar; returns the seconds it took. What had arrived is said when it ends early."""
    from promfill.cli.text.summary import remains_facts, remains_text

    started = time.monotonic()
    try:
        with console.progress(source.samples, target.status) as progress:
            target.push(source, progress)
    except InputError:  # nothing was written
        raise
    except BaseException:
        console.say(remains_text(source, target))
        console.json(remains_facts(source, target, time.monotonic() - started))
        raise
    return time.monotonic() - started
