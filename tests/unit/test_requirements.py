"""The locked requirements: complete, hashed, and free of any registry's address."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "requirements").glob("*.txt"), *(ROOT / "tests" / "oracle").glob("requirements.txt")])


def pins(text: str) -> dict[str, str]:
    """Each pinned distribution, with its hashes."""
    return {found[1]: found[2] for found in re.finditer(r"^([\w.-]+)==\S+.*?\\$((?:\n    --hash=.*)+)", text, re.M)}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_pin_is_hashed_and_no_address_is_named(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    assert not re.search(r"^\s*--(?!hash=)", text, re.M)
    named = set(re.findall(r"^([\w.-]+)", text, re.M))
    assert named == set(pins(text))


@pytest.mark.parametrize("source", ["pyproject.toml", "requirements/dev.in"])
def test_the_lock_holds_what_is_asked_for(source: str) -> None:
    text = (ROOT / source).read_text()
    asked = tomllib.loads(text)["project"]["dependencies"] if source.endswith(".toml") else text.splitlines()
    names = {re.match(r"[\w.-]*", line)[0] for line in asked} - {""}  # type: ignore[index]
    assert names
    assert names <= set(pins((ROOT / "requirements" / "dev.txt").read_text()))
