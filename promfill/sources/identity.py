"""The bytes that the names of a push's blocks are made from: its series, settings and times, spelled out here.

Version 1 is the text that promfill 0.1 hashed. It is spelled out setting by setting, so that renaming a class, or
adding a setting, does not change the names of blocks in somebody's store: a setting that version 1 does not
know is included only if it differs from its default.
"""

from __future__ import annotations

import hashlib

import numpy as np

from promfill.model.batch import Fleet
from promfill.model.grid import Grid
from promfill.scenario.scenario import Signal

VERSION_1 = (
    "Signal(trend_coefficient={trend_coefficient!r}, flat_base={flat_base!r}, seasonality={seasonality!r}, "
    "timezone={timezone!r}, noise_mean={noise_mean!r}, noise_std={noise_std!r}, seed={seed!r}, decimals={decimals!r}, "
    "resolution={resolution!r})"
)
"""Numbers in Python's shortest form, texts in its quotes, None for a setting that is off."""


def identity(
    fleet: Fleet,
    grid: Grid,
    signal: Signal,
    fingerprint: tuple[float, ...],
    *,
    no_negative_zero: bool,
    stale_at_end: bool,
) -> bytes:
    """32 bytes that differ if any sample's label set, time or value differs.

    The end of the range is not included, unless a staleness marker stands there: so a longer push finds the days that
    exist already. fingerprint: the noise's first values, so that a change of the generator changes the identity.
    no_negative_zero: rounding may have made a -0, which promfill 0.1.0 kept.
    """
    digest = hashlib.blake2b(digest_size=32)
    for array in (fleet.symbols.buffer, fleet.symbols.offsets, fleet.names, fleet.values):
        digest.update(np.ascontiguousarray(array).data)
    digest.update(_settings(grid, signal, fingerprint).encode())
    if no_negative_zero:
        digest.update(b"no -0")
    if stale_at_end:
        digest.update(f"stale at {grid.steps}".encode())
    return digest.digest()


def _settings(grid: Grid, signal: Signal, fingerprint: tuple[float, ...]) -> str:
    settings = VERSION_1.format(
        trend_coefficient=signal.trend_coefficient,
        flat_base=signal.flat_base,
        seasonality=signal.seasonality,
        timezone=signal.timezone,
        noise_mean=signal.noise_mean,
        noise_std=signal.noise_std,
        seed=signal.seed,
        decimals=signal.decimals,
        resolution=signal.resolution,
    )
    noise = ", ".join(f"{float(value)!r}" for value in fingerprint)
    return f"({settings}, {grid.start}, {grid.step}, ({noise}{',' if len(fingerprint) == 1 else ''}))"
