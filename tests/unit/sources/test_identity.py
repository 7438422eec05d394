from __future__ import annotations

import hashlib
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from promfill.model.batch import Fleet, RaggedBytes
from promfill.model.grid import Grid
from promfill.scenario.scenario import Signal
from promfill.sources.identity import VERSION_1, identity

FLEET = Fleet(RaggedBytes.from_list([b"", b"__name__", b"m"]), np.array([1], np.uint32), np.array([[2]], np.uint32))
TEXT = (
    b"(Signal(trend_coefficient=0.1, flat_base=5.0, seasonality='daily', timezone='UTC', noise_mean=0.0, noise_std=3.0"
    b", seed=42, decimals=None, resolution=None), 1700000000000, 300000, (1.5, -0.25))"
)


def identity_of(signal: Signal, *, no_negative_zero: bool = False, stale_at_end: bool = False) -> bytes:
    grid = Grid(1_700_000_000_000, 300_000, 288)
    return identity(
        FLEET, grid, signal, (1.5, np.float64(-0.25)), no_negative_zero=no_negative_zero, stale_at_end=stale_at_end
    )


@pytest.mark.parametrize(
    ("flags", "end"),
    [({}, b""), ({"no_negative_zero": True}, b"no -0"), ({"stale_at_end": True}, b"stale at 288")],
)
def test_version_1_is_these_bytes(flags: dict[str, bool], end: bytes) -> None:
    digest = hashlib.blake2b(digest_size=32)
    for array in (FLEET.symbols.buffer, FLEET.symbols.offsets, FLEET.names, FLEET.values):
        digest.update(array.tobytes())
    digest.update(TEXT + end)
    assert identity_of(Signal(), **flags) == digest.digest()


@pytest.mark.parametrize("name", [field.name for field in fields(Signal)])
def test_every_setting_is_in_it(name: str) -> None:
    changed: Any = {"seasonality": "none", "timezone": "Europe/Berlin", "seed": 7, "decimals": 2}.get(name, 0.5)
    assert identity_of(replace(Signal(), **{name: changed})) != identity_of(Signal())
    assert f"{name}={{{name}!r}}" in VERSION_1
