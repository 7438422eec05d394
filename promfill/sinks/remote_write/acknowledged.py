"""Which requests are done, in this run and in the one that it resumes.

Each slice of series is sent in order of time, so its next step says all about it. A checkpoint holds a line "slice
window" for every request that is done, "slice window parts" for a request that began to be sent in parts, and "slice
window parts TIME" when these are done up to this time (ms), with all series: the next run begins there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace

from promfill.errors import InputError, setting
from promfill.files.checkpoint import Checkpoint
from promfill.model.grid import Grid, Tile
from promfill.sinks.remote_write.message import Message
from promfill.sinks.remote_write.plan import RequestPlan
from promfill.sinks.remote_write.states import State

IN_PARTS = "parts"
InParts = dict[tuple[int, int], int | None]
"""The (slice, window) of requests that began to be sent in parts, and the time (ms) up to which these are done."""


class Acknowledged:
    """The next window of every slice; written to `checkpoint`, if there is one, before it counts.

    resumed: the checkpoint is an earlier run's, which may have sent more of every slice: one request, or after a power
    cut all requests of its last second. So each slice is in doubt until a request of it turns out to be new.
    """

    def __init__(self, plan: RequestPlan, checkpoint: Checkpoint | None = None, *, resumed: bool = False) -> None:
        self._plan, self._checkpoint = plan, checkpoint
        self._lock = threading.Lock()
        self._next = [0] * len(plan.slices)
        self._in_parts: InParts = {}
        if checkpoint is not None:
            self._next, self._in_parts = read_state(checkpoint, len(plan.slices))
        self._first = [
            plan.steps_before(window, self._in_parts.get((at, window))) for at, window in enumerate(self._next)
        ]
        self._doubtful = [resumed] * len(plan.slices)
        if checkpoint is not None:
            checkpoint.plan = {"steps": plan.steps, "slices": len(plan.slices)}
            self._save(checkpoint)

    @property
    def windows(self) -> int:
        """How many windows are done with all their series."""
        return min(self._next)

    @property
    def samples_before(self) -> int:
        """Samples that an earlier run had sent."""
        return sum(count * steps for (_, count), steps in zip(self._plan.slices, self._first, strict=True))

    def todo(self) -> Iterator[Tile]:
        """The samples of the requests that are left, time-major; of a request sent in parts, what is left of it."""
        plan = self._plan
        for window in range(min(self._first) // plan.steps, plan.windows):
            for place, first in enumerate(self._first):
                tile = plan.tile(plan.number(window, place))
                done = max(0, first - tile.first_step)
                if done < tile.steps:
                    yield replace(tile, first_step=tile.first_step + done, steps=tile.steps - done)

    def recall(self, message: Message) -> Message:
        """The message, and whether an earlier run may have sent it. A slice's requests come one at a time, in order."""
        if (message.place, message.window) in self._in_parts:
            return replace(message, state=State.PARTLY)
        return replace(message, state=State.OPEN) if self._doubtful[message.place] else message

    def divide(self, message: Message, done: int | None) -> None:
        """The request goes in parts: some may be there, and all up to this time (ms). OutputError as `add`."""
        request = message.place, message.window
        with self._lock:
            before = self._in_parts.get(request)
            if request not in self._in_parts or (done is not None and (before is None or done > before)):
                self._in_parts[request] = done
                self._append(f"{message.place} {message.window} {IN_PARTS}{'' if done is None else f' {done}'}")

    def add(self, window: int, place: int, *, was_there: bool = False) -> None:
        """The request is done; an earlier run had sent it. OutputError if the checkpoint cannot be written."""
        with self._lock:
            self._append(f"{place} {window}")
            self._next[place] = window + 1
            self._doubtful[place] &= was_there
            self._in_parts.pop((place, window), None)

    def close(self, *, finished: bool, doubles: bool = False) -> None:
        """Sync the checkpoint to disk. doubles: the receiver keeps a sample twice if it is sent again."""
        with self._lock:
            if self._checkpoint is not None and finished:
                self._checkpoint.finished = True
                self._checkpoint.done["doubles"] = doubles
                self._save(self._checkpoint)
            elif self._checkpoint is not None:
                self._checkpoint.close()

    def _append(self, line: str) -> None:
        if self._checkpoint is not None:
            self._checkpoint.append(line)

    def _save(self, checkpoint: Checkpoint) -> None:
        checkpoint.done["next"] = list(self._next)
        checkpoint.done[IN_PARTS] = [[*request, done] for request, done in self._in_parts.items()]
        checkpoint.save()


def read_plan(checkpoint: Checkpoint, grid: Grid, series: int, slack: float) -> RequestPlan:
    """The plan of the checkpoint's run. InputError if it is damaged, or does not fit the slack (ms)."""
    try:
        steps, slices = int(checkpoint.plan["steps"]), int(checkpoint.plan["slices"])
        if not (0 < steps <= grid.steps and 0 < slices <= series):
            raise ValueError
    except (ValueError, TypeError, KeyError, AttributeError):
        raise _damaged(checkpoint) from None
    if slices > 1 and (steps - 1) * grid.step > slack:
        problem = f"the checkpoint {checkpoint.path} comes from a run with {setting('order', 'any')}"
        raise InputError(problem, "use the same setting", field="order")
    return RequestPlan.of_parts(grid, series, steps, slices)


def _damaged(checkpoint: Checkpoint) -> InputError:
    return InputError(f"the checkpoint {checkpoint.path} is damaged", "remove it to start over", field="checkpoint")


def read_state(checkpoint: Checkpoint, slices: int) -> tuple[list[int], InParts]:
    """The next window of each slice, and the requests that began to be sent in parts.

    InputError if the checkpoint does not fit its own plan.
    """
    try:
        following = list(map(int, checkpoint.done.get("next") or [0] * slices))
        in_parts: InParts = {(place, window): done for place, window, done in checkpoint.done.get(IN_PARTS, ())}
        if len(following) != slices or min(following) < 0:
            raise ValueError
        for line in checkpoint.lines:
            _read_line(line, following, in_parts)
    except (ValueError, TypeError, IndexError, AttributeError):
        raise _damaged(checkpoint) from None
    return following, {request: done for request, done in in_parts.items() if following[request[0]] <= request[1]}


def _read_line(line: str, following: list[int], in_parts: InParts) -> None:
    place, window, *parts = line.split()
    if not (place.isdecimal() and window.isdecimal()) or parts[:1] not in ([], [IN_PARTS]):
        raise ValueError
    if parts:
        in_parts[int(place), int(window)] = int(parts[1]) if parts[1:] else None
    else:
        following[int(place)] = int(window) + 1
