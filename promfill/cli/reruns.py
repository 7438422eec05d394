"""The push that was before this one, as the commands see it: the store is asked, or the directory's blocks are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from promfill.cli.console import Console
from promfill.cli.options.destination import uploads
from promfill.cli.options.resume import finished_before
from promfill.cli.store import Look, open_a_store
from promfill.cli.targets import block_duration
from promfill.errors import FormatError, InputError, ReceiverError

if TYPE_CHECKING:
    from promfill.operations.reruns import Held
    from promfill.sources.generated import Source

CONFLICTS = ("interleaves", "conflicts", "repeat")
"""Findings that are warnings."""

_REFUSED = ("head", "future")
"""Findings that are of samples which are sent."""


def look_for_earlier(
    look: Look, open_source: Callable[[], Source], directory: Path, values: Mapping[str, Any], console: Console
) -> Look:
    """The look, with what is there already of the push; `open_source` is called where there is something to compare.

    What cannot be read hinders nothing: the store's own answers, and verify, stay.
    """
    sends = values["mode"] == "remote-write"
    goes_up = values["mode"] == "blocks" and uploads(values)
    earlier = finished_before(values) if sends or goes_up else None
    in_directory = values["mode"] == "blocks" and not goes_up and directory.is_dir()
    asks = look.store is not None and (sends or bool(values["query_url"]))
    if not (earlier or in_directory or asks):
        return look
    from promfill.operations.reruns import findings

    source = open_source()
    held = _in_directory(source, directory, values, console) if in_directory else None
    if held is None and asks:
        held = _in_store(source, values, console)
    has_all = bool(sends and held and held.everything and look.store and not (look.store.doubles or values["again"]))
    found = [finding for finding in look.findings if not (has_all and finding.kind in _REFUSED)]
    found += findings(held, earlier, source, look.store if sends else None)  # blocks are merged, whoever serves them
    return Look(look.store, found, look.forwarder, has_all=has_all)


def _in_store(source: Source, values: Mapping[str, Any], console: Console) -> Held | None:
    """Blocks that are there are named by push itself, so of them only what differs is told."""
    from promfill.operations.reruns import look_in_store

    try:
        held = look_in_store(source, open_a_store(values, None, console))
    except (ReceiverError, FormatError, InputError) as error:
        console.detail(f"could not look whether the store holds these series already: {error.marked}")
        return None
    return held if values["mode"] == "remote-write" else replace(held, same=0)


def _in_directory(source: Source, directory: Path, values: Mapping[str, Any], console: Console) -> Held | None:
    """What blocks of other pushes hold; None where there are none."""
    from promfill.blocks.directory import read_metas
    from promfill.operations.reruns import look_in_blocks
    from promfill.sinks.blocks import BlockSink

    sink = BlockSink(source.fleet, source.grid, source.identity(), directory, duration=block_duration(values))
    ours, grid = set(sink.names), source.grid
    names = [
        name
        for name, meta in read_metas(directory).items()
        if name not in ours and meta.min_time <= grid.last and grid.start < meta.max_time
    ]
    try:
        return look_in_blocks(source, directory, names) if names else None
    except (FormatError, InputError) as error:
        console.detail(f"could not look whether {directory} holds these series already: {error.marked}")
        return None
