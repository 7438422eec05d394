"""Predicts what a store will do with a push before it is sent. `stores.ask` gets the facts for it.

Prometheus deletes whole blocks: those that end longer before the end of the newest block than the retention (since
2.52 also those at exactly that distance). For blocks in a data directory the count is exact. Remote-written samples
are cut into blocks by the server, so their count is a lower bound, off by at most one of its largest blocks.
VictoriaMetrics drops each sample that is older than its retention when it arrives.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promfill.errors import setting
from promfill.model.grid import Grid, windows
from promfill.rules.directory import Arrival, Span, predict_from_text, predict_in_directory
from promfill.rules.finding import Finding
from promfill.rules.predict_limits import limit_findings, unread_findings
from promfill.rules.push_plan import PushPlan
from promfill.rules.store_facts import StoreFacts
from promfill.rules.victoriametrics import keeps_all_digits
from promfill.scenario.scenario import DEFAULT_DESCRIPTION
from promfill.scenario.times import DAY_MS, UNITS_MS, format_duration, format_time

if TYPE_CHECKING:
    from promfill.rules.forwarders import Forwarder

HEAD_SLACK_MS = UNITS_MS["h"]
"""How far behind its newest sample a head accepts others: half of its two hours."""

_LIMITS_THE_FUTURE = (2, 54)
"""The first version whose remote-write receiver refuses samples 10 minutes ahead of its clock (prometheus#14304)."""
_BLOCKS = setting("mode", "blocks")


def predict(plan: PushPlan, store: StoreFacts | None, now: int, forwarder: Forwarder | None = None) -> list[Finding]:
    """All findings. store: None if no store could be queried. now: ms, by our clock.

    forwarder: the receiver that forwards the push to the store.
    """
    findings: list[Finding] = []
    sent_on = plan.mode == "remote-write" and forwarder is not None
    if forwarder and sent_on:
        from promfill.rules.predict_forwarder import forwarder_findings

        findings += forwarder_findings(plan, forwarder, store, now)
    if store is None:
        findings += [] if sent_on else _unasked(plan)
        findings += _unasked_future(plan, now)
    else:
        findings += _by_store(plan, store, now, sent_on=sent_on)
    if plan.mode == "blocks":
        findings += predict_in_directory(_arrival(plan), now, store)
    elif plan.mode != "remote-write":
        findings += predict_from_text(plan.grid.last, now)
    return findings


def _by_store(plan: PushPlan, store: StoreFacts, now: int, *, sent_on: bool) -> Iterator[Finding]:
    yield from _retention(plan, store, now)
    if plan.mode == "remote-write":
        yield from () if sent_on else _receiver(plan, store)
        yield from _head(plan, store, now)
        yield from _future(plan, store, now)
    yield from _values(plan, store)
    kept = _kept(plan, store, store.retention, now)[0] if store.retention else plan.grid.steps
    yield from limit_findings(plan, store.name, store.limits, kept, now)
    yield from unread_findings(plan, store.name, store.limits.odd, store.unread)


def blocks_to_come(grid: Grid, series: int, duration: int) -> list[Span]:
    """The blocks that a push makes, in order of time; they have no names yet."""
    return [
        Span("", grid.time(window.first_step), grid.time(window.end_step - 1) + 1, window.steps * series)
        for window in windows(grid, duration)
    ]


def _arrival(plan: PushPlan) -> Arrival:
    what = plan.scenario
    said = {"description": what.description != DEFAULT_DESCRIPTION, "unit": bool(what.unit)}
    lost = [setting(field) for field, is_given in said.items() if is_given]
    coming = blocks_to_come(plan.grid, plan.series, plan.block_duration)
    return Arrival(coming, plan.there, plan.directory, lost, setting("query_url"))


def steps_since(grid: Grid, time: int) -> int:
    """Steps at `time` (ms) or later."""
    return max(0, min(grid.steps, grid.steps - -((grid.start - time) // grid.step)))


def _retention(plan: PushPlan, store: StoreFacts, now: int) -> Iterator[Finding]:
    set_by = store.retention_set_by or ("--storage.tsdb.retention.time" if store.is_prometheus else "-retentionPeriod")
    if store.retention_size:
        by_size = set_by.replace(".time", ".percentage" if store.retention_size.endswith("%") else ".size")
        text = f"{store.name} deletes its oldest blocks when they take more than {store.retention_size}"
        yield Finding("retention-size", False, None, text, f"raise {by_size} to keep the history")
    if store.retention is None:
        if not (store.retention_size or store.limits.odd or store.unread):
            yield Finding("retention", False, None, f"the retention of {store.name} is unknown: it does not report it")
        return
    if plan.mode == "blocks" and store.is_prometheus:
        return  # by whole blocks: predict_in_directory
    kept, bound = _kept(plan, store, store.retention, now)
    lost = plan.grid.steps - kept
    if lost:
        verb = "delete" if store.is_prometheus else "drop"
        rule = "accepts nothing older than" if set_by == "-maxBackfillAge" else "keeps"
        way = "set" if "configuration file" in set_by else "restart it with"
        long = "to more than" if way == "set" else "longer than"
        yield Finding(
            "retention",
            True,
            lost * plan.series,
            f"{store.name} {rule} {format_duration(store.retention)} and will {verb} {bound}{_share(plan, lost)}, "
            f"those before {format_time(plan.grid.time(lost))}: {kept * plan.series:,} remain",
            f"{way} {set_by} {long} {_age(plan, now)}, or push less history",
        )


def _kept(plan: PushPlan, store: StoreFacts, retention: int, now: int) -> tuple[int, str]:
    """The number of steps that remain, and the words that say how exact that is."""
    grid = plan.grid
    if not store.is_prometheus:
        return steps_since(grid, now - retention), ""
    newest = max(grid.last, _newest(store, now) or 0)
    return steps_since(grid, newest - retention + 1), "up to "


def _newest(store: StoreFacts, now: int) -> int | None:
    """The newest sample that the head holds, or will hold very soon."""
    return max(now, store.newest or 0) if store.targets else store.newest


def _receiver(plan: PushPlan, store: StoreFacts) -> Iterator[Finding]:
    if store.receives is False:
        text = f"{store.name} does not accept remote write: its receiver is not enabled"
        fix = f"start it with --web.enable-remote-write-receiver, or use {_BLOCKS}"
        yield Finding("receiver", True, plan.samples, text, fix)
    if store.version_2 is None:
        yield Finding("protocol", False, None, f"it is unknown whether {store.name} supports remote write 2.0")
    else:
        speaks = "2.0 and 1.0" if store.version_2 else "1.0"
        yield Finding("protocol", False, None, f"{store.name} supports remote write {speaks}")


def _head(plan: PushPlan, store: StoreFacts, now: int) -> Iterator[Finding]:
    """A head refuses samples too far behind its newest one, and so the first request of the push."""
    newest = _newest(store, now)
    if newest is None:
        return
    oldest = newest - max(HEAD_SLACK_MS, store.out_of_order)
    refused = plan.grid.steps - steps_since(plan.grid, oldest)
    if refused:
        why = f"it scrapes {store.targets} target(s)" if store.targets else f"of {format_time(newest)}"
        yield Finding(
            "head",
            True,
            refused * plan.series,
            f"{store.name} holds newer samples ({why}) and refuses all before {format_time(oldest)} as out of bounds: "
            f"{_share(plan, refused)}, so the push would fail",
            ("" if plan.grid.last > now else f"use {_BLOCKS}, or ")  # blocks that end after now would do more harm
            + "set its out-of-order window (storage.tsdb.out_of_order_time_window) to more than "
            f"{_age(plan, newest)}",
        )


def _future(plan: PushPlan, store: StoreFacts, now: int) -> Iterator[Finding]:
    if store.is_prometheus and (0,) < store.release < _LIMITS_THE_FUTURE:
        if plan.grid.last > now + HEAD_SLACK_MS:
            text = (
                f"{store.name} {store.version} accepts samples up to {format_time(plan.grid.last)}, and until then "
                "refuses all that are over an hour older, also its own scrapes (2.54 and later accept none 10m ahead)"
            )
            yield Finding("future", True, None, text, "end no later than now")
        return
    if store.future is None or plan.grid.last <= now + store.future:
        return
    refused = steps_since(plan.grid, now + store.future + 1)
    ahead = format_duration(store.future)
    text = f"{store.name} refuses samples more than {ahead} ahead of its clock: {_share(plan, refused)}"
    yield Finding("future", True, refused * plan.series, text, f"end no later than now+{ahead}")


def _values(plan: PushPlan, store: StoreFacts) -> Iterator[Finding]:
    if store.rounds and not keeps_all_digits(plan.scenario.signal, plan.grid):
        text = f"{store.name} keeps about 12 digits of a value: nearly all values will be rounded in the last digits"
        yield Finding(
            "rounding",
            False,
            plan.samples,
            text,
            f"{setting('resolution', '2^-7')} makes values that it stores exactly",
        )
    if store.doubles:
        text = f"{store.name} stores a sample twice if it is sent twice: do not repeat a push"
        fix = "delete the series before a second push, or run the store with -dedup.minScrapeInterval=1ms"
        yield Finding("doubling", False, None, text, fix)


def _unasked(plan: PushPlan) -> Iterator[Finding]:
    if plan.mode == "remote-write":
        text = "could not query the store, so its limits were not checked; accepted samples may still not be stored"
        fix = f"set {setting('query_url')} to the store to check its limits and to verify the push"
        yield Finding("unknown", False, None, text, fix)
    elif plan.mode == "script":
        yield Finding("unknown", False, None, "the limits of the store were not checked: a script cannot be queried")


def _unasked_future(plan: PushPlan, now: int) -> Iterator[Finding]:
    """Remote-written samples after now, if it is unknown how far ahead the store accepts them."""
    if plan.mode == "remote-write" and plan.grid.last > now + HEAD_SLACK_MS:
        text = (
            f"the push ends after now, at {format_time(plan.grid.last)}: a Prometheus before 2.54 accepts that, then "
            "refuses all samples over an hour older, also its own scrapes; a later one refuses samples 10m ahead"
        )
        yield Finding("future", False, None, text, "end no later than now")


def _share(plan: PushPlan, steps: int) -> str:
    return f"{steps * plan.series:,} of {plan.samples:,} samples ({100 * steps / plan.grid.steps:.1f} %)"


def _age(plan: PushPlan, now: int) -> str:
    """The age of the oldest sample in whole days, rounded up with a minute to spare."""
    return f"{-(-(now - plan.grid.start + UNITS_MS['m']) // DAY_MS)}d"
