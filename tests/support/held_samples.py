"""What a store holds of what it is sent: by Prometheus's rules, or by VictoriaMetrics's."""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterator

from promfill.model.batch import LabelSet
from promfill.pb.remote_write_1_pb2 import WriteRequest
from promfill.pb.remote_write_2_pb2 import Request

HOUR = 3_600_000
Series = tuple[LabelSet, list[tuple[int, int]]]  # times in ms and value bits


def bits(value: float) -> int:
    number: int = struct.unpack("<Q", struct.pack("<d", value))[0]
    return number


def read_1(message: bytes) -> list[Series]:
    return [
        (
            tuple((label.name, label.value) for label in series.labels),
            [(s.timestamp, bits(s.value)) for s in series.samples],
        )
        for series in WriteRequest.FromString(message).timeseries
    ]


def read_2(message: bytes) -> list[Series]:
    request = Request.FromString(message)
    assert request.symbols[0] == ""
    told = []
    for series in request.timeseries:
        texts = [request.symbols[reference] for reference in series.labels_refs]
        labels = tuple(zip(texts[::2], texts[1::2], strict=True))
        told.append((labels, [(s.timestamp, bits(s.value)) for s in series.samples]))
    return told


class RefusedError(Exception):
    """The store's words; `written` samples were taken all the same."""

    def __init__(self, words: str, written: int = 0) -> None:
        super().__init__(words)
        self.written = written


class PrometheusRules:
    """A head: nothing over an hour older than its newest sample, and each series in order. A request is whole or not
    at all; in 2.0 the series that are good are taken, and the others refused."""

    doubles = False

    def __init__(self) -> None:
        self.held: dict[LabelSet, list[tuple[int, int]]] = defaultdict(list)
        self.newest: int | None = None

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        good, refusals = [], []
        for labels, samples in request:
            words = self._refusal(labels, samples)
            (refusals.append(words) if words else good.append((labels, samples)))
        if refusals and not partly:
            raise RefusedError(refusals[0])
        written = sum(self._append(labels, samples) for labels, samples in good)
        if refusals:
            raise RefusedError(refusals[0], written)
        return written

    def _refusal(self, labels: LabelSet, samples: list[tuple[int, int]]) -> str:
        last = self.held[labels][-1] if self.held[labels] else (-(1 << 62), 0)
        for sample in samples:
            if self.newest is not None and sample[0] < self.newest - HOUR:
                return "out of bounds"
            if sample[0] < last[0]:
                return "out of order sample"
            if sample[0] == last[0] and sample[1] != last[1]:
                return "duplicate sample for timestamp"
            last = sample
        return ""

    def _append(self, labels: LabelSet, samples: list[tuple[int, int]]) -> int:
        held = self.held[labels]
        held.extend(sample for sample in samples if not held or sample != held[-1])
        self.newest = max(self.newest or samples[-1][0], samples[-1][0])
        return len(samples)


class VictoriaMetricsRules:
    """Whatever comes, whenever it comes, as often as it comes."""

    doubles = True

    def __init__(self) -> None:
        self.held: dict[LabelSet, list[tuple[int, int]]] = defaultdict(list)

    def take(self, request: list[Series], *, partly: bool = False) -> int:
        for labels, samples in request:
            self.held[labels].extend(samples)
        return sum(len(samples) for _, samples in request)

    def export(self, start: int, end: int) -> Iterator[bytes]:
        for labels, samples in self.held.items():
            told = sorted(sample for sample in samples if start <= sample[0] <= end)
            if told:
                values = [struct.unpack("<d", struct.pack("<Q", value))[0] for _, value in told]
                line = {"metric": dict(labels), "values": values, "timestamps": [time for time, _ in told]}
                yield json.dumps(line).encode() + b"\n"


Rules = PrometheusRules | VictoriaMetricsRules
