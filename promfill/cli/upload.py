"""``promfill upload``: existing blocks to a Mimir."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.destination import CDO, CONCURRENCY, DESTINATION, RETRY, UPLOAD, upload_destination
from promfill.cli.options.shared import VERBOSITY, build_console, with_options
from promfill.cli.store import QUERY
from promfill.cli.text.summary import upload_lines
from promfill.cli.upload_wait import Waiting
from promfill.cli.uploads import open_uploader, upload_facts
from promfill.errors import FormatError, InputError

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.sinks.upload.local import LocalBlock
    from promfill.sinks.upload.uploader import Uploader

_WHAT = (
    click.argument("paths", metavar="DIR...", nargs=-1, required=True, type=click.Path(path_type=Path)),
    click.option("--dry-run", is_flag=True, help="Check the blocks by Mimir's rules, and stop."),
    click.option("--wait", "wait", is_flag=True, help="Wait until every sample can be queried."),
    click.option("--keep", is_flag=True, help="Keep blocks that promfill made."),
)


@click.command()
@with_options(_WHAT, UPLOAD, CDO, DESTINATION[1:], CONCURRENCY, RETRY, QUERY, VERBOSITY)
def command(**values: Any) -> None:
    """Upload existing blocks to a Mimir.

    DIR is a block, or a directory of blocks. Each is checked before the first byte is sent. Once Mimir has said that a
    block is complete, its copy here is removed if promfill made it (.promfill/made lists those), unless --keep is
    given. To go on after a failure, run the same command again: what is complete is not sent again.

    \b
    Example:
      promfill upload data --upload https://mimir.example.com --tenant team-a
    """
    console = build_console(values)
    blocks = find(values["paths"], console, decode=values["dry_run"])
    console.json(_frame(blocks))
    destination = upload_destination(values, console)
    if values["dry_run"]:
        _say_plan(blocks, destination, values, console)
        return
    if destination is None:
        raise InputError("--upload is missing", "give the base address of a Mimir, or set CDO_TOKEN and ENV")
    waiting = Waiting(blocks, destination, values, console) if values["wait"] else None
    console.json({"destination": str(destination)})
    started = time.monotonic()
    uploader = open_uploader(destination, values, _keep(values["keep"]))
    try:
        _run(uploader, blocks, destination, console)
    finally:
        console.json(upload_facts(uploader.report, destination))
    if waiting:
        waiting.wait()
    facts = upload_facts(uploader.report, destination)
    console.json({"seconds": round(time.monotonic() - started, 3), "queryable": bool(values["wait"])})
    if not values["as_json"]:
        lines = upload_lines(facts)
        console.result("\n".join([lines[0], "query  every sample can be queried"] if values["wait"] else lines))


def find(paths: Sequence[Path], console: Console, *, decode: bool) -> list[LocalBlock]:
    """The blocks of the directories, oldest first; InputError where one is damaged or breaks a rule of Mimir's.

    A block that Mimir finds damaged stays failed there under its ULID, so what can be known is found out here.
    """
    from promfill.sinks.upload.local import find_blocks, read_local_block

    blocks = sorted(map(read_local_block, find_blocks(paths)), key=lambda block: block.meta.min_time)
    _refuse_twins(blocks)
    broken = [(block, breach) for block in blocks for breach in block.breaches()]
    if broken:
        block, breach = broken[0]
        more = f"; and {len(broken) - 1} faults more" if broken[1:] else ""
        raise InputError(f"Mimir would refuse {block.path}: {breach}{more}. Nothing was sent")
    for block in blocks:
        _check_whole(block, decode)
        if block.has_tombstones:
            console.warn(f"{block.path} has tombstones, and Mimir takes none: what was deleted there comes back")
    return blocks


def _refuse_twins(blocks: Sequence[LocalBlock]) -> None:
    """InputError where two directories hold a block of one ULID: under it Mimir takes one alone."""
    found: dict[str, LocalBlock] = {}
    for block in blocks:
        twin = found.setdefault(block.meta.ulid, block)
        if twin is not block:
            raise InputError(f"{twin.path} and {block.path} are both block {block.meta.ulid}", "leave one out")


def _check_whole(block: LocalBlock, decode: bool) -> None:
    from promfill.blocks.check import check_block

    try:
        check_block(block.path, decode=decode)
    except FormatError as error:
        raise InputError(f"{block.path} is damaged: {error}. Nothing was sent") from None


def _run(uploader: Uploader, blocks: Sequence[LocalBlock], destination: Destination, console: Console) -> None:
    """Upload them; what is up and how to go on is said when it ends early."""
    try:
        uploader.offer(block.path for block in blocks)
        uploader.finish()
    except BaseException:
        uploader.abort()
        console.note(
            f"{len(uploader.report.complete)} of {len(blocks)} blocks are complete at {destination}, the others are "
            "here as they were; to go on, run the same command again"
        )
        raise


def _keep(asked: bool) -> Any:
    """Whose copy stays: everything's where --keep says so, else what promfill did not make."""
    from promfill.files import generated_list

    ours = frozenset() if asked else generated_list.recorded()
    return lambda block: block.path.resolve() not in ours


def _say_plan(
    blocks: Sequence[LocalBlock], destination: Destination | None, values: Mapping[str, Any], console: Console
) -> None:
    console.json({"destination": str(destination) if destination else None, "dry_run": True})
    if values["as_json"]:
        return
    facts = _frame(blocks)
    console.result(
        f"{facts['blocks']:,} blocks, {facts['samples']:,} samples, {facts['bytes']:,} bytes: "
        "whole, and within Mimir's rules\n"
        "dry run: nothing was sent"
    )


def _frame(blocks: Sequence[LocalBlock]) -> dict[str, int]:
    """What is to go up."""
    return {
        "blocks": len(blocks),
        "samples": sum(block.meta.stats.samples for block in blocks),
        "bytes": sum(block.size for block in blocks),
    }
