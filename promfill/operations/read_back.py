"""Reads back the samples of a push and compares them one by one; it waits for samples that a store shows late."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from promfill.errors import DiffersError, InputError, setting
from promfill.operations.destinations import open_api, query_destination
from promfill.operations.notices import SILENT
from promfill.operations.settings import BlocksTarget, RemoteWriteTarget, Server
from promfill.operations.waiting import FORWARDED_SECONDS, LOADED_SECONDS, Patience, read_until_there

if TYPE_CHECKING:
    from promfill.operations.notices import Notices
    from promfill.operations.places import Places
    from promfill.operations.verify import VerifyReport
    from promfill.protocols import Store
    from promfill.scenario.scenario import Scenario
    from promfill.sources.generated import Source
    from promfill.stores.api import Api


def read_back(
    scenario: Scenario, where: Path | Server | None, patience: Patience | None = None, notices: Notices = SILENT
) -> VerifyReport:
    """Compare the samples in a directory of blocks, or in the store behind a query API, with those of a push.

    Some stores show samples late, so this reads again until all samples appear or `patience` is over. InputError:
    neither a store nor a directory is given. ReceiverError, FormatError: the store or directory cannot be read.
    """
    from promfill.operations.reports import Asked
    from promfill.sources.generated import Source

    notices.found(Asked("", scenario))
    return _read(Source(scenario), lambda: _open(where, notices), patience or Patience(), notices)


def read_back_push(source: Source, places: Places, notices: Notices, *, forwarded: bool = False) -> VerifyReport:
    """Read back the samples of the push that just ended. Blocks are read from their files, unless a store is given.

    forwarded: the samples went to a forwarder.
    """
    patience = _patience(places)
    patience = replace(patience, least=FORWARDED_SECONDS) if forwarded else patience
    target = places.target
    blocks = isinstance(target, BlocksTarget)
    if isinstance(target, BlocksTarget) and not places.query:
        return _read(source, lambda: _open(target.directory, notices), patience, notices)

    def open_place() -> AbstractContextManager[Store]:
        opened = places.open_api()
        if opened is None or not (blocks or isinstance(target, RemoteWriteTarget)):
            raise _nowhere()
        return _store_at(opened)

    return _read(source, open_place, patience, notices)


def refuse_wrong(report: VerifyReport) -> None:
    """Raise DiffersError if the store does not hold exactly the samples of the push."""
    if not report.right:
        wrong = [f"{count:,} {name.replace('_', ' ')}" for name, count in report.wrong.items() if count]
        waited = f", after waiting {report.waited:.0f} s" if report.waited >= 1 else ""
        text = f"{report.store} does not hold {report.metric} as it was pushed: {', '.join(wrong)} samples"
        raise DiffersError(f"{text}{waited}")


def _patience(places: Places) -> Patience:
    """How long to wait for samples. A running Prometheus has to load new blocks first; other stores are faster."""
    match places.target:
        case BlocksTarget(upload=upload):
            return Patience(upload.retry_for if upload else LOADED_SECONDS, blocks=places.query is not None)
        case RemoteWriteTarget(retry_for=most):
            return Patience(most)
        case _:
            return Patience()


def _read(
    source: Source, open_place: Callable[[], AbstractContextManager[Store]], patience: Patience, notices: Notices
) -> VerifyReport:
    from promfill.operations.verify import verify

    def once() -> VerifyReport:
        with open_place() as store, notices.progress(source.samples) as progress:
            return verify(source, store, progress)

    return read_until_there(once, patience, notices)


@contextmanager
def _open(where: Path | Server | None, notices: Notices) -> Iterator[Store]:
    if where is None:
        raise _nowhere()
    if isinstance(where, Path):
        from promfill.stores.blocks import BlockStore

        yield BlockStore(where)
        return
    with _store_at(open_api(query_destination(where, notices), where)) as store:
        yield store


@contextmanager
def _store_at(opened: AbstractContextManager[Api]) -> Iterator[Store]:
    """Open the store at the query API."""
    from promfill.stores.find import open_store

    with opened as api:
        yield open_store(api)


def _nowhere() -> InputError:
    return InputError(
        "there is no store to read from",
        f"set {setting('query_url')} to the store, or use {setting('blocks', 'DIR')}",
        field="query_url",
    )
