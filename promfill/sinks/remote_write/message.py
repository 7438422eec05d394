"""A request of remote write, ready to be sent: its body, and what is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import snappy

from promfill.codecs.remote_write_rewrite import between, count_samples, halves, sample_times, to_version_1, without
from promfill.model import LabelSet

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
    it is, or is a part of. series: the fleet's rows. oldest, newest: times (ms). doubt: it may have been sent before.
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

    @property
    def headers(self) -> Mapping[str, str]:
        """What a request of this version says of itself."""
        return HEADERS_2 if self.is_version_2 else HEADERS_1

    def in_doubt(self) -> Message:
        """The same, after an attempt that may have been written."""
        return replace(self, doubt=True)

    def parts(self, slack: float) -> list[Message]:
        """Two messages of half the size, to be sent one after the other; a message of one series alone stays whole.

        By series where the times lie within `slack` (ms); else by time, the older first: the one half would take the
        receiver's newest sample too far ahead of the other's oldest.
        """
        if self.newest - self.oldest > slack:
            middle = (self.oldest + self.newest) // 2
            parts = [self.between(self.oldest, middle), self.between(middle + 1, self.newest)]
            return [part for part in parts if part.samples]
        return [self._with(part) for part in halves(self._plain(), is_version_2=self.is_version_2)]

    def between(self, oldest: int, newest: int) -> Message:
        """The samples of these times (ms), both included."""
        plain = between(self._plain(), oldest, newest, is_version_2=self.is_version_2)
        return replace(self._with(plain), oldest=oldest, newest=newest)

    def end(self) -> Message:
        """The samples of its last two steps."""
        times = sample_times(self._plain(), is_version_2=self.is_version_2)
        return self.between(times[-2:][0], times[-1])

    def without(self, held: Mapping[LabelSet, set[int]]) -> Message:
        """Only the samples that are not among these."""
        old = self.to_version_1()
        return old._with(without(old._plain(), held))

    def to_version_1(self) -> Message:
        """The same samples for a receiver that does not take 2.0."""
        return replace(self, is_version_2=False)._with(to_version_1(self._plain())) if self.is_version_2 else self

    def _plain(self) -> bytes:
        plain: bytes = snappy.decompress(self.body)
        return plain

    def _with(self, plain: bytes) -> Message:
        samples = count_samples(plain, is_version_2=self.is_version_2)
        return replace(self, body=snappy.compress(plain), raw=len(plain), samples=samples)
