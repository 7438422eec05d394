"""docs/json.md and docs/json-schema.json name the same keys and codes."""

from __future__ import annotations

import re
from pathlib import Path

from promfill.cli.outcome import COMMANDS, SCHEMA
from promfill.errors import PromfillError
from tests.support.json_schema import command_properties, schema

PAGE = (Path(__file__).parents[3] / "docs" / "json.md").read_text(encoding="utf-8")


def codes(error: type[PromfillError]) -> set[str]:
    return {error.code}.union(*(codes(below) for below in error.__subclasses__()))


def test_the_schema_is_of_our_version_and_commands() -> None:
    assert schema()["properties"]["schema"] == {"const": SCHEMA}
    assert set(schema()["properties"]["command"]["enum"]) == {*COMMANDS, None}
    assert command_properties().keys() == set(COMMANDS)


def test_every_code_is_on_the_page_and_in_the_schema() -> None:
    rows = PAGE.partition("| code | exit code | |")[2].partition("\n\n")[0]
    table = re.findall(r"^\| `([a-z-]+)` \|", rows, re.M)
    assert sorted(table) == sorted(schema()["$defs"]["error"]["properties"]["code"]["enum"])
    import promfill.net.http  # noqa: F401  (has an error of its own)

    assert codes(PromfillError) <= set(table)


def test_every_key_is_on_the_page() -> None:
    named = set(re.findall(r"`([a-z_0-9]+)`", PAGE))
    keys = {key for properties in command_properties().values() for key in properties}
    for name in ("error", "finding", "upload", "verification", "block", "blockReview", "setting"):
        keys |= schema()["$defs"][name]["properties"].keys()
    assert keys <= named, sorted(keys - named)
