"""The list of generated files, ``.promfill/made`` in the working directory: ``make clean`` removes those."""

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
    """Add files or directories before they get their final names, so that the list is complete even after a crash.

    Paths already on the list are not added again. If the working directory is not writable, there is no list, and the
    push goes on.
    """
    there = recorded()
    lines = [f"{path}\n" for path in paths if "\n" not in str(path) and path.resolve() not in there]  # a line a path
    if not lines:
        return
    with contextlib.suppress(OSError):
        LIST.parent.mkdir(exist_ok=True)
        with LIST.open("a", encoding="utf-8", errors="surrogateescape") as made:
            made.writelines(lines)
