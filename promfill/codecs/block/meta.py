"""meta.json of a block, in Prometheus's shape and order of keys.

Source: prometheus/prometheus, tsdb/block.go (BlockMeta and its parts). Other programs add sections of their own
(Thanos, Mimir): they are read over.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from promfill.codecs.block.ulid import is_ulid
from promfill.errors import FormatError

VERSION = 1

_FILE = "meta.json"


@dataclass(frozen=True, slots=True)
class BlockStats:
    """What a block holds. ``samples`` counts floats and histograms together: older writers tell no more than that."""

    samples: int
    series: int
    chunks: int
    float_samples: int = 0
    histogram_samples: int = 0
    tombstones: int = 0


@dataclass(frozen=True, slots=True)
class BlockMeta:
    """What meta.json says: times in Unix ms, [min_time, max_time) holds every sample."""

    ulid: str
    min_time: int
    max_time: int
    stats: BlockStats
    level: int = 1
    sources: tuple[str, ...] = field(default=())
    hints: tuple[str, ...] = field(default=())


# Go leaves out what is zero, and so do we.
_STATS = {
    "numSamples": "samples",
    "numFloatSamples": "float_samples",
    "numHistogramSamples": "histogram_samples",
    "numSeries": "series",
    "numChunks": "chunks",
    "numTombstones": "tombstones",
}


def encode_meta(meta: BlockMeta) -> bytes:
    """The file, byte for byte as Prometheus writes it."""
    counts = {key: getattr(meta.stats, name) for key, name in _STATS.items()}
    compaction = {"level": meta.level, "sources": list(meta.sources), "hints": list(meta.hints)}
    document = {
        "ulid": meta.ulid,
        "minTime": meta.min_time,
        "maxTime": meta.max_time,
        "stats": {key: count for key, count in counts.items() if count},
        "compaction": {key: value for key, value in compaction.items() if value or key == "level"},
        "version": VERSION,
    }
    return json.dumps(document, indent="\t", ensure_ascii=False).encode()


def decode_meta(data: bytes) -> BlockMeta:
    """Read meta.json of any writer. FormatError: not JSON, another version, a missing or invalid field."""
    document = _parse(data)
    version = _integer(document, "version", 0)
    if version != VERSION:
        raise FormatError(f"version {version}; only {VERSION} can be read", section=_FILE)
    compaction = _object(document, "compaction")
    return BlockMeta(
        ulid=_ulid(document.get("ulid")),
        min_time=_integer(document, "minTime"),
        max_time=_integer(document, "maxTime"),
        stats=_stats(_object(document, "stats")),
        level=_integer(compaction, "level", 0),
        sources=tuple(map(_ulid, _list(compaction, "sources"))),
        hints=tuple(map(_text, _list(compaction, "hints"))),
    )


def _parse(data: bytes) -> Mapping[str, Any]:
    import orjson  # its depth is bounded, where the standard library's nesting ends in a RecursionError

    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise FormatError(f"not JSON: {error}", section=_FILE) from None
    if not isinstance(document, dict):
        raise FormatError("not a JSON object", section=_FILE)
    return document


def _stats(counts: Mapping[str, Any]) -> BlockStats:
    read = {name: _integer(counts, key, 0) for key, name in _STATS.items()}
    negative = [key for key, name in _STATS.items() if read[name] < 0]
    if negative:
        raise FormatError(f"{negative[0]} is negative", section=_FILE)
    return BlockStats(**read)


def _object(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key) or {}
    if not isinstance(value, dict):
        raise FormatError(f"{key} is not an object", section=_FILE)
    return value


def _list(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key) or []
    if not isinstance(value, list):
        raise FormatError(f"{key} is not a list", section=_FILE)
    return value


def _integer(document: Mapping[str, Any], key: str, default: int | None = None) -> int:
    value = document.get(key, default)
    if not isinstance(value, int) or isinstance(value, bool) or not -(1 << 63) <= value < 1 << 63:
        raise FormatError(f"{key} is not a 64-bit integer" if key in document else f"no {key}", section=_FILE)
    return value


def _ulid(value: object) -> str:
    if not isinstance(value, str) or not is_ulid(value):
        raise FormatError(f"not a ULID: {value!r}", section=_FILE)
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise FormatError("a hint is not a string", section=_FILE)
    return value
