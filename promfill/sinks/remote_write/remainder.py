"""What is left of a planned request while it is delivered: the request itself, or the parts that it was cut into."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence

from promfill.sinks.remote_write.message import Message


class Remainder:
    """The parts, in the order in which they are sent.

    on_parts: told of the request before the first of its parts is sent, and of the time (ms) up to which all its series
    are done, None where there is no such time. A resumed run begins there.
    """

    def __init__(self, planned: Message, on_parts: Callable[[Message, int | None], None]) -> None:
        self.planned = planned
        self._parts = deque([planned])
        self._on_parts = on_parts
        self._told: int | None = None
        self._is_cut = False

    def __iter__(self) -> Iterator[Message]:
        """Each part in turn; parts that are put back come next."""
        while self._parts:
            yield self._parts.popleft()
            self._tell()

    @property
    def unanswered(self) -> int:
        """Samples that may be there, although they are still to be sent."""
        return sum(part.samples for part in self._parts if part.state.in_doubt)

    def put(self, parts: Sequence[Message]) -> None:
        """Send these next, in this order, in place of the message that they are parts of."""
        self.begin_parts()
        self._parts.extendleft(reversed(parts))

    def put_back(self, message: Message) -> None:
        """Send the same samples next, in another form."""
        self._parts.appendleft(message)

    def begin_parts(self) -> None:
        """From now on, some of the request may be there without the rest."""
        if not self._is_cut:
            self._is_cut = True
            self._on_parts(self.planned, None)

    def take_all_but_last(self) -> int:
        """Leave out what comes before the last part: return its samples."""
        last = len(self._parts) - 1
        return sum(self._parts.popleft().samples for _ in range(last))

    def _tell(self) -> None:
        """Up to when everything is done: everything older than all that is left."""
        if self._is_cut and self._parts:
            until = min(part.oldest for part in self._parts) - 1
            if until >= (self.planned.oldest if self._told is None else self._told + 1):
                self._told = until
                self._on_parts(self.planned, until)
