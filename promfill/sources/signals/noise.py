"""The two kinds of noise, behind one protocol.

- `MersenneNoise`: the original's stream, for a push of exactly one series (`noise_stream`);
- `HashNoise`:     a function of the seed, the label set and the step, for fleets (`noise_hash`).
"""

from __future__ import annotations

from typing import Protocol

from promfill.model.types import F64Array
from promfill.sources.signals.noise_hash import HashNoise
from promfill.sources.signals.noise_stream import MersenneNoise

__all__ = ["HashNoise", "MersenneNoise", "Noise"]


class Noise(Protocol):
    """Normal noise over the plane of steps and series: any rectangle can be made alone, with the same bits."""

    def fill(self, out: F64Array, first_step: int, first_series: int) -> None:
        """Write mean + std * normal into `out`, float64 (T, S): steps ``first_step`` …, series ``first_series`` …"""
        ...

    def fingerprint(self) -> tuple[float, ...]:
        """The first 8 standard values of this kind and seed: they show whether a later run's noise is the same."""
        ...
