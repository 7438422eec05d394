"""--json: one object on stdout in every outcome, as docs/json-schema.json says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import pytest

from promfill.cli import cli
from promfill.cli.outcome import COMMANDS, find_command
from tests.support.cli import PUSH, Promfill, Result
from tests.support.json_schema import judge

WHAT = PUSH[1:]


def failed(result: Result, code: str, exit_code: int) -> dict[str, Any]:
    """The object of a failure, which is told on stderr by one line, too."""
    assert result.code == exit_code
    document = result.json
    judge(document)
    error = document["error"]
    assert (error["code"], error["exit_code"]) == (code, exit_code)
    assert error["message"]
    line = result.err.splitlines()[-1]
    assert line == f"promfill: error: {error['message']}" + (f": {error['fix']}" if error["fix"] else "")
    return document


MISUSED = [
    (("push", "--metrc-name", "x", "--json"), "push", "did you mean"),
    (("push", "--json", "--start", "now-1d"), "push", "add it"),
    (("push", "--json=yes"), "push", ""),
    (("--json", "push"), "push", ""),
    (("psuh", "--json"), None, "run promfill --help for the list"),
    (("tsdb", "lst", "--json"), None, "run promfill tsdb --help for the list"),
    (("tsdb", "dump", "--json"), None, "run promfill tsdb dump --help"),
    (("check", "--json", *WHAT, "--mode", "pigeon"), "check", ""),
    (("verify", "--json", *WHAT, "--seed", "x"), "verify", ""),
    (("upload", "--json"), "upload", "add it"),
    (("config", "--json", "word"), "config", "run promfill config --help"),
    (("tsdb", "list", "a", "b", "--json"), "tsdb list", "run promfill tsdb list --help"),
    (("tsdb", "analyze", "--limit", "-1", "--json"), "tsdb analyze", ""),
    (("tsdb", "verify", "--json", "--zzzz"), "tsdb verify", "run promfill tsdb verify --help"),
    (
        ("tsdb", "create-blocks-from", "--max-block-duration", "2h", "openmetrics", "--json"),
        "tsdb create-blocks-from openmetrics",
        "add it",
    ),
]


@pytest.mark.parametrize(("words", "command", "fix"), MISUSED)
def test_a_command_line_that_cannot_be_read(
    promfill: Promfill, words: tuple[str, ...], command: str | None, fix: str
) -> None:
    document = failed(promfill(*words), "input", 2)
    assert document.keys() == {"schema", "command", "error"}
    assert document["command"] == command
    assert fix in document["error"]["fix"]


@pytest.mark.parametrize("value", ["1", "true", "YES", " on "])
@pytest.mark.parametrize("where", ["environment", ".env"])
def test_json_by_the_environment(promfill: Promfill, monkeypatch: pytest.MonkeyPatch, value: str, where: str) -> None:
    for command in COMMANDS:
        name = f"PROMFILL_{command}_JSON".upper().replace(" ", "_").replace("-", "_")
        if where == ".env":
            with Path(".env").open("a") as file:
                file.write(f"{name}='{value}'\n")
        else:
            monkeypatch.setenv(name, value)
    for command in COMMANDS:
        assert failed(promfill(*command.split(), "--no-such-option"), "input", 2)["command"] == command
        assert promfill(*command.split(), "--help").out.startswith("Usage:")
    assert promfill("config").json["settings"]


def test_no_json_where_nobody_asked_for_it(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    assert promfill("push", "--no-such-option").out == ""
    assert promfill("push", "--", "--json").out == ""
    assert promfill("push", "--start", "now-1h", "--metric-name", "--json").out == ""  # the metric's name
    monkeypatch.setenv("PROMFILL_CHECK_JSON", "1")
    monkeypatch.setenv("PROMFILL_PUSH_JSON", "0")
    assert promfill("push", "--no-such-option").out == ""
    assert promfill("push", "--json", "--help").out.startswith("Usage:")
    assert promfill("push", "--json", "--help").code == 0


def test_every_command_that_takes_json_is_known() -> None:
    def takers(command: click.Command, words: tuple[str, ...]) -> set[str]:
        found = {" ".join(words)} if any("--json" in one.opts for one in command.params) else set()
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                below = command.get_command(context, name)
                assert below
                found |= takers(below, (*words, name))
        return found

    assert takers(cli, ()) == set(COMMANDS)


@pytest.mark.parametrize(
    ("words", "command"),
    [
        (("push", "--mode", "openmetrics"), "push"),
        (("psuh", "--labels", "push"), None),
        (("-h", "push"), "push"),
        (("tsdb",), None),
        ((), None),
    ],
)
def test_the_command_among_the_words(words: tuple[str, ...], command: str | None) -> None:
    assert find_command(words) == command


def test_a_dotenv_that_cannot_be_read(promfill: Promfill) -> None:
    Path(".env").write_bytes(b"\xff")
    assert ".env" in failed(promfill("push", "--json"), "input", 2)["error"]["message"]


def test_nan_and_broken_names_are_no_part_of_json(promfill: Promfill, monkeypatch: pytest.MonkeyPatch) -> None:
    from promfill.cli import config

    monkeypatch.setattr(config, "_destination", lambda _: config.Setting("destination", float("nan"), "a\udcff"))  # type: ignore[arg-type]
    result = promfill("config", "--json")
    assert json.loads(result.out, parse_constant=lambda word: pytest.fail(word))["destination"] is None
    assert r"a\udcff" in result.out
