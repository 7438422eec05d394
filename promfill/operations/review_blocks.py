"""Checks all blocks in a directory completely, and predicts whether Prometheus, Mimir and Thanos accept them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from promfill.blocks.check import BlockCheck, check_block
from promfill.blocks.directory import blocks_at, raise_open_files
from promfill.codecs.block.meta import decode_meta
from promfill.errors import FormatError, InputError
from promfill.rules.directory import Arrival, predict_in_directory, spans_in
from promfill.rules.finding import Finding
from promfill.rules.mimir import BlockFacts
from promfill.rules.verdicts import Acceptance, WholeBlock, refused, verdicts
from promfill.sinks.upload.local import LocalBlock, read_local_block

_Span = tuple[int, int, Any]


@dataclass(frozen=True, slots=True)
class BlockReview:
    """The result for one block: its contents and the stores that would accept it. wrong: its damage; None if intact."""

    path: Path
    wrong: str | None
    check: BlockCheck | None
    stores: dict[str, Acceptance]


@dataclass(frozen=True, slots=True)
class DirectoryReview:
    """The result for a directory: one review per block, and what a Prometheus will do with the whole directory."""

    blocks: tuple[BlockReview, ...]
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> list[BlockReview]:
        """The blocks that are damaged or have a wrong name."""
        return [review for review in self.blocks if review.wrong]


def review_directory(directory: Path, now: int | None = None) -> DirectoryReview:
    """Check all blocks in a directory. now: Unix ms. InputError: the directory contains no block."""
    now = int(time.time() * 1000) if now is None else now
    reviews = tuple(review_blocks(directory, now))
    return DirectoryReview(reviews, tuple(_findings(directory, reviews, now)))


def review_blocks(directory: Path, now: int | None = None) -> Iterator[BlockReview]:
    """Check blocks one after the other. directory: a directory of blocks, or a single block. now: Unix ms.

    InputError: there is no block.
    """
    raise_open_files()
    now = int(time.time() * 1000) if now is None else now
    paths = blocks_at(directory)
    if not paths:
        raise InputError(
            f"{directory} holds no block", "name a block, or a directory that holds blocks", field="directory"
        )
    return _reviews(paths, now)


def _findings(directory: Path, reviews: Sequence[BlockReview], now: int) -> list[Finding]:
    """Predict what a Prometheus will do with the directory, without what its verdict on each block already says."""
    whole = {review.path.name for review in reviews if not review.wrong}
    spans = [span for span in spans_in(directory) if span.name in whole]
    found = predict_in_directory(Arrival(spans, directory=directory), now)
    return [finding for finding in found if finding.kind != "recent"]


def _reviews(paths: Sequence[Path], now: int) -> Iterator[BlockReview]:
    spans = {path: span for path in paths if (span := _span(path))}
    for path in paths:
        try:
            check, local = check_block(path, decode=True), read_local_block(path)
        except (FormatError, InputError) as error:
            yield BlockReview(path, error.marked.removeprefix(f"{path}: "), None, refused("it is damaged"))
            continue
        if wrong := _misnamed(local):
            yield BlockReview(path, wrong, check, refused("its name is wrong"))
            continue
        whole = WholeBlock(local.facts, check.chunks, *_overlaps(path, spans), has_tombstones=local.has_tombstones)
        yield BlockReview(path, None, check, verdicts(whole, now))


def _misnamed(block: LocalBlock) -> str | None:
    """The error if the directory's name is not the ULID in meta.json: Prometheus deletes and compacts by that ULID."""
    if block.path.name.upper() == block.meta.ulid.upper():
        return None
    return f"meta.json: its ulid is {block.meta.ulid}, not the directory's name"


def _overlaps(path: Path, spans: dict[Path, _Span]) -> tuple[list[str], list[str]]:
    """The names of the blocks that overlap this one in time, and of those among them with the same external labels."""
    start, end, labels = spans[path]
    there = {other.name: span for other, span in spans.items() if other != path and span[0] < end and start < span[1]}
    return list(there), [name for name, span in there.items() if span[2] == labels]


def _span(path: Path) -> _Span | None:
    """A block's minTime, maxTime (ms) and external labels; None if meta.json cannot be read."""
    import orjson

    try:
        data = (path / "meta.json").read_bytes()
        meta = decode_meta(data)
    except (OSError, FormatError):
        return None
    return meta.min_time, meta.max_time, BlockFacts(orjson.loads(data), {}).thanos.get("labels") or {}
