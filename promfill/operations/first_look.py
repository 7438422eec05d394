"""The check before a push: queries the store, or reads the blocks in the directory, before anything is sent.

`promfill.rules.predict` predicts what the store will do with the push; `promfill.operations.reruns` finds out which
samples of the push the store already holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.errors import FormatError, InputError, ReceiverError, setting
from promfill.operations.look import Look
from promfill.operations.places import Places
from promfill.operations.runs import finished_before
from promfill.operations.settings import BlocksTarget, How, RemoteWriteTarget, Target
from promfill.scenario.times import DAY_MS

if TYPE_CHECKING:
    from promfill.operations.notices import Notices
    from promfill.operations.reruns import Held
    from promfill.rules.directory import Span
    from promfill.rules.forwarders import Forwarder
    from promfill.rules.push_plan import PushPlan
    from promfill.rules.store_facts import StoreFacts
    from promfill.scenario.scenario import Scenario
    from promfill.sources.generated import Source

UNKNOWN_OF_A_MIMIR = ("retention", "displaced")
"""Kinds of findings that follow a Prometheus's rules, which may not apply to the Mimir that receives the blocks."""

_REFUSED = ("head", "future")
"""Kinds of findings about samples that the store would reject; they do not matter if nothing is left to send."""


def first_look(
    scenario: Scenario,
    series: int,
    places: Places,
    notices: Notices,
    *,
    own: Callable[[], Collection[str]],
    ask: bool = True,
) -> Look:
    """Query the store, if its address is known, and predict what it will do with the push.

    own: returns the names of the blocks that the push makes; called only if needed. ask: whether a server may be
    queried. ReceiverError: the given query API does not answer.
    """
    from promfill.rules.predict import predict
    from promfill.rules.push_plan import PushPlan

    target = places.target
    duration = target.duration if isinstance(target, BlocksTarget) else DAY_MS
    plan = PushPlan(scenario=scenario, series=series, mode=target.mode, block_duration=duration)
    if isinstance(target, BlocksTarget):
        plan = replace(plan, directory=target.directory, there=_others(plan, target.directory, own))
    forwarder = find_receiver(places, notices, must_exist=True) if ask else None
    store = _ask(places, notices) if ask and (places.query or not forwarder) else None
    return Look(store, tuple(predict(plan, store, int(time.time() * 1000), forwarder)), forwarder)


def find_receiver(places: Places, notices: Notices, *, must_exist: bool = False) -> Forwarder | None:
    """The forwarder that receives a remote-write push; None if the receiver is a store, or could not be queried.

    must_exist: raise UnreachableError if the receiver can never be reached, and NoTenantError if it needs a tenant.
    """
    target = places.target
    if not isinstance(target, RemoteWriteTarget) or not target.server.url:
        return None
    from promfill.net.http import NoTenantError, UnreachableError
    from promfill.stores.find import find_forwarder

    with places.open_receiver() as api:
        try:
            return find_forwarder(api.client, places.receiver.url)
        except (UnreachableError, NoTenantError) as error:
            if must_exist:
                error.note = "Nothing was sent"
                raise
            return None
        except ReceiverError as error:
            notices.detail(f"could not find out what the receiver is: {error.marked}")
            return None


def look_for_earlier(
    look: Look, scenario: Scenario, open_source: Callable[[], Source], places: Places, how: How, notices: Notices
) -> Look:
    """Add findings about samples of the push that already exist. open_source: called only if samples are compared.

    A store that cannot be read does not stop the push: its answers, and verify, will show problems later.
    """
    target = places.target
    sends = isinstance(target, RemoteWriteTarget)
    goes_up = isinstance(target, BlocksTarget) and target.upload is not None
    earlier = finished_before(how.run, scenario, target) if sends or goes_up else None
    in_directory = isinstance(target, BlocksTarget) and not goes_up and target.directory.is_dir()
    asks = look.store is not None and (sends or how.query is not None)
    if not (earlier or in_directory or asks):
        return look
    from promfill.operations.reruns import findings

    source = open_source()
    held = _in_directory(source, target, notices) if in_directory and isinstance(target, BlocksTarget) else None
    if held is None and asks:
        held = _in_store(source, places, notices)
    has_all = bool(sends and held and held.everything and look.store and not (look.store.doubles or how.again))
    found = [finding for finding in look.findings if not (has_all and finding.kind in _REFUSED)]
    found += findings(
        held, earlier, source, look.store if sends else None
    )  # every store merges overlapping blocks, so its rule for duplicates does not matter
    return replace(look, findings=tuple(found), has_all=has_all)


def _ask(places: Places, notices: Notices) -> StoreFacts | None:
    opened = places.open_api()
    if opened is None:
        return None
    from promfill.stores.ask import ask_store
    from promfill.stores.forwarders import ForwarderError

    with opened as api:
        try:
            return ask_store(api)
        except ReceiverError as error:
            if places.query:
                if isinstance(error, ForwarderError):
                    problem, fix = error.args
                    told = f"{setting('query_url')} is not the address of a store: {problem}"
                    raise InputError(told, fix, field="query_url") from error
                raise
            notices.detail(f"could not query the store: {error.marked}")
            return None


def _in_store(source: Source, places: Places, notices: Notices) -> Held | None:
    """Compare with the store. Push itself reports existing blocks, so for blocks only differences are kept here."""
    from promfill.operations.reruns import look_in_store
    from promfill.stores.find import open_store

    opened = places.open_api()
    assert opened is not None
    try:
        with opened as api:
            held = look_in_store(source, open_store(api))
    except (ReceiverError, FormatError, InputError) as error:
        notices.detail(f"could not check whether the store already holds these series: {error.marked}")
        return None
    return held if isinstance(places.target, RemoteWriteTarget) else replace(held, same=0)


def _in_directory(source: Source, target: BlocksTarget, notices: Notices) -> Held | None:
    """Compare with the blocks of other pushes in the directory; None if there are no such blocks."""
    from promfill.blocks.directory import read_metas
    from promfill.operations.reruns import look_in_blocks

    directory = target.directory
    ours, grid = set(block_names(source, target)), source.grid
    names = [
        name
        for name, meta in read_metas(directory).items()
        if name not in ours and meta.min_time <= grid.last and grid.start < meta.max_time
    ]
    try:
        return look_in_blocks(source, directory, names) if names else None
    except (FormatError, InputError) as error:
        notices.detail(f"could not check whether {directory} already holds these series: {error.marked}")
        return None


def block_names(source: Source, target: Target) -> list[str]:
    """The names of the blocks that a push makes; empty if its mode makes no blocks."""
    if not isinstance(target, BlocksTarget):
        return []
    from promfill.sinks.blocks import BlockSink

    identity = source.identity()
    return BlockSink(source.fleet, source.grid, identity, target.directory, duration=target.duration).names


def _others(plan: PushPlan, directory: Path, own: Callable[[], Collection[str]]) -> list[Span]:
    """The blocks in a directory that this push did not make. `own` is called only if a block overlaps the push."""
    from promfill.rules.directory import overlapping, spans_in
    from promfill.rules.predict import blocks_to_come

    there = spans_in(directory)
    coming = blocks_to_come(plan.grid, plan.series, plan.block_duration)
    names = own() if overlapping(there, coming) else ()
    return [span for span in there if span.name not in names]
