"""Predicts what happens to a push to a forwarder, whose answers prove nothing about the store behind it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from promfill.errors import setting
from promfill.rules.finding import Finding
from promfill.rules.forwarders import ALLOY, COLLECTOR, UNKNOWN, VICTORIA, VMAGENT, Forwarder
from promfill.rules.predict_limits import limit_findings, unread_findings
from promfill.scenario.times import format_duration, format_time

if TYPE_CHECKING:
    from promfill.rules.push_plan import PushPlan
    from promfill.rules.store_facts import StoreFacts

_ASK = f"set {setting('query_url')} to the store behind it to check that store's limits and to verify the push"


_BLOCK_SAMPLES = 10_000
"""Default of vmagent's -remoteWrite.maxRowsPerBlock: samples of one block are sent in order."""


def forwarder_findings(plan: PushPlan, forwarder: Forwarder, store: StoreFacts | None, now: int) -> Iterator[Finding]:
    """What the forwarder itself does. store: the one behind it, if it could be queried."""
    if forwarder.only_new:
        yield from _only_new(plan, forwarder)
    else:
        yield _forwards(forwarder, f"{store.name} at {store.where}" if store else "")
    if forwarder.kind == VMAGENT and store:
        yield from _order(plan, store)
    yield from limit_findings(plan, forwarder.kind, forwarder.limits, plan.grid.steps, now)
    yield from unread_findings(plan, forwarder.kind, forwarder.limits.odd, "")


def _only_new(plan: PushPlan, forwarder: Forwarder) -> Iterator[Finding]:
    grid, since = plan.grid, forwarder.since
    lost = grid.steps if since is None else max(0, min(grid.steps, -((grid.start - since) // grid.step)))
    start = f" ({format_time(since)})" if since is not None else ""
    who = f"{forwarder.where} is {forwarder.name}, not a store: it forwards nothing older than its start{start}"
    if forwarder.kind == ALLOY:
        who = (
            f"{forwarder.where} is the address of a Grafana Alloy (by its path), not of a store: its "
            "prometheus.remote_write forwards nothing older than its start"
        )
    if not lost:
        yield Finding("forwarder", False, None, who, _ASK)
        return
    share = f"{lost * plan.series:,} of {plan.samples:,} samples ({100 * lost / grid.steps:.1f} %)"
    behind = f": {' and '.join(forwarder.sends_to)}" if forwarder.sends_to else ""
    text = f"{who}, so {share} will not arrive"
    yield Finding("forwarder", True, lost * plan.series, text, f"push to the store behind it{behind}")


def _order(plan: PushPlan, store: StoreFacts) -> Iterator[Finding]:
    """A vmagent sends several blocks at once. VictoriaMetrics (which rounds) accepts any order, other stores do not."""
    if store.rounds or store.out_of_order >= plan.grid.last - plan.grid.start or plan.samples <= _BLOCK_SAMPLES:
        return
    text = (
        f"vmagent sends samples out of order, {store.name} refuses those older than the newest of their series, and "
        "vmagent drops refused samples: a part of the push will not arrive"
    )
    fix = (
        f"push to {store.name} itself, or set its out-of-order window (storage.tsdb.out_of_order_time_window) "
        f"to more than {format_duration(plan.grid.last - plan.grid.start)}"
    )
    yield Finding("order", store.is_prometheus, None, text, fix)


def _forwards(forwarder: Forwarder, judged: str) -> Finding:
    who = f"{forwarder.where} is {forwarder.name}, not a store"
    if forwarder.kind == UNKNOWN:
        who = f"{forwarder.where} has no query API: it may only forward (a proxy, an agent or a collector)"
    elif forwarder.kind == VICTORIA:
        who = f"{forwarder.where} is a part of VictoriaMetrics without a query API (vmagent, vminsert), not a store"
    elif forwarder.kind == COLLECTOR:
        who += "; it accepts only remote write 2.0"
    text = f"{who}: accepted samples may still not be stored"
    if judged:
        return Finding("forwarder", False, None, f"{text}; the following is about {judged}, the store behind it")
    return Finding("forwarder", False, None, text, _ASK)
