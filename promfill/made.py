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


def record(path: Path) -> None:
    """Add a file or directory, before it gets its name: after a crash the list still holds all that is there.

    A working directory that cannot be written has no list, and that fails no push.
    """
    name = str(path)
    if "\n" in name:  # the list has a line a path
        return
    with contextlib.suppress(OSError):
        LIST.parent.mkdir(exist_ok=True)
        with LIST.open("a", encoding="utf-8", errors="surrogateescape") as made:
            made.write(name + "\n")
