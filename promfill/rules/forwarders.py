"""Receivers that only forward samples to a store."""

from __future__ import annotations

from dataclasses import dataclass, field

from promfill.rules.limits import Limits

AGENT, VMAGENT, VICTORIA = "Prometheus agent", "vmagent", "VictoriaMetrics component"
ALLOY, COLLECTOR, UNKNOWN = "Grafana Alloy", "OpenTelemetry Collector", "receiver without a query API"


@dataclass(frozen=True, slots=True)
class Forwarder:
    """A receiver that only forwards samples, and its address.

    only_new: it forwards nothing older than its start. since: that start (ms), None if not known. sends_to: the
    addresses it forwards to. may_double: a sample that is sent twice may arrive twice. limits: its own.
    """

    kind: str
    where: str
    version: str = ""
    only_new: bool = False
    since: int | None = None
    sends_to: tuple[str, ...] = ()
    may_double: bool = False
    limits: Limits = field(default_factory=Limits)

    @property
    def name(self) -> str:
        """The kind with its article."""
        return f"{'an' if self.kind[0] in 'AEIO' else 'a'} {self.kind}"
