"""Predicts the effects of deduplication, label limits and series limits, and reports limits that could not be read.

The counts build on one another: samples dropped by retention are not counted again as deduplicated, and samples
dropped by a label limit are counted only if they would otherwise have been kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promfill.errors import setting
from promfill.model.grid import Grid
from promfill.rules.finding import Finding
from promfill.rules.limits import Limits, Thinning
from promfill.scenario.label_lengths import series_within
from promfill.scenario.label_patterns import LabelPattern
from promfill.scenario.times import format_duration

if TYPE_CHECKING:
    from promfill.rules.push_plan import PushPlan


def limit_findings(plan: PushPlan, name: str, limits: Limits, kept: int, now: int) -> Iterator[Finding]:
    """All findings for the limits of a server. name: its name. kept: the newest steps, which it has not dropped yet."""
    if limits.read_only:
        text = f"{name} is read-only at the moment: its disk is nearly full, and it refuses every sample"
        yield Finding("read-only", True, plan.samples, text, "free some space on its disk, then run the command again")
    steps = kept
    for thinning in limits.thinning:
        dropped = thinned(plan.grid, kept, thinning, now)
        if dropped:
            steps = min(steps, kept - dropped)
            yield _thinning(plan, name, thinning, dropped, kept)
    cut = plan.series
    for finding, series in _label_findings(plan, name, limits, steps):
        cut = min(cut, plan.series - series)
        yield finding
    yield from _series(plan, name, limits, cut, steps)
    for rule in limits.rules:
        text = f"{name} runs with a flag that may change the push (not checked): {rule}"
        yield Finding("rules", False, None, text, "check the flag's value, and run promfill verify after the push")


def unread_findings(plan: PushPlan, name: str, odd: tuple[str, ...], unread: str) -> Iterator[Finding]:
    """Limits that the store did not report, or that were not understood: they are always mentioned."""
    for text in odd:
        yield Finding(
            "unread",
            False,
            None,
            f"{name} says {text}, which promfill does not understand, so its effect was not checked",
            "check it yourself, and run promfill verify after the push",
        )
    if unread:
        yield Finding(
            "unread",
            False,
            None,
            f"{unread} were not checked",
            "check -retentionPeriod (default: 1 month), -dedup.minScrapeInterval, -maxLabelsPerTimeseries and "
            "-maxLabelValueLen in its command line, or let promfill read the page (-metricsAuthKey protects it)",
        )


def thinned(grid: Grid, kept: int, thinning: Thinning, now: int) -> int:
    """How many of the newest `kept` steps are dropped because another one in the same interval is kept.

    An interval ends at a multiple of its length, inclusive; the last sample in it is kept.
    """
    first = grid.steps - kept
    older = now - thinning.age if thinning.age else grid.last
    last = min(grid.steps - 1, (older - grid.start) // grid.step)
    if last < first or thinning.interval <= grid.step:
        return 0
    begin, end = (-(-grid.time(step) // thinning.interval) for step in (first, last))
    return last - first + 1 - (end - begin + 1)


def _thinning(plan: PushPlan, name: str, thinning: Thinning, dropped: int, kept: int) -> Finding:
    interval, step = format_duration(thinning.interval), format_duration(plan.grid.step)
    older = f" for samples older than {format_duration(thinning.age)}" if thinning.age else ""
    share = f"{dropped * plan.series:,} of {kept * plan.series:,} samples ({100 * dropped / kept:.1f} %)"
    return Finding(
        "deduplication",
        True,
        dropped * plan.series,
        f"{name} keeps one sample in every {interval}{older} ({thinning.flag}) and will drop {share}, since the step "
        f"is {step}",
        f"set {setting('step_size')} to {interval} or more, or restart it with {thinning.flag} of {step} or less",
    )


def _label_findings(plan: PushPlan, name: str, limits: Limits, steps: int) -> Iterator[tuple[Finding, int]]:
    """Each finding with the number of series that it concerns."""
    patterns = (LabelPattern("__name__", (plan.scenario.metric,)), *plan.scenario.labels)
    if limits.labels and len(patterns) > limits.labels:
        what = f"{len(patterns)} labels (including the metric's name), and {name} accepts {limits.labels}"
        flag = f"-maxLabelsPerTimeseries={len(patterns)} or more"
        yield _labels("labels", what, flag, limits, plan.series, steps), plan.series
    long = [pattern.name for pattern in patterns if len(pattern.name.encode()) > limits.name_bytes > 0]
    if long:
        length = len(long[0].encode())
        what = f"a label name of {length:,} bytes ('{long[0][:20]}…'), and {name} accepts {limits.name_bytes:,}"
        yield _labels("label-name", what, "a larger -maxLabelNameLen", limits, plan.series, steps), plan.series
    beyond = plan.series - series_within(patterns, limits.value_bytes) if limits.value_bytes else 0
    if beyond:
        what = f"a label value of more than {limits.value_bytes:,} bytes, the maximum of {name}"
        yield _labels("label-value", what, "a larger -maxLabelValueLen", limits, beyond, steps), beyond


def _labels(kind: str, what: str, flag: str, limits: Limits, series: int, steps: int) -> Finding:
    fate = "dropped without an error" if limits.drops_series else "stored with other labels: the excess is cut off"
    have = "has" if series == 1 else "have"
    fix = f"use fewer or shorter labels, or restart it with {flag}"
    return Finding(kind, True, series * steps, f"{series:,} series {have} {what}: they are {fate}", fix)


def _series(plan: PushPlan, name: str, limits: Limits, series: int, steps: int) -> Iterator[Finding]:
    if not limits.series:
        return
    flag, most = min(limits.series, key=lambda pair: pair[1])
    if series > most:
        yield Finding(
            "series",
            True,
            (series - most) * steps,
            f"{name} accepts at most {most:,} new series (-{flag}) and will drop up to {series - most:,} of {series:,}",
            f"push fewer series at a time, or restart it with a larger -{flag}",
        )
