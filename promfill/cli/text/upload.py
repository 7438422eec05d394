"""Show an upload of blocks."""

from __future__ import annotations

from typing import Any

from promfill.cli.text.format import size_text
from promfill.errors import plural
from promfill.operations.reports import BlocksFound, Uploaded

LATER = (
    "Mimir may need minutes to hours before all samples can be queried, and may answer with some of them until then: "
    "check the full count, with Cache-Control: no-store"
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
    count = len(report.there)
    there = f"; {plural(count, 'block')} already {'exists' if count == 1 else 'exist'} (skipped)" if count else ""
    renamed = sorted(report.renamed.items())
    own, other = renamed[0] if renamed else ("", "")
    more = f", and {len(renamed) - 1:,} more" if len(renamed) > 1 else ""
    under = f"note   {own} was uploaded as {other}{more}: Mimir had failed to validate it under its own name"
    sent = f"{plural(len(report.uploaded), 'block')}, {size_text(report.bytes)}, to {report.destination}"
    return [f"sent   {sent}: complete{there}", *([under] if renamed else []), f"note   {LATER}"]


def found_facts(found: BlocksFound) -> dict[str, Any]:
    """What would be uploaded, for programs."""
    facts = {"blocks": found.blocks, "samples": found.samples, "bytes": found.bytes}
    return {**facts, **({"destination": found.destination} if found.destination else {})}


def plan_text(found: BlocksFound) -> str:
    """What would be uploaded, for people."""
    return (
        f"{plural(found.blocks, 'block')}, {plural(found.samples, 'sample')}, {plural(found.bytes, 'byte')}: "
        "intact and within Mimir's rules\n"
        "dry run: nothing was sent"
    )
