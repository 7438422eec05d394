"""What `promfill.sinks.upload.uploader` needs of a protocol of block upload: two calls."""

from __future__ import annotations

from enum import Enum
from typing import Protocol

from promfill.errors import ReceiverError, RefusedError
from promfill.sinks.upload.local import LocalBlock


class Outcome(Enum):
    """What became of a block."""

    COMPLETE = "complete"  # uploaded, and the server has said that it is complete
    THERE = "there"  # the server held it already
    SENT = "sent"  # all bytes are there; `finish` tells whether it is complete


class BlockRefusedError(ReceiverError):
    """The server does not accept this block. It may accept others, and this one later."""


class BlockRefusedForGoodError(BlockRefusedError, RefusedError):
    """The server will never accept this block."""


class ValidationFailedError(BlockRefusedError):
    """The server has found the block invalid, and will not accept it under this name again.

    reason: in its words. fresh: found in this run. by_accident: the words tell of the server's own trouble.
    """

    def __init__(self, reason: str, *, fresh: bool, by_accident: bool) -> None:
        super().__init__(f"Mimir's validation failed: {reason or 'no reason given'}")
        self.fresh, self.by_accident = fresh, by_accident


class UploadStoppedError(Exception):
    """The upload was ended from outside."""


class UploadProtocol(Protocol):
    """A server that accepts blocks. `put` is called by several threads at once, `finish` once, after all of them."""

    def put(self, block: LocalBlock) -> Outcome:
        """Hand the block over; return when the server has it, or (SENT) when it has all of its bytes.

        BlockRefusedError: the server does not accept this block; ValidationFailedError: not under this name.
        ReceiverError: it accepts none.
        """
        ...

    def finish(self) -> None:
        """Return when every block that was only SENT is complete. Errors as for `put`."""
        ...

    def close(self) -> None:
        """Close all connections; no call is under way."""
        ...
