"""Finds the servers of a push: the receiver, and the query API for reading. Each is looked up once."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from promfill.operations.destinations import open_api, push_destination, query_destination, upload_destination
from promfill.operations.settings import BlocksTarget, RemoteWriteTarget, ScriptTarget, Server, Target

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.operations.notices import Notices
    from promfill.stores.api import Api


class Places:
    """The servers of a target. query: the query API; None means the one that belongs to the target, if known.

    ask: whether CDO may be queried; if not, CDO's own address replaces the stack's.
    """

    def __init__(self, target: Target, query: Server | None, notices: Notices, *, ask: bool = True) -> None:
        self.target, self.query = target, query
        self._notices, self._ask = notices, ask

    @property
    def server(self) -> Server | None:
        """The server that receives samples or blocks; None if all files stay on this machine."""
        match self.target:
            case RemoteWriteTarget() | ScriptTarget():
                return self.target.server
            case BlocksTarget(upload=upload) if upload:
                return upload.server
            case _:
                return None

    @cached_property
    def receiver(self) -> Destination:
        """The destination of samples or blocks. InputError: the address is missing or not valid."""
        assert self.server is not None
        find = upload_destination if isinstance(self.target, BlocksTarget) else push_destination
        return find(self.server, self._notices, ask=self._ask)

    @cached_property
    def asked(self) -> tuple[Destination, Server] | None:
        """The query API: the given one, or the one that belongs to the receiver; None if it is unknown."""
        if self.query is not None:
            return query_destination(self.query, self._notices), self.query
        if not isinstance(self.target, RemoteWriteTarget | ScriptTarget):
            return None
        server = self.target.server
        if not server.url and (isinstance(self.target, ScriptTarget) or not server.by_cdo):
            return None
        from promfill.stores.find import query_url_beside

        if server.by_cdo:
            beside = query_url_beside(self.receiver.url)
            return (replace(self.receiver, url=beside), server) if beside else None
        beside = query_url_beside(server.url or "")
        if beside is None:
            return None
        own = replace(server, url=beside, setting="query_url")
        return query_destination(own, self._notices), own

    def open_api(self) -> AbstractContextManager[Api] | None:
        """Open the query API with its credentials; None if its address is unknown."""
        return open_api(*self.asked) if self.asked else None

    def open_receiver(self) -> AbstractContextManager[Api]:
        """Open the receiver itself for queries."""
        assert self.server is not None
        return open_api(self.receiver, self.server)
