"""What a push tells: the plan, what was made, and what remains after it ended early. Facts first, then their text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from promfill.cli import remote_write
from promfill.cli.targets import Target
from promfill.cli.text.commands import resolved_times, typed_command
from promfill.cli.text.format import size_text
from promfill.cli.uploads import LATER, PushUpload, upload_facts
from promfill.model.grid import Tile
from promfill.scenario.scenario import describe
from promfill.sources.generated import Source

Facts = Mapping[str, Any]

_AFTERWARDS = frozenset(("serve", "verify"))
"""Commands for what a push has made: none after one that failed."""


def plan_facts(source: Source, target: Target) -> dict[str, Any]:
    """The plan of a push, for ``--dry-run``: its sizes, its destination, and an estimate of its bytes."""
    probe = source.batch(Tile(0, min(source.grid.steps, 240), 0, min(len(source.fleet), 16)))
    estimate = round(target.sink.bytes_per_sample(probe) * source.samples)
    return {**frame(source, target), **target.facts, "dry_run": True, "estimated_bytes": estimate}


def push_facts(source: Source, target: Target, seconds: float) -> dict[str, Any]:
    """What a push made."""
    report, upload = target.report, target.upload
    return {
        **frame(source, target),
        **target.facts,
        **({"checkpoint": str(target.checkpoint)} if target.checkpoint else {}),
        **report.details,
        "written": report.samples,
        "bytes": report.bytes,
        "paths": [str(path) for path in report.paths if not upload or upload.keep],
        **({"upload": upload_facts(upload.report, upload.destination)} if upload else {}),
        "seconds": round(seconds, 3),
        "samples_per_second": round(report.samples / seconds) if seconds > 0 else 0,
    }


def remains_facts(source: Source, target: Target, seconds: float) -> dict[str, Any]:
    """What had arrived when a push ended early, and the command that goes on: the facts of `push_facts`, as far as
    they are known.
    """
    context = click.get_current_context()
    if target.checkpoint:
        resume = typed_command(context, resume=True)
    else:  # blocks that are there are not made again, if their times are the same
        resume = typed_command(context, **resolved_times(source.scenario.sampled))
    facts = {**push_facts(source, target, seconds), "resume": resume}
    return {name: value for name, value in facts.items() if name not in _AFTERWARDS}


def frame(source: Source, target: Target) -> dict[str, Any]:
    """What a push is asked to do."""
    return {
        "mode": target.mode,
        **describe(source.scenario),
        "series": len(source.fleet),
        "samples": source.samples,
        "destination": target.where,
        **{name: value for name, value in target.facts.items() if name not in _AFTERWARDS},
    }


def plan_text(facts: Facts) -> str:
    """The plan for people."""
    units = [f"{facts[name]:,} {name}" for name in ("blocks", "windows", "requests") if name in facts]
    plan = ", ".join([f"--mode {facts['mode']}", *units, f"about {size_text(facts['estimated_bytes'])}"])
    then = f", then to {facts['upload_to']}" if "upload_to" in facts else ""
    return "\n".join(
        [*_head(facts), f"plan   {plan}, into {facts['destination']}{then}", "dry run: nothing was sent or written"]
    )


def push_text(facts: Facts) -> str:
    """The result for people, with the commands that follow."""
    rate = f"{facts['seconds']:.2f} s, {facts['samples_per_second'] / 1e6:.2f} M samples/s"
    lines = _head(facts)
    if facts["mode"] == "remote-write":
        lines += remote_write.lines(facts, size_text(facts["bytes"]), rate)
    else:
        lines += _written_lines(facts, rate)
    if "upload" in facts:
        lines += upload_lines(facts["upload"])
    for title, name in (("Serve it:", "serve"), ("Prove it:", "verify")):
        if name in facts:
            lines += ["", title, f"  {facts[name]}"]
    return "\n".join(lines)


def _written_lines(facts: Facts, rate: str) -> list[str]:
    there = facts.get("already_there")
    what = f"{facts['written']:,} samples, {size_text(facts['bytes'])}"
    return [
        *([f"there  {there:,} blocks already, whole and right: not made again"] if there else []),
        f"wrote  {what}, into {facts['destination']} ({rate})",
    ]


def remains_text(source: Source, target: Target) -> str:
    """What had arrived when a push ended early, and how to go on."""
    facts = frame(source, target)
    report = target.report
    if target.upload:
        return _remains_of_upload(target, target.upload)
    if target.sending:
        return remote_write.remains(report, source.samples, target.where, resumable=target.sending.resumable)
    where = "the text for the script" if target.mode == "script" else target.where
    return (
        f"{report.samples:,} of {source.samples:,} samples are whole in {where}; to go on, run the same command "
        f"with --start {facts['start_epoch']} --end {facts['end_epoch']}"
    )


def _remains_of_upload(target: Target, upload: PushUpload) -> str:
    there = len(upload.done) + len(upload.report.complete)
    return (
        f"{there} of {target.facts['blocks']} blocks are complete at {upload.destination}, the others stay in "
        f"{target.where} as far as they are made; to go on, run the same command with --resume"
    )


def upload_lines(facts: Facts) -> list[str]:
    """What was uploaded, for people."""
    there = f"; {facts['already_uploaded']:,} blocks were there already" if facts["already_uploaded"] else ""
    renamed = facts["renamed"]
    own, other = next(iter(renamed.items()), ("", ""))
    more = f", and {len(renamed) - 1:,} more" if renamed and len(renamed) > 1 else ""
    under = f"note   {own} is there as {other}{more}: Mimir had failed to validate it under its own name"
    sent = f"{facts['uploaded']:,} blocks, {size_text(facts['uploaded_bytes'])}, to {facts['destination']}"
    return [f"sent   {sent}: complete{there}", *([under] if renamed else []), f"note   {LATER}"]


def _head(facts: Facts) -> list[str]:
    series = f"{facts['series']:,} series x {facts['steps']:,} steps of {facts['step']}"
    if facts["stale_at_end"]:
        series += " and a staleness marker"
    return [
        f"{facts['metric']}: {series} = {facts['samples']:,} samples",
        f"from   {facts['start']} ({facts['start_epoch']})",
        f"to     {facts['end']} ({facts['end_epoch']}), not included",
    ]
