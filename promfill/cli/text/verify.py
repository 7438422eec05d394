"""Show what verify found: how much of a push is stored, and what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from promfill.errors import plural
from promfill.scenario.times import format_time

if TYPE_CHECKING:
    from promfill.operations.time_ranges import TimeRanges
    from promfill.operations.verify import VerifyReport

RANGES = 10
"""How many time ranges are shown for each fault."""


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
    """The store, with the keys that `check` uses. name: ``Prometheus at URL`` or ``blocks in DIR``."""
    kind, _, where = name.partition(" in " if name.startswith("blocks in ") else " at ")
    return {"name": kind, "where": where}


def report_text(report: VerifyReport) -> str:
    """The report for people."""
    lines = [
        f"{report.metric} in {report.store}, compared {report.rule}",
        f"expected    {plural(report.expected, 'sample')} of {plural(report.series, 'series')}",
        f"found       {report.tally.found:,}",
    ]
    if report.tally.rounded:
        lines.append(f"            {report.tally.rounded:,} of them rounded by the store")
    if report.not_checked:
        lines.append(f"not checked {plural(report.not_checked, 'staleness marker')}: not visible through this API")
    for name, count in report.wrong.items():
        if count or name in report.faults:
            lines.append(f"{name.replace('_', ' '):11} {count:,}{_when(report, name)}")
    lines += [f"            {_selector(labels)} is not a series of this push" for labels in report.strangers]
    if report.stranger_count > len(report.strangers):
        lines.append(f"            and {report.stranger_count - len(report.strangers):,} more series")
    return "\n".join([*lines, *([report.unchecked] if report.unchecked else [])])


def _ranges_of(report: VerifyReport, name: str) -> TimeRanges | None:
    """The times of a fault; None if it has none. If nothing is missing for good, missing times are not yet visible."""
    if not report.wrong[name] or (name == "not_yet_visible" and report.missing):
        return None
    return report.faults["missing" if name == "not_yet_visible" else name].ranges


def _ranges_facts(ranges: TimeRanges | None) -> list[dict[str, str]]:
    told = ranges.first(RANGES) if ranges else []
    return [{"first": format_time(first), "last": format_time(last)} for first, last in told]


def _when(report: VerifyReport, name: str) -> str:
    """The time ranges of a fault, as text."""
    ranges = _ranges_of(report, name)
    if ranges is None:
        return ""
    told = [
        format_time(first) if first == last else f"{format_time(first)} to {format_time(last)}"
        for first, last in ranges.first(RANGES)
    ]
    more = f" and {plural(len(ranges) - RANGES, 'more range')}" if len(ranges) > RANGES else ""
    return f": {', '.join(told)}{more}"


def _selector(labels: tuple[tuple[str, str], ...]) -> str:
    return "{" + ", ".join(f'{name}="{value}"' for name, value in labels) + "}"
