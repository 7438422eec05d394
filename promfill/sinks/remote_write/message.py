"""A request of remote write, ready to be sent: its body, and what is known of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import snappy

from promfill.codecs.remote_write.rewrite import (
    between,
    count_samples,
    end_first,
    halves,
    sample_times,
    to_version_1,
    without,
)
from promfill.model.batch import LabelSet

HEADERS_1 = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}
HEADERS_2 = {
    "Content-Type": "application/x-protobuf;proto=io.prometheus.write.v2.Request",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "2.0.0",
}


@dataclass(frozen=True, slots=True, eq=False)
class Message:
    """A body to send.

    body: compressed. raw: its size before that. samples: how many it holds. window, place: the request of the plan that
    it is, or is a part of; of_some: of some of its series. series: the fleet's rows. oldest, newest: times (ms). doubt:
    it may have been sent before; in_parts: in parts, and not all of them; done: those up to this time (ms) were; whole:
    or as this, of which it is a part. as_version_2: it was sent as this, and had a good answer that does not tell
    whether it was read.
    """

    body: bytes
    raw: int
    samples: int
    window: int
    place: int
    series: range
    oldest: int
    newest: int
    is_version_2: bool = False
    doubt: bool = False
    in_parts: bool = False
    done: int | None = None
    of_some: bool = False
    whole: Message | None = None
    as_version_2: Message | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request of this version says of itself."""
        return HEADERS_2 if self.is_version_2 else HEADERS_1

    def parts(self, slack: float) -> list[Message]:
        """Two messages of half the size, to be sent one after the other; a message of one series alone stays whole.

        By series where the times lie within `slack` (ms); else by time, the older first: the one half would take the
        receiver's newest sample too far ahead of the other's oldest.
        """
        if self.newest - self.oldest > slack:
            return self.halves_of_time()
        parts = halves(self._plain(), is_version_2=self.is_version_2)
        return [replace(self._with(part), of_some=True) for part in parts] if len(parts) > 1 else [self]

    def smaller(self, slack: float) -> list[Message]:
        """As `parts`; where any order will do, one series alone by time."""
        parts = self.parts(slack)
        return self.halves_of_time() if len(parts) == 1 and slack == math.inf else parts

    def between(self, oldest: int, newest: int) -> Message:
        """The samples of these times (ms), both included."""
        plain = between(self._plain(), oldest, newest, is_version_2=self.is_version_2)
        return replace(self._with(plain), oldest=oldest, newest=newest)

    def end_first(self) -> Message:
        """Its last two steps, and behind them its first: `rewrite.end_first`. In 1.0, and in doubt."""
        old = self.to_version_1()
        return replace(old._with(end_first(old._plain())), doubt=True)

    def last_pause(self) -> int:
        """The time between its last two steps (ms); 0 where it has but one."""
        times = self.times()
        return times[-1] - times[-2:][0]

    def without(self, held: Mapping[LabelSet, set[int]]) -> Message:
        """Only the samples that are not among these."""
        old = self.to_version_1()
        return old._with(without(old._plain(), held))

    def to_version_1(self) -> Message:
        """The same samples for a receiver that does not take 2.0."""
        return replace(self, is_version_2=False)._with(to_version_1(self._plain())) if self.is_version_2 else self

    def halves_of_time(self) -> list[Message]:
        """Two messages, the older first; itself alone where all its samples are of one time."""
        times = self.times()
        middle = len(times) // 2
        return [self.between(half[0], half[-1]) for half in (times[:middle], times[middle:]) if half]

    def times(self) -> list[int]:
        """The different times (ms) of its samples, rising."""
        return sample_times(self._plain(), is_version_2=self.is_version_2)

    def _plain(self) -> bytes:
        plain: bytes = snappy.decompress(self.body)
        return plain

    def _with(self, plain: bytes) -> Message:
        samples = count_samples(plain, is_version_2=self.is_version_2)
        return replace(self, body=snappy.compress(plain), raw=len(plain), samples=samples)
