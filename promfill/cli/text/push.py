"""What a push tells: the plan, what was made, and what remains after it ended early. Facts for programs, texts for
people.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from promfill.cli.text import remote_write
from promfill.cli.text.format import size_text
from promfill.cli.text.upload import upload_facts, upload_lines
from promfill.operations.reports import Frame, PlanReport, PushReport, Remains, Uploaded
from promfill.scenario.scenario import Scenario, describe, describe_times
from promfill.scenario.times import DAY_MS

_YEAR_MS = 365 * DAY_MS


def frame_facts(frame: Frame) -> dict[str, Any]:
    """What a push is asked to do."""
    counts = {
        "blocks": frame.blocks,
        "windows": frame.windows,
        "requests": frame.requests,
        "upload_to": frame.upload_to,
    }
    return {
        "mode": frame.mode,
        **describe(frame.scenario),
        "series": frame.series,
        "samples": frame.samples,
        "destination": frame.destination,
        **{name: value for name, value in counts.items() if value is not None},
        **({"forwarder": asdict(frame.forwarder)} if frame.forwarder else {}),
    }


def plan_facts(plan: PlanReport) -> dict[str, Any]:
    """The plan of a push: its sizes, its destination, and an estimate of its bytes."""
    return {
        **frame_facts(plan.frame),
        **_serve(plan.frame),
        "dry_run": True,
        "estimated_bytes": plan.estimated_bytes,
    }


def push_facts(report: PushReport, verify: str | None = None) -> dict[str, Any]:
    """What a push made. verify: the command that proves it."""
    return {
        **arrived_facts(report),
        **_serve(report.frame),
        **({"verify": verify} if verify else {}),
        **({"there_before": report.there_before} if report.there_before else {}),
    }


def arrived_facts(report: PushReport) -> dict[str, Any]:
    """What has arrived, also after a failure."""
    seconds = report.seconds
    return {
        **frame_facts(report.frame),
        **({"checkpoint": str(report.checkpoint)} if report.checkpoint else {}),
        **report.details,
        "written": report.samples,
        "bytes": report.bytes,
        "paths": [str(path) for path in report.paths],
        **({"upload": upload_facts(report.upload)} if report.upload else {}),
        "seconds": round(seconds, 3),
        "samples_per_second": _rate(report),
    }


def finished_facts(report: PushReport) -> dict[str, Any]:
    """A run that had nothing left to do."""
    grid = report.frame.scenario.sampled
    return {
        "mode": report.frame.mode,
        "metric": report.frame.scenario.metric,
        **describe_times(grid.start, grid.time(grid.steps)),
        "checkpoint": str(report.checkpoint),
        "finished": True,
    }


def plan_text(plan: PlanReport) -> str:
    """The plan for people."""
    frame = plan.frame
    counts = {"blocks": frame.blocks, "windows": frame.windows, "requests": frame.requests}
    units = [f"{count:,} {name}" for name, count in counts.items() if count is not None]
    told = ", ".join([f"--mode {frame.mode}", *units, f"about {size_text(plan.estimated_bytes)}"])
    then = f", then to {frame.upload_to}" if frame.upload_to else ""
    return "\n".join(
        [*_head(frame), f"plan   {told}, into {frame.destination}{then}", "dry run: nothing was sent or written"]
    )


def push_text(report: PushReport, verify: str | None = None) -> str:
    """The result for people, with the commands that follow."""
    rate = f"{report.seconds:.2f} s, {_rate(report) / 1e6:.2f} M samples/s"
    lines = _head(report.frame)
    if report.frame.mode == "remote-write":
        lines += remote_write.lines(report, size_text(report.bytes), rate, provable=bool(verify))
    else:
        lines += _written_lines(report, rate)
    if report.upload:
        lines += upload_lines(report.upload)
    for title, command in (("Serve it:", _serve(report.frame).get("serve")), ("Prove it:", verify)):
        if command:
            lines += ["", title, f"  {command}"]
    return "\n".join(lines)


def remains_text(remains: Remains) -> str:
    """What had arrived when a push ended early, and how to go on."""
    report, frame = remains.report, remains.report.frame
    if report.upload:
        return _remains_of_upload(frame, report.upload)
    if frame.mode == "remote-write":
        return remote_write.remains(remains)
    where = "the text for the script" if frame.mode == "script" else frame.destination
    times = _times(frame.scenario)
    return (
        f"{report.samples:,} of {frame.samples:,} samples are whole in {where}; to go on, run the same command "
        f"with --start {times['start_epoch']} --end {times['end_epoch']}"
    )


def serve_command(directory: Path, scenario: Scenario, newest: int = 0) -> str:
    """What serves a directory of blocks. A default Prometheus would delete all that is older than 15 days at its start,
    so retention is some whole years longer than the oldest sample is old. newest: the last end of the blocks there, ms:
    age is counted from it.
    """
    grid = scenario.grid
    age = max(time.time() * 1000, grid.last, newest) - grid.start
    words = [
        "prometheus",
        "--config.file=/dev/null",
        f"--storage.tsdb.path={directory}",
        f"--storage.tsdb.retention.time={int(age // _YEAR_MS) + 2}y",
        "--web.listen-address=127.0.0.1:9090",
    ]
    return shlex.join(words)


def _serve(frame: Frame) -> dict[str, str]:
    """The command that serves blocks, where they stay here."""
    if frame.mode != "blocks" or not frame.stays:
        return {}
    return {"serve": serve_command(Path(str(frame.destination)), frame.scenario, frame.newest)}


def _times(scenario: Scenario) -> dict[str, str]:
    grid = scenario.sampled
    return describe_times(grid.start, grid.time(grid.steps))


def _rate(report: PushReport) -> int:
    return round(report.samples / report.seconds) if report.seconds > 0 else 0


def _written_lines(report: PushReport, rate: str) -> Iterator[str]:
    there = report.details.get("already_there")
    if there:
        yield f"there  {there:,} blocks already, whole and right: not made again"
    yield f"wrote  {report.samples:,} samples, {size_text(report.bytes)}, into {report.frame.destination} ({rate})"


def _remains_of_upload(frame: Frame, upload: Uploaded) -> str:
    there = upload.before + len(upload.complete)
    return (
        f"{there} of {frame.blocks} blocks are complete at {upload.destination}, the others stay in "
        f"{frame.destination} as far as they are made; to go on, run the same command with --resume"
    )


def _head(frame: Frame) -> list[str]:
    facts = describe(frame.scenario)
    series = f"{frame.series:,} series x {facts['steps']:,} steps of {facts['step']}"
    if facts["stale_at_end"]:
        series += " and a staleness marker"
    return [
        f"{facts['metric']}: {series} = {frame.samples:,} samples",
        f"from   {facts['start']} ({facts['start_epoch']})",
        f"to     {facts['end']} ({facts['end_epoch']}), not included",
    ]
