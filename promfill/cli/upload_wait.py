"""``promfill upload --wait``: until every sample of the uploaded blocks can be queried."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from promfill.cli.console import Console
from promfill.cli.options.destination import open_client, seconds
from promfill.cli.uploads import query_url_beside_upload
from promfill.scenario.times import UNITS_MS

if TYPE_CHECKING:
    from promfill.net.destination import Destination
    from promfill.sinks.upload.local import LocalBlock

STORE_AFTER = 12 * UNITS_MS["h"]
"""ms; -querier.query-store-after of Mimir: younger samples are asked of its ingesters alone, which have no blocks."""

_LATE = (
    "a Mimir looks into uploaded blocks only for samples that are older than 12 h, unless its "
    "-querier.query-store-after says otherwise: the newest ones come into sight one after the other"
)


class Waiting:
    """The question for a full count. What is to be counted is read at once, since the upload removes blocks."""

    def __init__(
        self, blocks: Sequence[LocalBlock], destination: Destination, values: Mapping[str, Any], console: Console
    ) -> None:
        from promfill.net.retry import Retry
        from promfill.sinks.upload.wait import count_found, expectations
        from promfill.stores.api import Api

        self._console, self._destination = console, destination
        self._expected = [one for block in blocks for one in expectations(block.path)]
        self._retry = Retry(seconds(values, "retry_for"))
        where = replace(destination, url=query_url_beside_upload(destination, values))
        self._api = Api(open_client(where, values))
        count_found(self._api, self._expected[0], Retry(0))  # a wrong address is found before anything is sent

    def wait(self) -> None:
        """Ask until every sample is counted. ReceiverError where it cannot be asked for any more."""
        from promfill.sinks.upload.wait import wait_until_queryable

        def told(found: int, total: int) -> None:
            self._console.note(f"{found:,} of {total:,} samples can be queried")

        if max(one.end for one in self._expected) > time.time() * 1000 - STORE_AFTER:
            self._console.note(_LATE)
        try:
            wait_until_queryable(self._api, self._expected, told, retry=self._retry)
        except BaseException:
            self._console.note(f"every block is complete at {self._destination}; it is the question that failed")
            raise
        finally:
            self._api.client.close()
