"""Golden files: bytes made by another implementation. One that is missing fails the test that asks for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "golden"


def golden_bytes(name: str) -> bytes:
    """The bytes of a golden file."""
    return (FOLDER / name).read_bytes()


def golden_json(name: str) -> Any:
    """What a golden JSON file holds."""
    return json.loads(golden_bytes(name))
