"""What a remote-write request holds, read by google's protobuf, and batches to put into one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from promfill.model.batch import Fleet, LabelSet, SeriesBatch
from promfill.pb.remote_write_1_pb2 import WriteRequest
from tests.support.fleets import fleet_of
from tests.support.golden import golden_json

START, STEP = 1_700_006_400_000, 300_000  # ms

Held = dict[LabelSet, list[tuple[int, int]]]
"""(timestamp in ms, value bits) of every series."""


def read_request(message: bytes) -> Held:
    """The samples of a WriteRequest. Fails where a series comes twice or its labels are not sorted and whole."""
    held: Held = {}
    for series in WriteRequest.FromString(message).timeseries:
        labels = tuple((label.name, label.value) for label in series.labels)
        names = [name for name, _ in labels]
        assert names == sorted(set(names))
        assert "__name__" in names
        assert all(name and value for name, value in labels)
        assert labels not in held
        values = np.array([sample.value for sample in series.samples], np.float64).view(np.uint64).tolist()
        held[labels] = [(sample.timestamp, bits) for sample, bits in zip(series.samples, values, strict=True)]
    return held


def samples_of(batch: SeriesBatch) -> Held:
    """The same of a batch, by a loop over its samples; series without one are left out."""
    steps, series = batch.values.shape
    times = np.broadcast_to(batch.timestamps.reshape(steps, -1), batch.values.shape)
    bits = batch.values.view(np.uint64)
    held: Held = {}
    for column in range(series):
        rows = [t for t in range(steps) if batch.present is None or batch.present[t, column]]
        if rows:
            labels = batch.fleet.label_set(batch.first_series + column)
            held[labels] = [(int(times[t, column]), int(bits[t, column])) for t in rows]
    return held


def batch_of(
    fleet: Fleet,
    timestamps: Sequence[int] | NDArray[np.int64],
    bits: NDArray[np.uint64],
    first_series: int = 0,
    present: NDArray[np.bool_] | None = None,
) -> SeriesBatch:
    """A batch whose values are given by their bits (T, S)."""
    return SeriesBatch(fleet, first_series, np.asarray(timestamps, np.int64), bits.view(np.float64), present)


def grid(steps: int, start: int = START) -> list[int]:
    """Timestamps (ms)."""
    return [start + STEP * step for step in range(steps)]


def random_bits(steps: int, series: int) -> NDArray[np.uint64]:
    """Value bits (T, S): any that there are."""
    return np.random.default_rng(7).integers(0, 1 << 64, (steps, series), np.uint64)


def golden_batch() -> SeriesBatch:
    """What remote_write.json says that the golden requests of both versions hold."""
    told = golden_json("remote_write.json")
    values = [int(text, 16) for text in told["value_bits"]]
    bits = np.array([[values[step + series] for series in range(3)] for step in range(12)], np.uint64)
    bits[11, 2] = int(told["stale_bits"], 16)
    labels = ((("__name__", "golden_day"), ("host", f"h{row}"), ("utf8", "äß→✓")) for row in range(3))
    return batch_of(fleet_of(labels), grid(12), bits)
