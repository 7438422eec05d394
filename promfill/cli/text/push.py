"""Show a push: its plan, its result, and what is left to do if it ended early. Facts for programs, text for people."""

from __future__ import annotations

import shlex
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from promfill.cli.text import remote_write
from promfill.cli.text.format import rate_text, size_text
from promfill.cli.text.upload import upload_facts, upload_lines
from promfill.errors import plural
from promfill.operations.reports import Frame, PlanReport, PushReport, Remains, Uploaded
from promfill.scenario.scenario import Scenario, describe, describe_times
from promfill.scenario.times import DAY_MS

_YEAR_MS = 365 * DAY_MS


def frame_facts(frame: Frame) -> dict[str, Any]:
    """What a push was asked to do."""
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
    """The plan of a push: sizes, destination, and estimated bytes."""
    return {
        **frame_facts(plan.frame),
        **_serve(plan.frame),
        "dry_run": True,
        "estimated_bytes": plan.estimated_bytes,
    }


def push_facts(report: PushReport, verify: str | None = None) -> dict[str, Any]:
    """The result of a push. verify: the command that verifies it."""
    return {
        **arrived_facts(report),
        **_serve(report.frame),
        **({"verify": verify} if verify else {}),
        **({"there_before": report.there_before} if report.there_before else {}),
    }


def arrived_facts(report: PushReport) -> dict[str, Any]:
    """What was stored so far; also after a failure."""
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
    """The result of a run that had nothing left to do."""
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
    counts = {"block": frame.blocks, "window": frame.windows, "request": frame.requests}
    units = [plural(count, noun) for noun, count in counts.items() if count is not None]
    what = ", ".join([f"--mode {frame.mode}", *units, f"about {size_text(plan.estimated_bytes)}"])
    then = f", then uploaded to {frame.upload_to}" if frame.upload_to else ""
    return "\n".join(
        [*_head(frame), f"plan   {what}, to {frame.destination}{then}", "dry run: nothing was sent or written"]
    )


def push_text(report: PushReport, verify: str | None = None) -> str:
    """The result for people, with the next commands to run."""
    rate = ", ".join(filter(None, (f"{report.seconds:.2f} s", rate_text(report.samples, report.seconds))))
    lines = _head(report.frame)
    if report.frame.mode == "remote-write":
        lines += remote_write.lines(report, size_text(report.bytes), rate, can_verify=bool(verify))
    else:
        lines += _written_lines(report, rate)
    if report.upload:
        lines += upload_lines(report.upload)
    running = report.frame.mode == "blocks" and report.frame.stays and is_served(Path(str(report.frame.destination)))
    if running:
        lines.append(f"note   a Prometheus runs on {report.frame.destination}: it shows the blocks within a minute")
    serve = None if running else _serve(report.frame).get("serve")
    for title, command in (("Serve:", serve), ("Verify:", verify)):
        if command:
            lines += ["", title, f"  {command}"]
    return "\n".join(lines)


def remains_text(remains: Remains) -> str:
    """What was stored when a push ended early, and how to continue."""
    report, frame = remains.report, remains.report.frame
    if report.upload:
        return _remains_of_upload(frame, report.upload)
    if frame.mode == "remote-write":
        return remote_write.remains(remains)
    where = "the text for the script" if frame.mode == "script" else frame.destination
    stored = f"{report.samples:,} of {plural(frame.samples, 'sample')} {'is' if frame.samples == 1 else 'are'}"
    times = _times(frame.scenario)
    return (
        f"{stored} complete in {where}; to continue, run the same command "
        f"with --start {times['start_epoch']} --end {times['end_epoch']}"
    )


def serve_command(directory: Path, scenario: Scenario, newest: int = 0) -> str:
    """The command that serves a directory of blocks.

    By default Prometheus deletes everything older than 15 days when it starts, so the retention is one to two years
    longer than the age of the oldest sample. newest: the latest end of the blocks in the directory, ms; age counts back
    from there.
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
    """The command that serves the blocks, if they stay on this machine."""
    if frame.mode != "blocks" or not frame.stays:
        return {}
    return {"serve": serve_command(Path(str(frame.destination)), frame.scenario, frame.newest)}


def _times(scenario: Scenario) -> dict[str, str]:
    grid = scenario.sampled
    return describe_times(grid.start, grid.time(grid.steps))


def _rate(report: PushReport) -> int:
    return round(report.samples / report.seconds) if report.seconds > 0 else 0


def is_served(directory: Path) -> bool:
    """Whether a Prometheus runs on this directory now."""
    from promfill.files.claims import is_locked

    return is_locked(directory / "lock")


def _written_lines(report: PushReport, rate: str) -> Iterator[str]:
    skipped = report.details.get("already_there")
    if skipped:
        exist = "exists and is" if skipped == 1 else "exist and are"
        yield f"note   {plural(skipped, 'block')} already {exist} intact (skipped)"
    if report.samples or not skipped:
        size = size_text(report.bytes)
        yield f"wrote  {plural(report.samples, 'sample')}, {size}, to {report.frame.destination} ({rate})"


def _remains_of_upload(frame: Frame, upload: Uploaded) -> str:
    done = upload.before + len(upload.complete)
    of = "1 block is" if frame.blocks == 1 else f"{frame.blocks or 0:,} blocks are"
    return (
        f"{done:,} of {of} complete at {upload.destination}; those already made stay in {frame.destination}; "
        "to continue, run the same command with --resume"
    )


def _head(frame: Frame) -> list[str]:
    facts = describe(frame.scenario)
    series = f"{plural(frame.series, 'series')} x {plural(facts['steps'], 'step')} of {facts['step']}"
    if facts["stale_at_end"]:
        series += " and a staleness marker"
    return [
        f"{facts['metric']}: {series} = {plural(frame.samples, 'sample')}",
        f"from   {facts['start']} ({facts['start_epoch']})",
        f"to     {facts['end']} ({facts['end_epoch']}), not included",
    ]
