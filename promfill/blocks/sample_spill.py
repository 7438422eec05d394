"""Unsorted samples, kept for sorting: in memory while there are few, else in a file beside the future blocks.

Label order is known only after the last series, so samples are sorted then: one run of bounded size at a time, each
back into its own place in the file; the runs are merged in partitions of bounded size, cut at keys that they hold.
Memory does not grow with the input.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from io import FileIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from promfill.blocks.sample_keys import KeyArray, KeyLayout
from promfill.codecs.openmetrics.reader import Samples
from promfill.files.claims import temporary_path
from promfill.model.types import F64Array, I64Array

CAPACITY = 1 << 19
"""Samples of a run, and about as many of a partition, at 20 bytes each and as much again for sorting."""

Sorted = tuple[KeyArray, F64Array]
"""Ascending keys (equal ones are neighbours), and the value of each."""

_KEY_BYTES = 8
_ROW_BYTES = 4 + 8 + 8
"""A sample as it came: series, time and value. A sorted sample takes less: key and value."""


class SampleSpill:
    """Takes samples in any order; returns them in the order of their keys."""

    def __init__(self, directory: Path, capacity: int = CAPACITY) -> None:
        self.samples = 0
        self.first_time, self.last_time = np.iinfo(np.int64).max, -1
        self.path = temporary_path(directory / "samples", os.getpid())
        self._capacity = capacity
        self._held = 0
        self._series = np.empty(capacity, np.uint32)
        self._times = np.empty(capacity, np.int64)
        self._values = np.empty(capacity, np.float64)
        self._file: FileIO | None = None  # opened for the first run
        self._sizes: list[int] = []  # of the runs in it

    def add(self, samples: Samples) -> None:
        """Keep samples; a full run goes to disk. OSError: it cannot be written."""
        if not len(samples):
            return
        self.first_time = min(self.first_time, int(samples.times.min()))
        self.last_time = max(self.last_time, int(samples.times.max()))
        self.samples += len(samples)
        start = 0
        while start < len(samples):
            if self._held == self._capacity:
                self._write_run()
            stop = min(len(samples), start + self._capacity - self._held)
            rows = slice(self._held, self._held + stop - start)
            self._series[rows] = samples.series[start:stop]
            self._times[rows] = samples.times[start:stop]
            self._values[rows] = samples.values[start:stop]
            self._held, start = rows.stop, stop

    def sort(self, layout: KeyLayout, ranks: I64Array) -> Iterator[Sorted]:
        """All samples, in partitions whose keys ascend from one to the next; no key is in two. Empties the spill.

        ranks: int64 (S,), the place of each series in label order.
        """
        if not self._file:
            held = self._sorted_held(layout, ranks)
            self._release()
            yield held
            return
        self._write_run()
        stride = max(1, self._capacity // (4 * len(self._sizes)))
        runs = []
        for number, size in enumerate(self._sizes):
            self._read_run(number, size)
            place = number * self._capacity * _ROW_BYTES
            runs.append(_Run.write(self._file, place, self._sorted_held(layout, ranks), stride))
        self._release()
        yield from _merge(runs, max(1, 3 * self._capacity // (4 * stride)))

    def close(self) -> None:
        """Remove the file."""
        if self._file:
            self._file.close()
            self.path.unlink(missing_ok=True)

    def _release(self) -> None:
        """Free the memory of the samples."""
        self._held = 0
        self._series, self._times, self._values = np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0)

    def _sorted_held(self, layout: KeyLayout, ranks: I64Array) -> Sorted:
        keys = layout.pack(ranks[self._series[: self._held]], self._times[: self._held])
        return _sort_by_key(keys, self._values[: self._held])

    def _write_run(self) -> None:
        if not self._file:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(self.path, "w+")
        self._file.seek(len(self._sizes) * self._capacity * _ROW_BYTES)
        for column in (self._series, self._times, self._values):
            _write(self._file, column[: self._held])
        self._sizes.append(self._held)
        self._held = 0

    def _read_run(self, number: int, size: int) -> None:
        assert self._file
        self._file.seek(number * self._capacity * _ROW_BYTES)
        for column in (self._series, self._times, self._values):
            _read(self._file, column[:size])
        self._held = size


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """`size` sorted keys and then their values, from byte `place` of a file on; fences: every so many of the keys."""

    file: FileIO
    place: int
    size: int
    fences: KeyArray

    @classmethod
    def write(cls, file: FileIO, place: int, data: Sorted, stride: int) -> _Run:
        keys, values = data
        file.seek(place)
        _write(file, keys)
        _write(file, values)
        return cls(file, place, keys.size, keys[::stride].copy())

    def bounds(self, cuts: KeyArray) -> I64Array:
        """How many keys are below each of the ascending cuts, between 0 and all."""
        keys = np.empty(self.size, np.uint64)
        self.file.seek(self.place)
        _read(self.file, keys)
        return np.concatenate([[0], np.searchsorted(keys, cuts), [self.size]])

    def read(self, start: int, keys: KeyArray, values: F64Array) -> None:
        """Read as many keys and values as the arrays hold."""
        self.file.seek(self.place + start * _KEY_BYTES)
        _read(self.file, keys)
        self.file.seek(self.place + (self.size + start) * _KEY_BYTES)
        _read(self.file, values)


def _merge(runs: list[_Run], fences_each: int) -> Iterator[Sorted]:
    """Partitions cut at every so many fences; a run adds less than a stride to each besides."""
    fences = np.sort(np.concatenate([run.fences for run in runs]))
    cuts = np.unique(fences[fences_each::fences_each])
    bounds = np.array([run.bounds(cuts) for run in runs])
    for starts, stops in pairwise(bounds.T):
        ends = np.cumsum(stops - starts)
        if not ends[-1]:  # many samples of one key can leave the partition before them empty
            continue
        keys, values = np.empty(ends[-1], np.uint64), np.empty(ends[-1])
        for number in np.flatnonzero(stops > starts).tolist():
            start, stop, end = int(starts[number]), int(stops[number]), int(ends[number])
            here = slice(end - (stop - start), end)
            runs[number].read(start, keys[here], values[here])
        yield _sort_by_key(keys, values)


def _write(file: FileIO, array: NDArray[Any]) -> None:
    rest = array.view(np.uint8).data
    while rest:
        rest = rest[file.write(rest) :]


def _read(file: FileIO, array: NDArray[Any]) -> None:
    rest = array.view(np.uint8).data
    while rest:
        got = file.readinto(rest)
        if not got:
            raise OSError(errno.EIO, "the file was cut short")
        rest = rest[got:]


def _sort_by_key(keys: KeyArray, values: F64Array) -> Sorted:
    """Keys and values in the order of the keys; unchanged if they are in order."""
    if (keys[1:] >= keys[:-1]).all():
        return keys, values
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]
