"""``promfill tsdb verify``: check blocks for damage, and show which stores accept them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from promfill.cli.console import Console
from promfill.cli.options.shared import JSON, with_options
from promfill.errors import DamagedError, plural

if TYPE_CHECKING:
    from promfill.operations.review_blocks import BlockReview, DirectoryReview
    from promfill.rules.finding import Finding


@click.command()
@click.argument("directory", metavar="[DIR]", default="data", type=click.Path(path_type=Path))
@with_options(JSON)
def command(directory: Path, as_json: bool) -> None:
    """Check every block in DIR (default: data) for damage, and show which stores accept it. DIR may be one block.

    Checks checksums, order, references, ranges, counts and the time of every sample; then shows whether Prometheus,
    Mimir and Thanos accept the block, and if not, why. Exits with 1 if a block is damaged.

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
        raise DamagedError(f"{_of(len(review.wrong), len(review.blocks))} damaged: {first.path}{others}")


def _of(some: int, blocks: int) -> str:
    """ "2 of 3 blocks are", "1 of 1 block is"."""
    return f"{some:,} of {plural(blocks, 'block')} {'is' if blocks == 1 else 'are'}"


def _finding_lines(findings: Sequence[Finding]) -> Iterator[str]:
    """The findings about the directory, which follow those about its blocks."""
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
    yield f"{_of(right, len(reviews))} intact"
    for store in reviews[0].stores:
        yield from _verdict_lines(store, reviews)


def _state(review: BlockReview) -> str:
    if review.wrong or not review.check:
        return f"DAMAGED  {review.wrong}"
    check = review.check
    return (
        f"intact  {plural(check.series, 'series')}, {plural(sum(check.chunks.values()), 'chunk')}, "
        f"{plural(sum(check.samples.values()), 'sample')}, {plural(check.bytes, 'byte')}"
    )


def _verdict_lines(store: str, reviews: Sequence[BlockReview]) -> Iterator[str]:
    """One line with how many blocks a store accepts; then each reason and note once, with the blocks that have it."""
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
