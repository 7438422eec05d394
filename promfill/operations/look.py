"""What is known before a push: the store, the forwarder in front of it, and the predicted effects."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from promfill.errors import LossError, RepeatError, setting

if TYPE_CHECKING:
    from promfill.rules.finding import Finding
    from promfill.rules.forwarders import Forwarder
    from promfill.rules.store_facts import StoreFacts

CONFLICTS = ("interleaves", "conflicts", "repeat")
"""Kinds of findings about samples of the push that already exist."""


@dataclass(frozen=True, slots=True)
class Look:
    """The store (None if it was not queried), its predicted effects on a push, and the forwarder in front of it.

    has_all: the store already holds all samples, so nothing is left to send.
    """

    store: StoreFacts | None = None
    findings: tuple[Finding, ...] = ()
    forwarder: Forwarder | None = None
    has_all: bool = False

    def without(self, kinds: Collection[str]) -> Look:
        """A copy without the findings of these kinds."""
        return replace(self, findings=tuple(one for one in self.findings if one.kind not in kinds))

    @property
    def loses(self) -> bool:
        """Whether any sample will be lost."""
        return any(finding.loses for finding in self.findings)

    def refuse_repeat(self, again: bool) -> None:
        """Raise RepeatError if the store would mix the push with existing samples, unless `again` is set."""
        kept_beside = [finding for finding in self.findings if finding.spoils]
        if kept_beside and not again:
            fixes = "; ".join(dict.fromkeys(finding.fix for finding in kept_beside if finding.fix))
            told = "; ".join(finding.text for finding in kept_beside)
            way = f"or add {setting('again')} to send all of it. Nothing was sent or written"
            raise RepeatError(told, f"{fixes}; {way}", field="again")

    def refuse_loss(self, accepted: bool) -> None:
        """Raise LossError if samples will be lost, unless the user accepted the loss. Nothing has been sent yet."""
        lost = [finding for finding in self.findings if finding.loses]
        if lost and not accepted:
            fixes = "; ".join(dict.fromkeys(finding.fix for finding in lost if finding.fix))
            accept = f"or add {setting('accept_loss')}. Nothing was sent or written"
            told = "; ".join(finding.text for finding in lost)
            raise LossError(told, f"{fixes}; {accept}" if fixes else accept, field="accept_loss")
