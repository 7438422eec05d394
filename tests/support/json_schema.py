"""docs/json-schema.json as a judge of what promfill prints: stricter than the file, which leaves room for new keys."""

from __future__ import annotations

import copy
import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

PATH = Path(__file__).parents[2] / "docs" / "json-schema.json"
COMMON = {"schema", "command", "error"}


@cache
def schema() -> dict[str, Any]:
    """The file."""
    found: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return found


def command_properties() -> dict[str, dict[str, Any]]:
    """The keys of each command, with their schemas."""
    rules = [rule for rule in schema()["allOf"] if "properties" in rule["then"]]
    return {rule["if"]["properties"]["command"]["const"]: rule["then"]["properties"] for rule in rules}


def judge(document: dict[str, Any]) -> None:
    """The document is as the schema says, and has no key that the schema does not name, at any depth."""
    errors = sorted(_validator().iter_errors(document), key=lambda error: error.json_path)
    assert not errors, "\n".join(f"{error.json_path}: {error.message}" for error in errors)
    known = COMMON | command_properties().get(document["command"], {}).keys()
    assert document.keys() <= known, f"docs/json-schema.json does not name {sorted(document.keys() - known)}"


@cache
def _validator() -> Draft202012Validator:
    Draft202012Validator.check_schema(schema())
    closed = copy.deepcopy(schema())
    for one in [*closed["$defs"].values(), *(rule["then"].get("properties", {}) for rule in closed["allOf"])]:
        _close(one)
    return Draft202012Validator(closed, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _close(value: Any) -> None:
    """No other keys in objects whose keys are listed."""
    if isinstance(value, dict):
        if value.get("type") == "object" and "properties" in value:
            value["additionalProperties"] = False
        for one in value.values():
            _close(one)
    elif isinstance(value, list):
        for one in value:
            _close(one)
