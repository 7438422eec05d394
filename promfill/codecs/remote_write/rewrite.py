"""Make other remote-write messages from one: for the rare request that cannot go as it was made.

Google's protobuf takes the message apart, since its series and their samples may be in other places than ours, and
speed does not matter here. It moves values by bits: a staleness marker stays one.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from promfill.model.batch import LabelSet
from promfill.pb import remote_write_1_pb2 as version_1
from promfill.pb import remote_write_2_pb2 as version_2


def count_samples(message: bytes, *, is_version_2: bool) -> int:
    """How many samples a message holds."""
    return sum(len(series.samples) for series in _parse(message, is_version_2).timeseries)


def sample_times(message: bytes, *, is_version_2: bool) -> list[int]:
    """The different times (ms) of its samples, ascending."""
    series = _parse(message, is_version_2).timeseries
    return sorted({sample.timestamp for one in series for sample in one.samples})


def halves(message: bytes, *, is_version_2: bool) -> list[bytes]:
    """Two messages with half of the series each, the metadata in the first; the message alone if it has one series."""
    first, second = _parse(message, is_version_2), _parse(message, is_version_2)
    middle = len(first.timeseries) // 2
    if not middle:
        return [message]
    del first.timeseries[middle:]
    del second.timeseries[:middle]
    if not is_version_2:
        second.ClearField("metadata")
    return [first.SerializeToString(), second.SerializeToString()]


def by_time(message: bytes, starts: Sequence[int], *, is_version_2: bool) -> list[bytes]:
    """The message cut before each of these ascending times (ms); the samples of each series must ascend in time.

    The metadata of 1.0 goes with the first part. A series without samples in a part is left out of it.
    """
    request, around = _parse(message, is_version_2), _parse(message, is_version_2)
    del around.timeseries[:]
    parts = [around]
    for _ in starts:
        parts.append(_parse(around.SerializeToString(), is_version_2))
        if not is_version_2:
            parts[-1].ClearField("metadata")
    for series in request.timeseries:
        samples = list(series.samples)
        ends = [bisect_left(samples, start, key=_time_of) for start in starts]
        del series.samples[:]
        for part, (first, end) in zip(parts, itertools.pairwise([0, *ends, len(samples)]), strict=True):
            if first < end:
                row: Any = part.timeseries.add()  # of the type of `series`
                row.CopyFrom(series)
                row.samples.extend(samples[first:end])
    return [part.SerializeToString() for part in parts]


def end_first(message: bytes) -> bytes:
    """The last two samples of each series of a message (1.0), and then its first.

    A receiver that checks them one by one, and writes all or nothing, answers about the first sample that it refuses.
    So if it refuses the oldest in any case, this shows how it judges the newest, and writes nothing.
    """
    request = version_1.WriteRequest.FromString(message)
    for series in request.timeseries:
        first, end = series.samples[0], series.samples[-2:]
        told = [version_1.Sample(value=sample.value, timestamp=sample.timestamp) for sample in (*end, first)]
        del series.samples[:]
        series.samples.extend(told)
    return request.SerializeToString()


def without(message: bytes, held: Mapping[LabelSet, set[int]]) -> bytes:
    """The message (1.0) without the samples of these times (ms), label set by label set."""
    request = version_1.WriteRequest.FromString(message)
    kept = version_1.WriteRequest(metadata=request.metadata)
    for series in request.timeseries:
        times = held.get(tuple((label.name, label.value) for label in series.labels), set())
        missing = [sample for sample in series.samples if sample.timestamp not in times]
        if missing:
            kept.timeseries.add(labels=series.labels, samples=missing)
    return kept.SerializeToString()


def to_version_1(message: bytes) -> bytes:
    """A message of 2.0 as one of 1.0, with the same series in the same order, and the metadata of their metrics."""
    request = version_2.Request.FromString(message)
    made = version_1.WriteRequest(metadata=_metadata(request))
    for series in request.timeseries:
        labels = [version_1.Label(name=name, value=value) for name, value in _labels(request, series)]
        samples = [version_1.Sample(value=sample.value, timestamp=sample.timestamp) for sample in series.samples]
        made.timeseries.add(labels=labels, samples=samples)
    return made.SerializeToString()


def _metadata(request: version_2.Request) -> Iterable[version_1.MetricMetadata]:
    """The metadata of every metric once: 2.0 repeats it with each series."""
    told = {}
    for series in request.timeseries:
        name, what = dict(_labels(request, series))["__name__"], series.metadata
        help_text, unit = request.symbols[what.help_ref], request.symbols[what.unit_ref]
        kind = version_1.MetricMetadata.MetricType.Name(what.type)
        told[name] = version_1.MetricMetadata(type=kind, metric_family_name=name, help=help_text, unit=unit)
    return told.values()


def _labels(request: version_2.Request, series: version_2.TimeSeries) -> Iterator[tuple[str, str]]:
    texts = [request.symbols[reference] for reference in series.labels_refs]
    return zip(texts[::2], texts[1::2], strict=True)


def _time_of(sample: Any) -> int:  # of either version
    time: int = sample.timestamp
    return time


def _parse(message: bytes, is_version_2: bool) -> version_1.WriteRequest | version_2.Request:
    if is_version_2:
        return version_2.Request.FromString(message)
    return version_1.WriteRequest.FromString(message)
