"""Samples read back by programs that are not ours, as bits: {label set: {time in ms: bits of the value}}."""

from __future__ import annotations

import json
import re
import struct
import subprocess
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from promfill.model.batch import LabelSet
from promfill.model.grid import Tile
from promfill.sources.generated import Source
from tests.support.servers import require

Samples = dict[LabelSet, dict[int, int]]

_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v", '"': '"', "\\": "\\"}
_PAIR = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))")


def bits_of(value: float) -> int:
    """The IEEE 754 bits of a float64."""
    return int(struct.unpack("<Q", struct.pack("<d", value))[0])


def of_source(source: Source) -> Samples:
    """Every sample of a small source."""
    batch = source.batch(Tile(0, source.grid.steps, 0, len(source.fleet)))
    times, columns = batch.timestamps.tolist(), batch.values.view(np.uint64).T.tolist()
    return {source.fleet.label_set(row): dict(zip(times, columns[row], strict=True)) for row in batch.series}


def of_promtool(directory: Path) -> Samples:
    """What ``promtool tsdb dump`` prints; 2.42 wants a directory ``wal`` beside the blocks."""
    (directory / "wal").mkdir(exist_ok=True)
    dump = subprocess.run([require("promtool"), "tsdb", "dump", str(directory)], capture_output=True, check=True)
    samples: Samples = {}
    label_sets: dict[str, LabelSet] = {}
    for line in dump.stdout.decode().splitlines():
        labels, value, time = line.rsplit(" ", 2)
        if labels not in label_sets:
            label_sets[labels] = tuple((name, _unquote(text)) for name, text in _PAIR.findall(labels))
        series = samples.setdefault(label_sets[labels], {})
        assert int(time) not in series, f"doubled: {line}"
        series[int(time)] = bits_of(float(value))
    return samples


def of_prometheus(url: str, metric: str, end_ms: int, span: str = "30d") -> Samples:
    """Every sample of a metric in the `span` before `end_ms`, by the query API: raw samples, no lookback."""
    answer = httpx.get(
        f"{url}/api/v1/query",
        params={"query": f"{metric}[{span}]", "time": f"{end_ms / 1000:.3f}"},
        timeout=60,
        trust_env=False,
    )
    series: list[dict[str, Any]] = json.loads(answer.text)["data"]["result"]
    return {
        tuple(sorted(one["metric"].items())): {
            round(time * 1000): bits_of(float(value)) for time, value in one["values"]
        }
        for one in series
    }


def _unquote(text: str) -> str:
    def plain(match: re.Match[str]) -> str:
        byte, short, long, letter = match.groups()
        return chr(int(byte or short or long, 16)) if letter is None else _ESCAPES[letter]

    return _ESCAPE.sub(plain, text)
