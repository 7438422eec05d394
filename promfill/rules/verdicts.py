"""Which stores would accept a valid block, and why one would not.

Mimir's rules have a module of their own, `mimir`. Source of the others: prometheus/prometheus, tsdb/db.go and
tsdb/chunkenc; thanos-io/thanos, pkg/block/metadata, pkg/compact and issues 1089 and 8984, all as of 2026.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from promfill.codecs.block.segment_reader import ENCODINGS, XOR
from promfill.rules.mimir import BlockFacts, breaches
from promfill.rules.prometheus import RUNNING_AND_STARTING, is_future, reaches_log
from promfill.rules.store_facts import DEFAULT_RETENTION_MS
from promfill.scenario.times import UNITS_MS

STORES = ("Prometheus", "Mimir", "Thanos")
HOUR = UNITS_MS["h"]
THANOS_LARGEST = 14 * 24 * HOUR
THANOS_RESOLUTIONS = (0, 300_000, HOUR)
THANOS_MAX_INDEX = 64 << 30
_OLD = (XOR, 2, 3)
"""The chunk encodings that all current readers support."""


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Whether a store accepts a block: not if there are `reasons`. `notes`: other remarks."""

    reasons: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def takes(self) -> bool:
        """Whether there is no reason against it."""
        return not self.reasons


@dataclass(frozen=True, slots=True)
class WholeBlock:
    """The facts for the verdicts: those for Mimir, chunks by encoding, and whether the block has deletions.

    overlaps: names of the blocks in its directory that overlap it in time; twins: those with the same external labels.
    """

    facts: BlockFacts
    chunks: Mapping[int, int]
    overlaps: Sequence[str] = ()
    twins: Sequence[str] = ()
    has_tombstones: bool = False


def verdicts(block: WholeBlock, now: int) -> dict[str, Acceptance]:
    """The verdicts by store: Prometheus, Mimir, Thanos. `now`: Unix ms."""
    return dict(zip(STORES, (_prometheus(block, now), _mimir(block, now), _thanos(block)), strict=True))


def refused(why: str) -> dict[str, Acceptance]:
    """The verdicts on an invalid block."""
    return {store: Acceptance([why]) for store in STORES}


def _prometheus(block: WholeBlock, now: int) -> Acceptance:
    _, end = block.facts.times
    verdict = Acceptance()
    if block.facts.index_version == 3:
        verdict.notes.append("index version 3 is read since 2.53.5")
    for name in _new_encodings(block):
        verdict.notes.append(f"{name} chunks are read only by 3.x of 2026 and later")
    if block.overlaps:
        verdict.notes.append("overlaps are merged when they are read, and compacted into one block")
    if is_future(end, now):
        verdict.reasons.append(f"it ends after now: of blocks that do, {RUNNING_AND_STARTING}")
    elif reaches_log(end, now):
        verdict.notes.append(
            "the block ends within the last 3 hours: a live server that starts on it drops the samples in its own log "
            "that are before that end; wait 3 hours, or end the push earlier"
        )
    if end < now - DEFAULT_RETENTION_MS:
        verdict.notes.append("older than 15 days, the default retention: set --storage.tsdb.retention.time")
    return verdict


def _mimir(block: WholeBlock, now: int) -> Acceptance:
    verdict = Acceptance([str(breach) for breach in breaches(block.facts, now)])
    if block.has_tombstones:
        verdict.notes.append("tombstones are not sent: deleted samples come back")
    return verdict


def _thanos(block: WholeBlock) -> Acceptance:
    verdict = Acceptance()
    section, (start, end) = block.facts.thanos, block.facts.times
    if not section.get("labels"):
        verdict.reasons.append("no external labels (add them with thanos tools bucket upload-blocks)")
    resolution = (section.get("downsample") or {}).get("resolution", 0)
    if resolution not in THANOS_RESOLUTIONS:
        verdict.reasons.append(f"downsampled to {resolution} ms, which is not one of its resolutions")
    verdict.reasons.extend(f"its readers fail on {name} chunks (thanos#8984)" for name in _new_encodings(block))
    if block.twins:
        verdict.reasons.append(f"its compactor halts on blocks that overlap, as {block.twins[0]} does (thanos#1089)")
    if block.facts.files.get("index", 0) > THANOS_MAX_INDEX:
        verdict.reasons.append("the index is larger than 64 GiB")
    if start // THANOS_LARGEST != (end - 1) // THANOS_LARGEST:
        verdict.notes.append("it crosses a boundary of 14 days: it will not be compacted")
    if block.has_tombstones:
        verdict.notes.append("tombstones are not read: deleted samples come back")
    return verdict


def _new_encodings(block: WholeBlock) -> list[str]:
    return [ENCODINGS[encoding] for encoding in sorted(block.chunks) if encoding not in _OLD]
