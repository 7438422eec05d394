"""What pushes make, byte for byte: the hashes of tests/golden/pushes.json."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.cli import Promfill
from tests.support.golden import golden_json
from tests.support.golden_pushes import FILE, PUSHES, identities, made_by

GOLDEN: dict[str, Any] = golden_json(FILE)


@pytest.mark.parametrize("name", PUSHES)
def test_a_push_makes_what_it_always_made(promfill: Promfill, name: str) -> None:
    assert made_by(promfill, PUSHES[name], Path.cwd()) == GOLDEN[name]


def test_identities_are_what_they_always_were() -> None:
    assert identities() == GOLDEN["identities"]


def test_the_file_holds_these_pushes_and_no_other() -> None:
    assert set(GOLDEN) == {"identities", *PUSHES}
    hashes = [str({**made, "call": None}) for made in GOLDEN.values()]
    assert len(set(hashes)) == len(hashes)


def test_both_versions_of_remote_write_carry_the_same() -> None:
    pairs = [(name, name.replace("1.0", "2.0")) for name in PUSHES if name.startswith("remote-write 1.0")]
    assert len(pairs) >= 4
    for first, second in pairs:
        assert [GOLDEN[first][key] for key in ("content", "metadata", "samples")] == [
            GOLDEN[second][key] for key in ("content", "metadata", "samples")
        ]
