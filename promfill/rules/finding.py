"""A finding: one effect of a store on a push."""

from __future__ import annotations

from dataclasses import dataclass, replace

from promfill.errors import spelled


@dataclass(frozen=True, slots=True)
class Finding:
    """One effect of a store on a push. `samples`: how many samples it concerns, None if not known.

    loses: samples will be lost. spoils: existing samples would be duplicated, or mixed with others.
    text, fix: with our settings marked by `promfill.errors.setting`; `plain` replaces the marks by field names.
    """

    kind: str
    loses: bool
    samples: int | None
    text: str
    fix: str = ""
    spoils: bool = False

    def plain(self) -> Finding:
        """The same without marks, for users of the library."""
        return replace(self, text=spelled(self.text), fix=spelled(self.fix))
