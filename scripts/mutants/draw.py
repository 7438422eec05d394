"""All edits of some folders to the few that are tried: the same for the same sources and seed.

The seed gives each edit a rank of its own, by what it changes in which line of which module; the first ones are drawn.
So a change elsewhere draws no others, and what was found out about the mutants of a module holds until it changes.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.mutants.edits import Edit, edits, parses


@dataclass(frozen=True, slots=True)
class Mutant:
    """One edit of one module: `path` from the root of the checkout, `folder` the argument that it was found by."""

    folder: str
    path: str
    source: bytes
    edit: Edit

    @property
    def key(self) -> str:
        """Names the edit and the source that it is made in: what was found out about another source says nothing."""
        digest = hashlib.blake2b(self.source, digest_size=6).hexdigest()
        return f"{self.path}:{self.edit.begin}-{self.edit.end}:{self.edit.text}:{digest}"

    @property
    def site(self) -> tuple[str, int, int]:
        """What the edit replaces."""
        return self.path, self.edit.begin, self.edit.end

    @property
    def changed(self) -> bytes:
        """The module with the edit."""
        return self.edit.apply(self.source)

    def rank(self, seed: int) -> bytes:
        """Its place in the order of the draw: by chance, but the same wherever the line stands."""
        start = self.source.rfind(b"\n", 0, self.edit.begin) + 1
        line = self.source[start : self.edit.end] + self.source[self.edit.end :].partition(b"\n")[0]
        place = f"{seed} {self.path} {self.edit.begin - start} {self.edit.end - start} {self.edit.text} "
        return hashlib.blake2b(place.encode() + line, digest_size=16).digest()

    def diff(self) -> str:
        """The lines that differ, each begun by - or +."""
        before, after = (text.decode().splitlines() for text in (self.source, self.changed))
        lines = difflib.unified_diff(before, after, lineterm="", n=0)
        return "\n".join(line for line in lines if not line.startswith(("---", "+++", "@@")))


def draw(root: Path, folders: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """At most `count` mutants, no two of one place, in the order of the sources."""
    everything = sorted(
        (mutant for folder in folders for mutant in all_mutants(root, folder)),
        key=lambda mutant: (mutant.rank(seed), mutant.site),
    )
    drawn: dict[tuple[str, int, int], Mutant] = {}
    for mutant in everything:
        if len(drawn) == count:
            break
        if mutant.site not in drawn and parses(mutant.changed):
            drawn[mutant.site] = mutant
    return [drawn[site] for site in sorted(drawn)]


def all_mutants(root: Path, folder: str) -> Iterator[Mutant]:
    """Every edit below a folder, or of one module."""
    for path in modules(root, folder):
        source = path.read_bytes()
        yield from (Mutant(folder, path.relative_to(root).as_posix(), source, edit) for edit in edits(source))


def modules(root: Path, folder: str) -> list[Path]:
    """The modules below a folder, or the one that is named. FileNotFoundError: there is none."""
    start = root / folder
    found = [start] if start.is_file() else sorted(start.rglob("*.py"))
    if not found:
        raise FileNotFoundError(f"{folder} holds no Python module")
    return found
