"""Predicts what a store would do with a push. Nothing is sent."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from promfill.errors import InputError
from promfill.operations.block_upload import ask_for_upload, check_ranges
from promfill.operations.first_look import UNKNOWN_OF_A_MIMIR, block_names, first_look, look_for_earlier
from promfill.operations.notices import SILENT
from promfill.operations.places import Places
from promfill.operations.reports import CheckReport, Frame
from promfill.operations.settings import BlocksTarget, How, OpenMetricsTarget, RemoteWriteTarget, ScriptTarget, Target

if TYPE_CHECKING:
    from promfill.operations.notices import Notices
    from promfill.scenario.scenario import Scenario
    from promfill.sources.generated import Source


def check(scenario: Scenario, target: Target, how: How | None = None, notices: Notices = SILENT) -> CheckReport:
    """Query the store and read the directory; `CheckReport.look` can reject a push that loses or doubles samples."""
    from promfill.scenario.label_patterns import count_series

    how = how or How()
    places = Places(target, how.query, notices)
    _check_address(target, how)
    _check_files(target, scenario.grid.last)
    series = count_series(scenario.labels)
    frame = Frame(target.mode, scenario, series, series * scenario.grid.steps, _destination(target))
    notices.found(frame)

    @cache
    def open_source() -> Source:
        from promfill.sources.generated import Source

        return Source(scenario)

    def own() -> Sequence[str]:
        return block_names(open_source(), target)

    look = first_look(scenario, series, places, notices, own=own)
    if isinstance(target, BlocksTarget) and target.upload:
        from promfill.rules.predict import blocks_to_come

        coming = blocks_to_come(scenario.grid, 1, target.duration)
        check_ranges([(span.start, span.end) for span in coming], int(time.time() * 1000))
        upload = ask_for_upload(places.receiver, target.upload)
        look = look if look.store else look.without(UNKNOWN_OF_A_MIMIR)
        look = replace(look, findings=(upload, *look.findings))
    look = look_for_earlier(look, scenario, open_source, places, how, notices)
    notices.found(look)
    return CheckReport(frame, look)


def _check_address(target: Target, how: How) -> None:
    """Raise InputError if the address of a receiver is missing or not valid."""
    if isinstance(target, RemoteWriteTarget | ScriptTarget) and target.server.url:
        from promfill.net.resolve import split_url

        split_url(target.server.url, "remote_write_url")
    if isinstance(target, RemoteWriteTarget) and not (target.server.url or target.server.cdo or how.query):
        raise InputError.about("remote_write_url", "is missing", "set it to the address of the server")


def _check_files(target: Target, last: int) -> None:
    """Raise InputError if a push of samples up to `last` (ms) could not write its files, or has no script to run."""
    from promfill.files.directory import check_writable
    from promfill.operations.targets import script_of

    if not isinstance(target, RemoteWriteTarget):
        check_writable(target.directory)
    if isinstance(target, ScriptTarget):
        script_of(target, last)


def _destination(target: Target) -> str | None:
    """The destination to show; None for an address from CDO, which is looked up later."""
    match target:
        case BlocksTarget() | OpenMetricsTarget():
            return str(target.directory)
        case RemoteWriteTarget() | ScriptTarget():
            from promfill.net.destination import show_url

            return show_url(target.server.url) if target.server.url else None
