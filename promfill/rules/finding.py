"""What a store does to a push, as it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace

from promfill.errors import spelled


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a store does to a push. `samples`: how many it concerns, None where that cannot be said.

    loses: samples will not be there afterwards. spoils: what is there already would be doubled, or mixed with others.
    text, fix: with our settings marked, as `promfill.errors.setting` does; `plain` gives them as Python writes them.
    """

    kind: str
    loses: bool
    samples: int | None
    text: str
    fix: str = ""
    spoils: bool = False

    def plain(self) -> Finding:
        """The same with no marks: what a user of the library sees."""
        return replace(self, text=spelled(self.text), fix=spelled(self.fix))
