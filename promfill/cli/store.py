"""Options and steps of what reads a store: `check`, `verify`, and a push that looks before and after."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import build_destination, goes_by_cdo, open_client, push_destination
from promfill.errors import InputError, LossError, ReceiverError, RepeatError
from promfill.scenario.times import DAY_MS, parse_duration

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.protocols import Store
    from promfill.rules.directory import Span
    from promfill.rules.finding import Finding
    from promfill.rules.forwarders import Forwarder
    from promfill.rules.push_plan import PushPlan
    from promfill.rules.store_facts import StoreFacts
    from promfill.scenario.scenario import Scenario
    from promfill.stores.api import Api

QUERY = (
    click.option(
        "--query-url",
        metavar="URL",
        help="Base address of the store's query API, what stands before /api/v1.  [default: beside the push URL]",
    ),
)
"""Where a store is asked."""

LOOK = (
    *QUERY,
    click.option("--accept-loss", is_flag=True, help="Push although samples will be deleted or refused."),
    click.option(
        "--again",
        is_flag=True,
        help="Push although a VictoriaMetrics holds samples of these series in this range, and would keep both.",
    ),
)
"""What a first look needs."""


def first_look(
    scenario: Scenario,
    series: int,
    directory: Path,
    values: Mapping[str, Any],
    console: Console,
    *,
    own: Callable[[], Collection[str]],
    ask: bool = True,
) -> Look:
    """Ask the store, if its address is known, and foresee what it will do with the push of these options.

    directory: where blocks go. own: the names of the blocks that the push makes, where they are wanted. ask: whether a
    server may be asked. ReceiverError: an address given by --query-url does not answer.
    """
    from promfill.rules.predict import foresee
    from promfill.rules.push_plan import PushPlan

    mode, text = values["mode"], values["block_duration"]
    plan = PushPlan(
        scenario=scenario,
        series=series,
        mode=mode,
        block_duration=DAY_MS if text == "auto" else parse_duration(text, "--block-duration"),
    )
    if mode == "blocks":
        plan = replace(plan, directory=directory, there=_others(plan, directory, own))
    forwarder = find_receiver(values, console, must_exist=True) if ask else None
    store = _ask(values, console) if ask and (values["query_url"] or not forwarder) else None
    return Look(store, foresee(plan, store, int(time.time() * 1000), forwarder), forwarder)


def say_findings(findings: Iterable[Finding], console: Console) -> None:
    """Each in one line on stderr. What costs others what they have is said under -q, too."""
    from promfill.rules.directory import SEVERE

    for finding in findings:
        words = "; ".join(filter(None, (finding.text, finding.fix)))
        if finding.kind in SEVERE:
            console.say(f"promfill: warning: {words}")
        elif finding.kind in _WARNED and not finding.loses:
            console.warn(words)
        else:
            console.note(f"{'loss' if finding.loses else 'note'}: {words}")


_WARNED = frozenset({"conflicts", "displaced", "future", "interleaves", "live", "owner", "overlap", "recent", "repeat"})


class Look:
    """A store, None where nobody could be asked, and what it will do with a push; and who forwards the push to it.

    has_all: nothing is left to send.
    """

    def __init__(
        self,
        store: StoreFacts | None,
        findings: Sequence[Finding],
        forwarder: Forwarder | None = None,
        *,
        has_all: bool = False,
    ) -> None:
        self.store, self.findings, self.forwarder, self.has_all = store, findings, forwarder, has_all

    def without(self, kinds: Collection[str]) -> Look:
        """The same, but for findings of these kinds."""
        return Look(self.store, [one for one in self.findings if one.kind not in kinds], self.forwarder)

    def facts(self) -> dict[str, Any]:
        """For ``--json``."""
        from dataclasses import asdict

        return {
            "store": asdict(self.store) if self.store else None,
            "forwarder": asdict(self.forwarder) if self.forwarder else None,
            "findings": [asdict(finding) for finding in self.findings],
            "loses": self.loses,
        }

    @property
    def loses(self) -> bool:
        """Whether any sample will be lost."""
        return any(finding.loses for finding in self.findings)

    def lines(self) -> list[str]:
        """Each finding, and its fix on a line of its own."""
        lines = []
        for finding in self.findings:
            lines.append(f"{'loss' if finding.loses else 'note'}   {finding.text}")
            lines += [f"fix    {finding.fix}"] if finding.fix else []
        return lines

    def refuse_repeat(self, again: bool) -> None:
        """RepeatError where the store would keep the push beside what it holds, and --again was not given."""
        kept_beside = [finding for finding in self.findings if finding.spoils]
        if kept_beside and not again:
            fixes = "; ".join(dict.fromkeys(finding.fix for finding in kept_beside if finding.fix))
            told = "; ".join(finding.text for finding in kept_beside)
            raise RepeatError(told, f"{fixes}; or add --again to send all of it. Nothing was sent or written")

    def refuse_loss(self, accepted: bool) -> None:
        """LossError where samples will be lost and --accept-loss was not given. Nothing has been sent."""
        lost = [finding for finding in self.findings if finding.loses]
        if lost and not accepted:
            fixes = "; ".join(dict.fromkeys(finding.fix for finding in lost if finding.fix))
            accept = "or add --accept-loss. Nothing was sent or written"
            raise LossError("; ".join(finding.text for finding in lost), f"{fixes}; {accept}" if fixes else accept)


def query_address(values: Mapping[str, Any]) -> str | None:
    """The query API's address: the one given, or the one beside the push URL where that is known."""
    given: str | None = values["query_url"]
    push_url: str | None = values.get("remote_write_url")
    if given or not push_url or values.get("mode") == "blocks":
        return given
    from promfill.stores.find import query_url_beside

    return query_url_beside(push_url)


