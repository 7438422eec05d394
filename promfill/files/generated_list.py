"""The list of what promfill generated, ``.promfill/made`` in the working directory: ``make clean`` removes that."""

from __future__ import annotations

import contextlib
from pathlib import Path

LIST = Path(".promfill") / "made"


def recorded() -> frozenset[Path]:
    """Everything on the list, as absolute paths."""
    try:
        lines = LIST.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return frozenset()
    return frozenset(Path(line).resolve() for line in lines if line)


def record(*paths: Path) -> None:
    """Add files or directories, before they get their names: after a crash the list still holds all that is there.

    What is on it already is not written again. A working directory that cannot be written has no list, and that fails
    no push.
    """
    there = recorded()
    lines = [f"{path}\n" for path in paths if "\n" not in str(path) and path.resolve() not in there]  # a line a path
    if not lines:
        return
    with contextlib.suppress(OSError):
        LIST.parent.mkdir(exist_ok=True)
        with LIST.open("a", encoding="utf-8", errors="surrogateescape") as made:
            made.writelines(lines)
