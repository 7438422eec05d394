"""What Mimir requires of a block before it accepts an upload: one table, each rule with its source.

    for breach in breaches(BlockFacts(document, files, index_version), now):
        print(breach.rule.name, breach.words)

Source: grafana/mimir, 2026: pkg/compactor/blockupload/upload.go (createBlockUpload, StartBlockUpload) and
pkg/storage/tsdb/block/blockvalidation/meta.go (CheckMeta). Only the server knows a tenant's further limits (retention,
size of a block). The checks after the upload are in `promfill.blocks.check`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from promfill.scenario.times import name_time

MAX_RANGE = 86_400_000
"""ms; the largest of -compactor.block-ranges, 24h by default. Blocks must not cross its multiples."""
MAX_META_BYTES = 1 << 20
INDEX_VERSION = 2
SHARD_LABEL = "__compactor_shard_id__"
DROPPED_LABELS = frozenset(("__org_id__", "__ingester_id__", "__shard_id__"))
"""External labels of older versions: Mimir removes them."""

_PATH = re.compile(r"index|chunks/\d{6}")
_SHARD = re.compile(r"(\d+)_of_(\d+)")


@dataclass(frozen=True, slots=True)
class BlockFacts:
    """The facts for the rules: meta.json, the other files with their sizes, the version in the index's header."""

    document: Mapping[str, Any]
    files: Mapping[str, int]
    index_version: int | None = None

    @property
    def times(self) -> tuple[int, int]:
        """minTime and maxTime, ms."""
        return int(self.document.get("minTime", 0)), int(self.document.get("maxTime", 0))

    @property
    def thanos(self) -> Mapping[str, Any]:
        """The section that Thanos and Mimir add."""
        section = self.document.get("thanos")
        return section if isinstance(section, dict) else {}

    def part(self, name: str) -> Mapping[str, Any]:
        """A mapping in that section, empty if it is not one."""
        part = self.thanos.get(name)
        return part if isinstance(part, dict) else {}


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule: its requirement, its source, and its check (which returns how a block breaks it, or None)."""

    name: str
    wants: str
    source: str
    broken: Callable[[BlockFacts, int], str | None]


@dataclass(frozen=True, slots=True)
class Breach:
    """A rule that a block breaks, and how."""

    rule: Rule
    words: str

    def __str__(self) -> str:
        return f"{self.words} (Mimir requires {self.rule.wants})"


def upload_meta(facts: BlockFacts) -> bytes:
    """The request that starts an upload: meta.json with the list of files, itself first and without a size."""
    listed: list[dict[str, Any]] = [{"rel_path": "meta.json"}]
    listed += [{"rel_path": name, "size_bytes": size} for name, size in facts.files.items()]
    parts = {"labels": facts.part("labels"), "downsample": facts.part("downsample") or {"resolution": 0}}
    section = {**facts.thanos, **parts, "version": 1, "files": listed}
    return json.dumps({**facts.document, "thanos": section}, separators=(",", ":")).encode()


def breaches(facts: BlockFacts, now: int) -> Iterator[Breach]:
    """The rules that the block breaks, in the order of the table. `now`: Unix ms."""
    for rule in RULES:
        words = rule.broken(facts, now)
        if words:
            yield Breach(rule, words)


def range_breaches(min_time: int, max_time: int, now: int) -> list[Breach]:
    """The rules about times only, for a block that is not made yet."""
    facts = BlockFacts({"minTime": min_time, "maxTime": max_time, "version": 1}, {})
    return [Breach(rule, words) for rule in RULES if rule.name in _TIME_RULES and (words := rule.broken(facts, now))]


def _version(facts: BlockFacts, now: int) -> str | None:
    version = facts.document.get("version")
    return None if version == 1 else f"meta.json has version {version}"


def _downsampled(facts: BlockFacts, now: int) -> str | None:
    return "the block is downsampled" if facts.part("downsample").get("resolution", 0) else None


def _labels(facts: BlockFacts, now: int) -> str | None:
    labels = facts.part("labels")
    foreign = sorted(set(labels) - DROPPED_LABELS - {SHARD_LABEL})
    if foreign:
        return f"meta.json has the external label {foreign[0]}"
    shard = str(labels.get(SHARD_LABEL, ""))
    parts = _SHARD.fullmatch(shard)
    if shard and not (parts and 1 <= int(parts[1]) <= int(parts[2])):
        return f"{SHARD_LABEL} is {shard!r}"
    return None


def _paths(facts: BlockFacts, now: int) -> str | None:
    return next((f"the file {name}" for name in facts.files if not _PATH.fullmatch(name)), None)


def _sizes(facts: BlockFacts, now: int) -> str | None:
    return next((f"{name} is empty" for name, size in facts.files.items() if size <= 0), None)


def _index(facts: BlockFacts, now: int) -> str | None:
    if "index" not in facts.files:
        return "the file index is missing"
    wrong = facts.index_version is not None and facts.index_version != INDEX_VERSION
    return f"the index has version {facts.index_version}" if wrong else None


def _meta_size(facts: BlockFacts, now: int) -> str | None:
    size = len(upload_meta(facts))
    return f"meta.json with its list of files has {size:,} bytes" if size > MAX_META_BYTES else None


def _order(facts: BlockFacts, now: int) -> str | None:
    low, high = facts.times
    return f"minTime {low}, maxTime {high}" if low < 0 or high < low else None


def _future(facts: BlockFacts, now: int) -> str | None:
    high = max(facts.times)
    return f"the block ends at {name_time(high)}, after now" if high > now else None


def _range(facts: BlockFacts, now: int) -> str | None:
    low, high = facts.times
    return f"the block is {(high - low) / 3_600_000:,.3f} h long" if high - low > MAX_RANGE else None


def _boundary(facts: BlockFacts, now: int) -> str | None:
    low, high = facts.times
    midnight = (low // MAX_RANGE + 1) * MAX_RANGE
    return f"the block ends {(high - midnight) / 1000:,.3f} s after midnight UTC" if high > midnight else None


_META = "blockvalidation/meta.go, CheckMeta"
_START = "blockupload/upload.go, createBlockUpload"

RULES = (
    Rule("downsampled", "raw samples", _META, _downsampled),
    Rule("external labels", f"only its own external labels, such as {SHARD_LABEL}=1_of_4", _META, _labels),
    Rule("paths", "only index and chunks/ with six digits", _META, _paths),
    Rule("sizes", "files that are not empty", _META, _sizes),
    Rule("index", f"an index of version {INDEX_VERSION}", "block/index.go, UnsupportedIndexFormat", _index),
    Rule("version", "version 1", _META, _version),
    Rule("times", "times in order, not before 1970", _META, _order),
    Rule("future", "an end no later than now", _META, _future),
    Rule("range", "24h at most", _START, _range),
    Rule("boundary", "blocks within one UTC day", _START, _boundary),
    Rule("meta size", "1 MiB at most", "blockupload/upload.go, StartBlockUpload", _meta_size),
)
"""In Mimir's order. An operator can change the largest range: this is the default."""

_TIME_RULES = frozenset(("times", "future", "range", "boundary"))
