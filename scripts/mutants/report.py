"""What became of the mutants: a file with one JSON object a line, and the table of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from scripts.mutants.draw import Mutant
from scripts.mutants.trial import Outcome


def load(path: Path) -> dict[str, Outcome]:
    """The outcomes of earlier runs by the mutant's key; a line cut off by an interruption is passed over."""
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except json.JSONDecodeError:
            continue
        found[row["key"]] = Outcome(row["how"], row["by"], row["seconds"])
    return found


def append(path: Path, mutant: Mutant, outcome: Outcome) -> None:
    """Add a line; a later line of the same mutant wins."""
    row = {"key": mutant.key, "line": mutant.edit.line, "kind": mutant.edit.kind, "diff": mutant.diff()}
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(max(file.tell() - 1, 0))
        begun = file.read(1) not in (b"", b"\n")  # a line that was cut off
        file.write(b"\n" * begun + json.dumps(row | asdict(outcome)).encode() + b"\n")


def share_noticed(outcomes: Iterable[Outcome]) -> float:
    """Per cent; 100 of none."""
    noticed = [outcome.noticed for outcome in outcomes]
    return 100 * sum(noticed) / len(noticed) if noticed else 100.0


def lines(mutants: Sequence[Mutant], outcomes: dict[str, Outcome]) -> Iterator[str]:
    """The survivors, each with its place and its lines, then the share that was killed: by folder, and of all."""
    for mutant in mutants:
        outcome = outcomes[mutant.key]
        if not outcome.noticed:
            yield f"{mutant.path}:{mutant.edit.line}: {outcome.how} ({mutant.edit.kind})"
            yield from (f"    {line}" for line in mutant.diff().splitlines())
    for folder in dict.fromkeys(mutant.folder for mutant in mutants):
        yield _row(folder, [outcomes[mutant.key] for mutant in mutants if mutant.folder == folder])
    yield _row("all", [outcomes[mutant.key] for mutant in mutants])


def _row(name: str, outcomes: Sequence[Outcome]) -> str:
    killed = sum(outcome.noticed for outcome in outcomes)
    hung = sum(outcome.how == "hung" for outcome in outcomes)
    return f"{name}: killed {killed} of {len(outcomes)} ({share_noticed(outcomes):.1f} %), {hung} of them by hanging"
