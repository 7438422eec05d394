"""The rules of Mimir's block upload for the double: what a start is refused for, one table in the source's order.

Source: grafana/mimir, commit 133e53bdde61 (2026): pkg/compactor/blockupload/upload.go (createBlockUpload) and
pkg/storage/tsdb/block/blockvalidation/meta.go (CheckMeta).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DAY = 86_400_000
META_BYTES = 1 << 20
PATH = re.compile(r"index|chunks/\d{6}")
SHARD = re.compile(r"(\d+)_of_(\d+)")
OLD_LABELS = {"__org_id__", "__ingester_id__", "__shard_id__"}


@dataclass
class Limits:
    """A tenant's limits and the compactor's settings, at their defaults but that uploads are on."""

    enabled: bool = True
    retention_ms: int = 0
    max_bytes: int = 0
    max_range_ms: int = DAY
    validation: bool = True
    verify_chunks: bool = True
    validations_at_once: int = 1
    validation_seconds: float = 0.0


Meta = dict[str, Any]


def thanos(meta: Meta) -> Meta:
    section = meta.get("thanos")
    return section if isinstance(section, dict) else {}


def files(meta: Meta) -> list[tuple[str, int]]:
    listed = thanos(meta).get("files") or []
    return [(file["rel_path"], file.get("size_bytes", 0)) for file in listed if file["rel_path"] != "meta.json"]


def foreign_label(meta: Meta) -> str | None:
    for name, value in (thanos(meta).get("labels") or {}).items():
        if name == "__compactor_shard_id__":
            parts = SHARD.fullmatch(str(value))
            if value and not (parts and 1 <= int(parts[1]) <= int(parts[2])):
                return f'invalid {name} external label: "{value}"'
        elif name not in OLD_LABELS:
            return f"unsupported external label: {name}"
    return None


def times(meta: Meta) -> tuple[int, int]:
    return meta.get("minTime", 0), meta.get("maxTime", 0)


def utc(ms: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms // 1000))


def first_bad_file(meta: Meta) -> str | None:
    for name, size in files(meta):
        if not PATH.fullmatch(name):
            return f"file with invalid path: {name}"
        if size <= 0:
            return f"file with invalid size: {name}"
    return None


def too_big(meta: Meta, limits: Limits) -> str | None:
    if 0 < limits.max_bytes < sum(size for _, size in files(meta)):
        return f"block exceeds the maximum block size limit of {limits.max_bytes} bytes"
    return None


def out_of_order(meta: Meta) -> str | None:
    low, high = times(meta)
    return f"invalid minTime/maxTime: minTime={low}, maxTime={high}" if low < 0 or high < low else None


def in_future(meta: Meta) -> str | None:
    low, high = times(meta)
    if max(low, high) <= time.time() * 1000:
        return None
    return f"block time(s) greater than the present: minTime={low} ({utc(low)}), maxTime={high} ({utc(high)})"


def too_old(meta: Meta, limits: Limits) -> str | None:
    old = limits.retention_ms and times(meta)[1] < time.time() * 1000 - limits.retention_ms
    return f"block max time ({utc(times(meta)[1])}) older than retention period" if old else None


def too_long(meta: Meta, limits: Limits) -> str | None:
    low, high = times(meta)
    if high - low <= limits.max_range_ms:
        return None
    return f"block duration ({(high - low) // 1000}s) is larger than max configured compactor time range (1d)"


def crosses(meta: Meta, limits: Limits) -> str | None:
    low, high = times(meta)
    if high <= (low // limits.max_range_ms + 1) * limits.max_range_ms:
        return None
    return "block time range crosses boundary of configured compactor time range (1d)"


Check = Callable[[Meta, Limits], str | None]

START_RULES: list[tuple[int, str, Check]] = [
    (400, "CheckMeta", lambda m, _: "block contains downsampled data" if downsampled(m) else None),
    (400, "CheckMeta", lambda m, _: foreign_label(m)),
    (400, "CheckMeta", lambda m, _: first_bad_file(m)),
    (400, "CheckMaxBlockSize", too_big),
    (400, "CheckMeta", lambda m, _: None if m.get("version") == 1 else "version must be 1"),
    (400, "CheckMeta", lambda m, _: out_of_order(m)),
    (400, "CheckMeta", lambda m, _: in_future(m)),
    (422, "createBlockUpload", too_old),
    (422, "createBlockUpload", too_long),
    (422, "createBlockUpload", crosses),
]
"""Status, function of the source, and what it says: in the source's order."""


def downsampled(meta: Meta) -> bool:
    return bool((thanos(meta).get("downsample") or {}).get("resolution", 0))
