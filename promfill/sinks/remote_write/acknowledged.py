"""Which requests are done, in this run and in the one that it resumes.

A slice of series is sent in order of time, so of each the next window says it all. A checkpoint holds these as a line
"slice window" for every request that is done.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from promfill.checkpoint import Checkpoint
from promfill.errors import InputError
from promfill.sinks.remote_write.plan import RequestPlan


class Acknowledged:
    """The next window of every slice; written to `checkpoint`, if there is one, before it counts.

    resumed: the checkpoint is an earlier run's, which may have sent one request more of every slice.
    """

    def __init__(self, plan: RequestPlan, checkpoint: Checkpoint | None = None, *, resumed: bool = False) -> None:
        self._plan, self._checkpoint, self._resumed = plan, checkpoint, resumed
        self._lock = threading.Lock()
        self._next = [0] * len(plan.slices)
        self._first = list(self._next)
        if checkpoint is not None:
            self._next = read_next(checkpoint, len(plan.slices))
            self._first = list(self._next)
            checkpoint.plan = {"steps": plan.steps, "slices": len(plan.slices)}
            self._save(checkpoint)

    @property
    def windows(self) -> int:
        """How many windows are done with all their series."""
        return min(self._next)

    @property
    def samples_before(self) -> int:
        """Samples that an earlier run had sent."""
        plan = self._plan
        steps = (min(window * plan.steps, plan.grid.steps) for window in self._first)
        return sum(count * done for (_, count), done in zip(plan.slices, steps, strict=True))

    def todo(self) -> Iterator[int]:
        """The requests that are left, time-major."""
        for window in range(min(self._first), self._plan.windows):
            for place, first in enumerate(self._first):
                if window >= first:
                    yield self._plan.number(window, place)

    def is_doubtful(self, window: int, place: int) -> bool:
        """Whether an earlier run may have sent this request, and ended before it knew."""
        return self._resumed and window == self._first[place]

    def add(self, window: int, place: int) -> None:
        """The request is done. OutputError where the checkpoint cannot be written."""
        with self._lock:
            if self._checkpoint is not None:
                self._checkpoint.append(f"{place} {window}")
            self._next[place] = window + 1

    def close(self, *, finished: bool) -> None:
        """Sync the checkpoint to disk."""
        with self._lock:
            if self._checkpoint is not None and finished:
                self._checkpoint.finished = True
                self._save(self._checkpoint)
            elif self._checkpoint is not None:
                self._checkpoint.close()

    def _save(self, checkpoint: Checkpoint) -> None:
        checkpoint.done["next"] = list(self._next)
        checkpoint.save()


def read_next(checkpoint: Checkpoint, slices: int) -> list[int]:
    """The next window of each slice. InputError where the checkpoint does not fit its own plan."""
    following = list(checkpoint.done.get("next") or [0] * slices)
    try:
        if len(following) != slices:
            raise ValueError
        for line in checkpoint.lines:
            place, window = map(int, line.split())
            following[place] = window + 1
    except (ValueError, IndexError):
        raise InputError(f"the checkpoint {checkpoint.path} is damaged: remove it to begin anew") from None
    return following