def open_api(values: Mapping[str, Any], console: Console) -> Api | None:
    """The query API, asked with the push's credentials; None where its address is not known."""
    destination = _api_destination(values, console)
    if destination is None:
        return None
    from promfill.stores.api import Api

    client = open_client(destination, values)
    click.get_current_context().call_on_close(client.close)
    return Api(client)


def can_be_read(values: Mapping[str, Any], console: Console) -> bool:
    """Whether the address of a query API is known; nobody is asked."""
    return _api_destination(values, console) is not None


def _api_destination(values: Mapping[str, Any], console: Console) -> Destination | None:
    address = query_address(values)
    if address is not None:
        return build_destination(address, values, console, "--query-url")
    if not goes_by_cdo(values):
        return None
    from promfill.stores.find import query_url_beside

    receiver = push_destination(values, console)
    beside = query_url_beside(receiver.url)
    return replace(receiver, url=beside) if beside else None


def open_a_store(values: Mapping[str, Any], blocks: Path | None, console: Console) -> Store:
    """The store to read: a directory of blocks, or whatever answers at the query API. InputError where neither is."""
    if blocks is not None:
        from promfill.stores.blocks import BlockStore

        return BlockStore(blocks)
    api = open_api(values, console)
    if api is None:
        raise InputError("nothing says where to read", "give the store's --query-url, or --blocks DIR")
    from promfill.stores.find import open_store

    return open_store(api)


def find_receiver(values: Mapping[str, Any], console: Console, *, must_exist: bool = False) -> Forwarder | None:
    """Who takes a push by remote write, where that only forwards; None where it is a store, or cannot be asked.

    must_exist: UnreachableError where there is nobody who could be sent anything, now or later.
    """
    if values.get("mode") != "remote-write" or not values["remote_write_url"]:
        return None
    from promfill.net.http import UnreachableError
    from promfill.stores.find import find_forwarder

    destination = push_destination(values, console)
    with open_client(destination, values) as client:
        try:
            return find_forwarder(client, destination.url)
        except UnreachableError as error:
            if must_exist:
                error.note = "Nothing was sent"
                raise
            return None
        except ReceiverError as error:
            console.detail(f"the receiver could not be asked who it is: {error.marked}")
            return None


def _ask(values: Mapping[str, Any], console: Console) -> StoreFacts | None:
    api = open_api(values, console)
    if api is None:
        return None
    from promfill.stores.ask import ask_store
    from promfill.stores.forwarders import ForwarderError

    try:
        return ask_store(api)
    except ReceiverError as error:
        if values["query_url"]:
            if isinstance(error, ForwarderError):
                problem, fix = error.args
                raise InputError(
                    f"--query-url is not the address of a store: {problem}", fix, field="query_url"
                ) from error
            raise
        console.detail(f"the store could not be asked: {error.marked}")
        return None


def _others(plan: PushPlan, directory: Path, own: Callable[[], Collection[str]]) -> list[Span]:
    """The blocks of a directory that are not this push's own; those are of its time, so names are asked for then."""
    from promfill.rules.directory import overlapping, spans_in
    from promfill.rules.predict import blocks_to_come

    there = spans_in(directory)
    coming = blocks_to_come(plan.grid, plan.series, plan.block_duration)
    names = own() if overlapping(there, coming) else ()
    return [span for span in there if span.name not in names]
