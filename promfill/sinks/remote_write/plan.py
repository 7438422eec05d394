"""Which samples go into which request: integers only.

Remote write goes time-major, window by window, all series of a window before the next, since a Prometheus head
refuses what is more than an hour older than the newest sample that it held when the request began. One rule keeps
the order, whatever the number of connections: **a request may begin when its newest sample is at most SLACK newer
than the oldest sample that is not yet acknowledged.** It has two consequences for the plan:

- a window of one request waits for nothing but the requests before it, and may be as wide as a request can hold
  (docs/decisions/0012: a push of few series takes a half to a third of the time); but not where refused samples are
  searched one by one, which is done within SLACK;
- a window of several requests must not be wider than SLACK, or its own requests would wait for each other for ever.

So a small fleet goes in one request a window; a larger one in windows of a few steps, cut into slices of series.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from dataclasses import dataclass

from promfill.codecs.remote_write.version_1 import HEADER_MAX
from promfill.codecs.remote_write.wire_samples import LONGEST_SAMPLE
from promfill.errors import InputError
from promfill.model.grid import Grid, Tile
from promfill.scenario.times import UNITS_MS

SLACK = UNITS_MS["h"]
SHARED_WINDOW = 12
"""Steps of a window of several requests, where SLACK holds as many: enough that labels cost little."""

DEFAULT_SAMPLES = 20_000
DEFAULT_BYTES = 3 << 20
MAX_BYTES = 32 << 20
"""The most that receivers decode (Prometheus 3.5.3 and later)."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of one request: samples, and bytes before compression."""

    samples: int = DEFAULT_SAMPLES
    bytes: int = DEFAULT_BYTES

    def __post_init__(self) -> None:
        if self.samples < 1:
            raise InputError.about("max_samples_per_send", f"{self.samples} must be at least 1")
        if self.bytes < 1:
            raise InputError.about("max_bytes_per_send", f"{self.bytes} must be at least 1")
        if self.bytes > MAX_BYTES:
            words = f"{self.bytes} is over {MAX_BYTES} (32 MiB)"
            raise InputError.about("max_bytes_per_send", words, "receivers refuse such bodies")


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """The plane cut into requests: windows of `steps` steps, each in slices of adjacent series."""

    grid: Grid
    steps: int
    slices: tuple[tuple[int, int], ...]  # (first, count) of series

    @classmethod
    def of_parts(cls, grid: Grid, series: int, steps: int, parts: int) -> RequestPlan:
        """The plan with this many slices in a window, as a checkpoint tells it."""
        return cls(grid, steps, _slices(series, parts))

    @property
    def windows(self) -> int:
        """How many windows the range has; the last may be shorter."""
        return -(-self.grid.steps // self.steps)

    @property
    def requests(self) -> int:
        """How many requests there are, numbered window by window."""
        return self.windows * len(self.slices)

    def number(self, window: int, place: int) -> int:
        """The request of a window and a slice."""
        return window * len(self.slices) + place

    def find(self, time: int, first_series: int) -> tuple[int, int]:
        """The window and slice of the request whose first sample is of this time (ms) and series."""
        window = (time - self.grid.start) // self.grid.step // self.steps
        return window, bisect_left(self.slices, (first_series, 0))

    def tile(self, request: int) -> Tile:
        """The samples of one request."""
        window, place = divmod(request, len(self.slices))
        first_step = window * self.steps
        first_series, series = self.slices[place]
        return Tile(first_step, min(self.steps, self.grid.steps - first_step), first_series, series)

    def steps_before(self, window: int, done: int | None) -> int:
        """How many steps come before this window, or before its first step after `done` (ms)."""
        first = window * self.steps
        behind = 0 if done is None else (done - self.grid.start) // self.grid.step + 1
        return min(max(first, behind), self.grid.steps)

    def last_time(self, windows: int) -> int:
        """The time (ms) of the newest sample of the first `windows` windows."""
        return self.grid.time(min(windows * self.steps, self.grid.steps) - 1)


def request_plan(
    grid: Grid,
    series: int,
    labels: int,
    limits: Limits,
    metadata: int = 0,
    *,
    lanes: int = 1,
    slack: float = SLACK,
    may_be_wide: bool = True,
) -> RequestPlan:
    """The plan of a push of `series` series, none with labels of more than `labels` bytes.

    metadata: bytes that one request needs beside its series. lanes: the least number of requests in a window, as
    far as there are series. slack: how far requests under way may lie apart (ms). may_be_wide: a window of one request
    may be wider than that. InputError if not even one sample fits a request.
    """
    overhead = labels + HEADER_MAX
    room = limits.bytes - metadata
    lanes = min(lanes, series)
    share = -(-series // lanes)
    shared = min(SHARED_WINDOW, max(1, SLACK // grid.step), grid.steps)
    alone = min(limits.samples // share, (room // share - overhead) // LONGEST_SAMPLE)
    if alone >= shared:
        return RequestPlan(grid, min(alone, _widest(grid, lanes, slack, may_be_wide)), _slices(series, lanes))
    steps = min(shared, limits.samples, (room - overhead) // LONGEST_SAMPLE)
    if steps < 1:
        needed = overhead + LONGEST_SAMPLE + metadata
        words = f"{limits.bytes} is too small for one sample"
        raise InputError.about("max_bytes_per_send", words, f"one sample with its labels needs up to {needed} bytes")
    most = min(limits.samples // steps, room // (overhead + steps * LONGEST_SAMPLE))
    return RequestPlan(grid, steps, _slices(series, max(lanes, -(-series // most))))


def _widest(grid: Grid, parts: int, slack: float, may_be_wide: bool) -> int:
    """Steps of a window of this many requests at most.

    Steps farther apart than the slack go alone: if a wider request were refused, nobody could tell whether its own
    newest samples are the reason.
    """
    if slack == math.inf or (may_be_wide and parts == 1 and grid.step <= slack):
        return grid.steps
    return min(grid.steps, int(slack) // grid.step + 1)


def _slices(series: int, parts: int) -> tuple[tuple[int, int], ...]:
    """(first, count) of near-equal parts."""
    borders = [series * part // parts for part in range(parts + 1)]
    return tuple((first, end - first) for first, end in itertools.pairwise(borders))
