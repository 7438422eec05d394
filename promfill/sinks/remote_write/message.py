"""A request of remote write, ready to be sent: its body, and what is known of it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, replace

import snappy

from promfill.codecs.remote_write.rewrite import (
    by_time,
    count_samples,
    end_first,
    halves,
    sample_times,
    to_version_1,
    without,
)
from promfill.model.batch import LabelSet
from promfill.sinks.remote_write.states import State

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

    body: compressed. raw: its size before compression. samples: how many it holds. window, place: the planned request
    that this message is, or is a part of. series: the fleet's rows. oldest, newest: times (ms). state: what is known of
    earlier attempts. as_version_2: the message as it went in 2.0, if a good answer did not tell whether it was read.
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
    state: State = State.NEW
    as_version_2: Message | None = None

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers that name the version of the message."""
        return HEADERS_2 if self.is_version_2 else HEADERS_1

    def is_wider_than(self, slack: float) -> bool:
        """Whether its oldest sample may be refused because of its newest. slack: ms."""
        return self.newest - self.oldest > slack

    def within(self, slack: float) -> list[Message]:
        """Parts no wider than `slack` (ms), the oldest first."""
        starts: list[int] = []
        for time in self.times():
            if time - (starts[-1] if starts else self.oldest) > slack:
                starts.append(time)
        return self._cut_at(starts)

    def halves(self) -> list[Message]:
        """Two messages with half of the series each; the message itself if it has only one."""
        parts = halves(self._plain(), is_version_2=self.is_version_2)
        return [self._with(part) for part in parts] if len(parts) > 1 else [self]

    def halves_of_time(self) -> list[Message]:
        """Two messages, the older first; the message itself if all its samples have one time."""
        times = self.times()
        return self._cut_at(times[len(times) // 2 :][:1]) if len(times) > 1 else [self]

    def newer_than(self, time: int) -> Message | None:
        """The samples after this time (ms); None if there are none."""
        times = self.times()
        behind = bisect_right(times, time)
        return self._cut_at(times[behind:][:1])[-1] if behind < len(times) else None

    def newest_alone(self) -> Message:
        """The samples at its newest time."""
        return self._cut_at([self.newest])[-1] if self.oldest < self.newest else self

    def end_first(self) -> Message:
        """Its last two steps, followed by its first (`rewrite.end_first`), in 1.0."""
        old = self.to_version_1()
        return replace(old._with(end_first(old._plain())), state=State.NEW)

    def without(self, held: Mapping[LabelSet, set[int]]) -> Message:
        """The samples that are not among these."""
        old = self.to_version_1()
        return old._with(without(old._plain(), held))

    def to_version_1(self) -> Message:
        """The same samples for a receiver that does not read 2.0."""
        return replace(self, is_version_2=False)._with(to_version_1(self._plain())) if self.is_version_2 else self

    def times(self) -> list[int]:
        """The different times (ms) of its samples, ascending."""
        return sample_times(self._plain(), is_version_2=self.is_version_2)

    def _cut_at(self, starts: list[int]) -> list[Message]:
        """Parts that begin at its oldest time and at these later times (ms), ascending, which are among its own."""
        plain = by_time(self._plain(), starts, is_version_2=self.is_version_2)
        times = self.times()
        ends = [*(times[bisect_left(times, start) - 1] for start in starts), times[-1]]
        return [
            replace(self._with(part), oldest=first, newest=end)
            for part, first, end in zip(plain, [times[0], *starts], ends, strict=True)
        ]

    def _plain(self) -> bytes:
        plain: bytes = snappy.decompress(self.body)
        return plain

    def _with(self, plain: bytes) -> Message:
        samples = count_samples(plain, is_version_2=self.is_version_2)
        return replace(self, body=snappy.compress(plain), raw=len(plain), samples=samples)
