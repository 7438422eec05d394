"""Samples as they come, kept for sorting: in memory while they are few, else in files beside the blocks to be.

Label order is known when the last series has come, so samples are sorted then, a run of bounded size at a time; the
runs are merged in partitions of bounded size, cut at keys that they hold. Memory does not grow with the input.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from promfill.codecs.openmetrics_reader import Samples
from promfill.sample_keys import KeyArray, KeyLayout
from promfill.sinks.claims import temporary_path

CAPACITY = 1 << 19
"""Samples of a run, and about of a partition, at 20 bytes each and as much again for sorting."""

F64Array = NDArray[np.float64]
I64Array = NDArray[np.int64]
Sorted = tuple[KeyArray, F64Array]
"""Keys that rise (equal ones stand side by side), and the values of each."""

_KEY_BYTES = 8


class SampleSpill:
    """Takes samples in any order; gives them back in the order of their keys."""

    def __init__(self, directory: Path, capacity: int = CAPACITY) -> None:
        self.samples = 0
        self.first_time, self.last_time = np.iinfo(np.int64).max, -1
        self.directory = temporary_path(directory / "samples", os.getpid())
        self._capacity = capacity
        self._held = 0
        self._series = np.empty(capacity, np.uint32)
        self._times = np.empty(capacity, np.int64)
        self._values = np.empty(capacity, np.float64)
        self._raw: list[Path] = []

    def add(self, samples: Samples) -> None:
        """Keep samples; a full run goes to disk."""
        if not len(samples):
            return
        self.first_time = min(self.first_time, int(samples.times.min()))
        self.last_time = max(self.last_time, int(samples.times.max()))
        self.samples += len(samples)
        start = 0
        while start < len(samples):
            if self._held == self._capacity:
                self._write_raw()
            stop = min(len(samples), start + self._capacity - self._held)
            rows = slice(self._held, self._held + stop - start)
            self._series[rows] = samples.series[start:stop]
            self._times[rows] = samples.times[start:stop]
            self._values[rows] = samples.values[start:stop]
            self._held, start = rows.stop, stop

    def sort(self, layout: KeyLayout, ranks: I64Array) -> Iterator[Sorted]:
        """All samples, in partitions whose keys rise from one to the next; no key is in two. Empties the spill.

        ranks: int64 (S,), the place of each series in label order.
        """
        if not self._raw:
            held = self._sorted_held(layout, ranks)
            self._release()
            yield held
            return
        self._write_raw()
        stride = max(1, self._capacity // (4 * len(self._raw)))
        runs = []
        for path in self._raw:
            self._read_raw(path)
            path.unlink()
            runs.append(_Run.write(path.with_suffix(".sorted"), self._sorted_held(layout, ranks), stride))
        self._raw = []
        self._release()
        yield from _merge(runs, max(1, self._capacity // (2 * stride)))

    def close(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def _release(self) -> None:
        """Give the memory of the samples back."""
        self._held = 0
        self._series, self._times, self._values = np.empty(0, np.uint32), np.empty(0, np.int64), np.empty(0)

    def _sorted_held(self, layout: KeyLayout, ranks: I64Array) -> Sorted:
        keys = layout.pack(ranks[self._series[: self._held]], self._times[: self._held])
        return sort_by_key(keys, self._values[: self._held])

    def _write_raw(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        path = self.directory / f"{len(self._raw):06d}"
        with path.open("wb") as file:
            for column in (self._series, self._times, self._values):
                file.write(column[: self._held].data)
        self._raw.append(path)
        self._held = 0

    def _read_raw(self, path: Path) -> None:
        row = self._series.itemsize + self._times.itemsize + self._values.itemsize
        self._held = path.stat().st_size // row
        with path.open("rb") as file:
            for column in (self._series, self._times, self._values):
                file.readinto(column[: self._held].data)


@dataclass(frozen=True, slots=True, eq=False)
class _Run:
    """A file of n sorted keys and then their values; every `stride`-th key is known."""

    path: Path
    size: int
    stride: int
    fences: KeyArray

    @classmethod
    def write(cls, path: Path, data: Sorted, stride: int) -> _Run:
        with path.open("wb") as file:
            for column in data:
                file.write(column.data)
        return cls(path, data[0].size, stride, data[0][::stride].copy())

    def place(self, key: np.uint64 | None) -> int:
        """How many keys are below `key`; None: all."""
        if key is None:
            return self.size
        fence = max(0, int(np.searchsorted(self.fences, key)) - 1) * self.stride
        near = np.fromfile(self.path, np.uint64, min(self.stride, self.size - fence), offset=fence * _KEY_BYTES)
        return fence + int(np.searchsorted(near, key))

    def read(self, start: int, stop: int) -> Sorted:
        keys = np.fromfile(self.path, np.uint64, stop - start, offset=start * _KEY_BYTES)
        values = np.fromfile(self.path, np.float64, stop - start, offset=(self.size + start) * _KEY_BYTES)
        return keys, values


def _merge(runs: list[_Run], fences_each: int) -> Iterator[Sorted]:
    """Partitions cut at every so many fences: besides, a run adds less than a stride to each."""
    fences = np.sort(np.concatenate([run.fences for run in runs]))
    cuts = [*np.unique(fences[fences_each::fences_each]), None]
    places = [[0] * len(runs), *([run.place(cut) for run in runs] for cut in cuts)]
    for starts, stops in pairwise(places):
        parts = [run.read(start, stop) for run, start, stop in zip(runs, starts, stops, strict=True) if start < stop]
        if parts:  # many samples of one key can leave the partition before them empty
            keys, values = (np.concatenate(column) for column in zip(*parts, strict=True))
            del parts
            yield sort_by_key(keys, values)


def sort_by_key(keys: KeyArray, values: F64Array) -> Sorted:
    """Both in the order of the keys; as they are where that is their order."""
    if (keys[1:] >= keys[:-1]).all():
        return keys, values
    order = np.argsort(keys, kind="stable")
    return keys[order], values[order]
