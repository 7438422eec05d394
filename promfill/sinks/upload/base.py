"""What a protocol of block upload is to `promfill.sinks.upload.uploader`: two calls."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from promfill.errors import ReceiverError, RefusedError
from promfill.sinks.upload.local import LocalBlock


class Outcome(Enum):
    """What became of a block."""

    COMPLETE = "complete"  # uploaded, and the server has said that it is whole
    THERE = "there"  # the server held it already
    SENT = "sent"  # all bytes are there; `finish` tells whether it is whole


class BlockRefusedError(ReceiverError):
    """The server does not take this block. Others may be welcome, and this one later."""


class BlockRefusedForGoodError(BlockRefusedError, RefusedError):
    """The server will never take this block."""


class ValidationFailedError(BlockRefusedError):
    """The server has found the block wanting, and will not take it under this name again.

    reason: in its words. fresh: it was found in this run. by_accident: the words are of the server's own trouble.
    """

    def __init__(self, reason: str, *, fresh: bool, by_accident: bool) -> None:
        super().__init__(f"Mimir's validation failed: {reason or 'it gives no reason'}")
        self.fresh, self.by_accident = fresh, by_accident


class UploadStoppedError(Exception):
    """The upload was ended from outside."""


class UploadProtocol(Protocol):
    """A server that takes blocks. `put` is called by several threads at once, `finish` once, after the last of them."""

    def put(self, block: LocalBlock) -> Outcome:
        """Give the block over; returns when the server has it, or (SENT) when it has all of its bytes.

        BlockRefusedError: it will not have this one; ValidationFailedError: under this name. ReceiverError: it will
        have none.
        """
        ...

    def finish(self) -> None:
        """Return when every block that was only SENT is complete. Errors as `put`."""
        ...

    def close(self) -> None:
        """Let go of all connections; no call is under way."""
        ...
