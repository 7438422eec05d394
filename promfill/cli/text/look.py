"""Show what a look at the store found: what the store is, and what it will do with a push."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from promfill.operations.look import Look


def look_facts(look: Look) -> dict[str, Any]:
    """The JSON of a look."""
    return {
        "store": asdict(look.store) if look.store else None,
        "forwarder": asdict(look.forwarder) if look.forwarder else None,
        "findings": [asdict(finding) for finding in look.findings],
        "loses": look.loses,
    }


def look_lines(look: Look) -> Sequence[str]:
    """Each finding on a line, then its fix on the next line."""
    lines = []
    for finding in look.findings:
        lines.append(f"{'loss' if finding.loses else 'note'}   {finding.text}")
        lines += [f"fix    {finding.fix}"] if finding.fix else []
    return lines
