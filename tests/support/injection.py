"""Samples put into stores by other ways than promfill's own, so that they can be wrong on purpose."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path

import httpx
import snappy

from promfill.model.batch import LabelSet
from promfill.pb.remote_write_1_pb2 import WriteRequest
from tests.support.servers import run_promtool

Sent = Mapping[LabelSet, list[tuple[int, int]]]
"""(time in ms, bits) of every sample of each series, in the order in which they are sent."""

HEADERS = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}


def send(url: str, samples: Sent) -> None:
    """One remote-write request with all of it."""
    request = WriteRequest()
    for labels, points in samples.items():
        series = request.timeseries.add()
        for name, value in labels:
            series.labels.add(name=name, value=value)
        for time, bits in points:
            series.samples.add(timestamp=time, value=value_of(bits))
    body = snappy.compress(request.SerializeToString())
    answer = httpx.post(f"{url}/api/v1/write", content=body, headers=HEADERS, timeout=30, trust_env=False)
    assert answer.status_code == 204, answer.text


def make_blocks(directory: Path, samples: Sent) -> None:
    """Blocks by promtool, from OpenMetrics text."""
    text = directory.with_suffix(".txt")
    lines = [
        f"{labels[0][1]}{{{','.join(f'{name}={_quote(value)}' for name, value in labels[1:])}}} "
        f"{value_of(bits)!r} {time / 1000:.3f}"
        for labels, points in samples.items()
        for time, bits in points
    ]
    text.write_text("\n".join([*lines, "# EOF\n"]))
    made = run_promtool("tsdb", "create-blocks-from", "openmetrics", text, directory)
    assert made.returncode == 0, made.stderr


def value_of(bits: int) -> float:
    """The float64 of these bits."""
    return float(struct.unpack("<d", struct.pack("<Q", bits))[0])


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
