"""What an upload of blocks tells."""

from __future__ import annotations

from typing import Any

from promfill.cli.text.format import size_text
from promfill.operations.reports import BlocksFound, Uploaded

LATER = (
    "a Mimir may need minutes to hours until they can be queried, and may answer with a part of them until then: "
    "ask for the full count, with Cache-Control: no-store"
)


def upload_facts(report: Uploaded) -> dict[str, Any]:
    """What was uploaded, for programs."""
    return {
        "destination": report.destination,
        "uploaded": len(report.uploaded),
        "uploaded_bytes": report.bytes,
        "already_uploaded": len(report.there),
        "complete": report.complete,
        "refused": dict(sorted(report.refused.items())),
        "renamed": dict(sorted(report.renamed.items())),
    }


def upload_lines(report: Uploaded) -> list[str]:
    """What was uploaded, for people."""
    there = f"; {len(report.there):,} blocks were there already" if report.there else ""
    renamed = sorted(report.renamed.items())
    own, other = renamed[0] if renamed else ("", "")
    more = f", and {len(renamed) - 1:,} more" if len(renamed) > 1 else ""
    under = f"note   {own} is there as {other}{more}: Mimir had failed to validate it under its own name"
    sent = f"{len(report.uploaded):,} blocks, {size_text(report.bytes)}, to {report.destination}"
    return [f"sent   {sent}: complete{there}", *([under] if renamed else []), f"note   {LATER}"]


def found_facts(found: BlocksFound) -> dict[str, Any]:
    """What is to go up."""
    facts = {"blocks": found.blocks, "samples": found.samples, "bytes": found.bytes}
    return {**facts, **({"destination": found.destination} if found.destination else {})}


def plan_text(found: BlocksFound) -> str:
    """What would go up, for people."""
    return (
        f"{found.blocks:,} blocks, {found.samples:,} samples, {found.bytes:,} bytes: "
        "whole, and within Mimir's rules\n"
        "dry run: nothing was sent"
    )
