"""The facts about a store that decide what happens to a push. Plain values; `stores.ask` gets them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from promfill.rules.limits import Limits
from promfill.scenario.times import DAY_MS

DEFAULT_RETENTION_MS = 15 * DAY_MS
"""Prometheus's default."""


@dataclass(frozen=True, slots=True)
class StoreFacts:
    """Facts about a store; None means that the store did not report it. Times and durations in ms.

    retention: how long samples are kept. keeps_at_border: a block whose age equals the retention exactly is kept.
    newest: the newest sample of the head, which refuses much older ones. newest_block: the end of the last block.
    targets: how many it scrapes. out_of_order: how far behind the newest sample it accepts others. receives: whether
    remote write is enabled. version_2: whether remote write 2.0 is. future: how far ahead of its clock samples may be.
    doubles: a sample sent twice is stored twice. rounds: values are stored as decimals. retention_set_by: the flag or
    setting that decides the retention. limits: what else changes samples. unread: what could not be read, and why.
    """

    name: str
    where: str = ""
    version: str = ""
    retention: int | None = None
    retention_size: str = ""
    keeps_at_border: bool = False
    newest: int | None = None
    newest_block: int | None = None
    targets: int = 0
    out_of_order: int = 0
    receives: bool | None = None
    version_2: bool | None = None
    future: int | None = None
    doubles: bool = False
    rounds: bool = False
    retention_set_by: str = ""
    limits: Limits = field(default_factory=Limits)
    unread: str = ""

    @property
    def release(self) -> tuple[int, ...]:
        """The first two numbers of the version; () if it is not known."""
        return tuple(int(number) for number in re.findall(r"\d+", self.version)[:2])

    @property
    def is_prometheus(self) -> bool:
        """Whether it has a head and blocks, as Prometheus does."""
        return self.name == "Prometheus"
