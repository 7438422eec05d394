"""``promfill tsdb verify``: whether blocks are whole and right, and which stores would take them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.shared import JSON, with_options
from promfill.errors import DamagedError

if TYPE_CHECKING:
    from promfill.operations.review_blocks import BlockReview, DirectoryReview
    from promfill.rules.finding import Finding


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@with_options(JSON)
def command(directory: Path, as_json: bool) -> None:
    """Check all of every block in DIR (data), or of the block that DIR is.

    Checksums, orders, references, ranges, counts and every sample's time; then whether Prometheus, Mimir and Thanos
    would take the block, and why not. Exit code 1 where a block is damaged.

    \b
    Example:
      promfill tsdb verify data
    """
    from promfill.operations.review_blocks import review_directory

    console = Console()
    console.json({"directory": str(directory)})
    review = review_directory(directory)
    console.json(_facts(directory, review))
    if not as_json:
        console.result("\n".join([*_lines(review.blocks), *_finding_lines(review.findings)]))
    if review.wrong:
        first, *more = review.wrong
        others = f" and {len(more)} more" if more else ""
        raise DamagedError(f"{len(review.wrong)} of {len(review.blocks)} blocks are damaged: {first.path}{others}")


def _finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """What is about the directory, after what is about its blocks."""
    for finding in findings:
        yield f"note   {finding.text}"
        yield from [f"fix    {finding.fix}"] if finding.fix else []


def _facts(directory: Path, review: DirectoryReview) -> dict[str, Any]:
    return {
        "directory": str(directory),
        "right": not review.wrong,
        "blocks": [_block_facts(block) for block in review.blocks],
        "findings": [asdict(finding) for finding in review.findings],
    }


def _block_facts(review: BlockReview) -> dict[str, Any]:
    from promfill.blocks.directory import small_bytes
    from promfill.codecs.block.segment_reader import ENCODINGS

    facts: dict[str, Any] = {
        "ulid": review.path.name,
        "path": str(review.path),
        "right": review.wrong is None,
        "wrong": review.wrong,
    }
    if check := review.check:
        facts |= {
            "series": check.series,
            "samples": sum(check.samples.values()),
            "chunks": sum(check.chunks.values()),
            "samples_by_encoding": {ENCODINGS[encoding]: count for encoding, count in check.samples.items()},
            "first_time": check.min_time,
            "last_time": check.max_time,
            "bytes": check.bytes + small_bytes(review.path),
        }
    facts["stores"] = {
        store.lower(): {"takes": verdict.takes, "reasons": verdict.reasons, "notes": verdict.notes}
        for store, verdict in review.stores.items()
    }
    return facts


def _lines(reviews: Sequence[BlockReview]) -> Iterator[str]:
    for review in reviews:
        yield f"{review.path.name}  {_state(review)}"
    right = sum(not review.wrong for review in reviews)
    yield ""
    yield f"{right} of {len(reviews)} blocks are whole and right"
    for store in reviews[0].stores:
        yield from _verdict_lines(store, reviews)


def _state(review: BlockReview) -> str:
    if review.wrong or not review.check:
        return f"WRONG  {review.wrong}"
    check = review.check
    return (
        f"right  {check.series:,} series, {sum(check.chunks.values()):,} chunks, "
        f"{sum(check.samples.values()):,} samples, {check.bytes:,} bytes"
    )


def _verdict_lines(store: str, reviews: Sequence[BlockReview]) -> Iterator[str]:
    """One line of how many it takes; then each reason and each note once, with the blocks that it is about."""
    taken = sum(review.stores[store].takes for review in reviews)
    answer = "yes" if taken == len(reviews) else "no" if not taken else f"{taken} of {len(reviews)}"
    yield f"{store + ':':12}{answer}"
    for name in ("reasons", "notes"):
        said: dict[str, list[str]] = {}
        for review in reviews:
            for text in getattr(review.stores[store], name):
                said.setdefault(text, []).append(review.path.name)
        for text, blocks in said.items():
            yield f"  {'not' if name == 'reasons' else 'but'} {_which(blocks, len(reviews))}: {text}"


def _which(blocks: Sequence[str], of: int) -> str:
    if len(blocks) == of and of > 1:
        return "all"
    return blocks[0] + (f" and {len(blocks) - 1} more" if blocks[1:] else "")
